# SPDX-License-Identifier: GPL-2.0-or-later
"""What a view of a tree costs: cold, from the cache, and for all architectures.

    PYTHONPATH=src python bench/view.py TREE... [--arch x86,sparc] [--jobs 2] [--runs 3]

One line per measurement, the best of the runs: wall and processor seconds (children included), the
peak memory of the main process and of its largest child, and how much was seen. Every measurement
is made in a new process. The kernel's files are read once before, so that the page cache is warm.
`load` is the machine's load average at the end: above the number of processors the figures say
little.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lazymmu.kernelc.arch_profile import PROFILES
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.tree_index import TreeIndex
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree


def measure(tree: str, arch: str, jobs: int, cache: str) -> dict[str, float]:
    """Make the view of one architecture, or all of them in turn, in this process."""
    start = time.perf_counter()
    with Cache(cache) as kept:
        library = TreeIndex(Tree.open(tree), jobs=jobs, cache=kept)
        names = list(PROFILES) if arch == "all" else [arch]
        views = [ConfiguredTree(library.tree, PROFILES[name], library=library) for name in names]
    wall = time.perf_counter() - start
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {
        "wall": wall,
        "cpu": own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime,
        "main_mb": own.ru_maxrss / 1024,
        "child_mb": children.ru_maxrss / 1024,
        "sources": sum(len(view.built) for view in views),
        "headers": sum(len(view.headers.files) for view in views),
    }


def run(tree: str, arch: str, jobs: int, cache: str) -> dict[str, float]:
    """Measure in a new process."""
    command = [sys.executable, __file__, "--one", arch, "--jobs", str(jobs), "--cache", cache, tree]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def best(results: list[dict[str, float]]) -> dict[str, float]:
    """The run with the least wall time, with the highest memory of all."""
    fastest = min(results, key=lambda result: result["wall"])
    return {
        **fastest,
        **{key: max(result[key] for result in results) for key in ("main_mb", "child_mb")},
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trees", nargs="+")
    parser.add_argument("--arch", default=",".join(PROFILES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--cache", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.trees[0], options.one, options.jobs, options.cache)))
        return
    print(f"jobs={options.jobs} runs={options.runs} cpus={os.cpu_count()}")
    print(f"{'tree':16}{'arch':9}{'state':6}{'wall s':>8}{'cpu s':>8}{'main MB':>9}", end="")
    print(f"{'child MB':>10}{'.c':>7}{'.h':>7}")
    top = Path(tempfile.mkdtemp(prefix="lazymmu-bench-"))
    try:
        for tree in options.trees:
            for arch in [*options.arch.split(","), "all"]:
                cold, warm = [], []
                run(tree, arch, options.jobs, str(top / "warm"))
                for number in range(options.runs):
                    cache = str(top / f"cold-{number}")
                    cold.append(run(tree, arch, options.jobs, cache))
                    shutil.rmtree(cache, ignore_errors=True)
                    warm.append(run(tree, arch, options.jobs, str(top / "warm")))
                for state, results in (("cold", cold), ("warm", warm)):
                    one = best(results)
                    print(
                        f"{Path(tree).name:16}{arch:9}{state:6}{one['wall']:8.2f}{one['cpu']:8.2f}"
                        f"{one['main_mb']:9.0f}{one['child_mb']:10.0f}"
                        f"{one['sources']:7.0f}{one['headers']:7.0f}",
                        flush=True,
                    )
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print(f"load={os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
