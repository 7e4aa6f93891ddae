# SPDX-License-Identifier: GPL-2.0-or-later
"""What a history of commits costs: those that are passed over, and those that are looked at.

    python -m tools.made_history REPO linux-6.12.8 linux-6.12 --most 1100
    PYTHONPATH=src python bench/history.py REPO --range v6.12.8..v6.12.118 [--arch x86] [--jobs N]
                                                     [--store DIR]

Three runs over every commit of the range: on an empty store, on the store that this has filled, and
for the releases alone on another empty store. One line each: wall and processor seconds (children
included), commits, looks made and recalled, the megabytes of the store. Then what it takes to go
through a commit that is passed over, without any look. With --store the first run is left out: it
was made before, with this store, in pieces if need be.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lazymmu.snapshot.repository import view
from lazymmu.snapshot.revisions import range_of
from lazymmu.snapshot.snapshots import tree_of
from lazymmu.verbs.past.lines import CommitLine
from lazymmu.witness.source.check import check_with_inputs


def run(asked: argparse.Namespace, every: str, store: Path) -> str:
    """A run of the command, as a line of figures."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(
        [
            sys.executable, "-m", "lazymmu", "history", "--git", asked.repository,
            "--range", asked.range, "--every", every, "--arch", asked.arch,
            "--jobs", str(asked.jobs), "--cache-dir", store, "--format", "json",
        ],
        capture_output=True,
        check=False,
    )  # fmt: skip
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = json.loads(done.stdout)
    size = sum(file.stat().st_size for file in store.rglob("*") if file.is_file()) / (1 << 20)
    looked = said["looked_at"]
    return (
        f"{every:8} {wall:7.1f} s wall {spent:7.1f} s processor  {said['commits']} commits  "
        f"{looked['now']} looks made {looked['before']} recalled  {size:.0f} MB"
    )


def passing(asked: argparse.Namespace, store: Path) -> str:
    """What going through commits costs, each held against what a result rests on."""
    span = range_of(asked.range)
    with view(asked.repository) as seen:
        old, new = seen.commit(span.old), seen.commit(span.new or "HEAD")
        options = {"arches": [asked.arch], "cache_dir": store}
        _, inputs = check_with_inputs(tree_of(seen, new), **options)
        began = time.process_time()
        line = CommitLine(seen, old, new)
        touching = len(line.touching(inputs, line.commits))
        spent = time.process_time() - began
    each = 1000 * spent / len(line.commits)
    return (
        f"{len(line.commits)} commits gone through: {each:.2f} ms each, {touching} touch one of "
        f"{len(inputs)} paths, or have a word that is searched for"
    )


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("repository")
    parser.add_argument("--range", required=True)
    parser.add_argument("--arch", default="x86")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--store", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first, second = asked.store or Path(folder) / "first", Path(folder) / "second"
        if asked.store is None:
            print(run(asked, "commit", first), flush=True)
        print(run(asked, "commit", first), flush=True)
        print(run(asked, "release", second), flush=True)
        print(passing(asked, first), flush=True)


if __name__ == "__main__":
    main()
