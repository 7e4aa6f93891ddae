# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check costs after a change, against the first one: what was kept, and what was not.

    PYTHONPATH=src python bench/incremental.py TREE [--arch x86]

Each change is laid over the tree in memory, and checked in a new process with a store of its own
that the first check has filled. One line per change: processor seconds (children included), and
their part of the first check's. The last line is a copy of the tree, so all its files are new.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import lazymmu
from lazymmu.kernelc.parse.slices import definitions
from lazymmu.snapshot.tree import Tree

SOURCE = "mm/memory.c"
HEADER = "include/linux/mm.h"
FUNCTION = "zap_pte_range"

CHANGES = ("first", "nothing", "comment", "header", "added", "function", "copy")
"""Nothing; a comment at the top of a source file, and of a header that all include; a function that
nobody calls; a statement in one that sections reach; a copy of the tree."""


def changed(tree: Tree, change: str) -> Tree:
    """The tree with a change laid over it."""
    source, header = tree.read(SOURCE), tree.read(HEADER)
    match change:
        case "comment":
            return tree.over({SOURCE: b"/* a comment\n * of two lines */\n" + source})
        case "header":
            return tree.over({HEADER: b"/* a comment\n * of two lines */\n" + header})
        case "added":
            more = b"\nstatic void nobody_calls(int x)\n{\n\tif (x)\n\t\tcond_resched();\n}\n"
            return tree.over({SOURCE: source + more})
        case "function":
            ends = [d.end for d in definitions(source) if d.name == FUNCTION]
            if not ends:
                raise SystemExit(f"{SOURCE} has no {FUNCTION}()")
            at = ends[0]
            body = source.rfind(b"\n", 0, at)
            return tree.over({SOURCE: source[:body] + b"\n\tbarrier();" + source[body:]})
    return tree


def one(tree: str, change: str, store: str, arches: list[str] | None) -> None:
    """Check in this process, and print what that cost."""
    lazymmu.check(changed(Tree.open(tree), change), arches=arches, cache_dir=store)
    used = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(sum(each.ru_utime + each.ru_stime for each in used))


def main() -> None:
    """Measure each change."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tree")
    parser.add_argument("--arch", default="")
    parser.add_argument("--one", nargs=2, metavar=("CHANGE", "STORE"))
    asked = parser.parse_args()
    if asked.one:
        one(asked.tree, *asked.one, asked.arch.split(",") if asked.arch else None)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/store"
        first = 0.0
        for change in CHANGES:
            tree = asked.tree
            if change == "copy":
                tree = shutil.copytree(asked.tree, f"{folder}/copy", symlinks=True)
            command = [sys.executable, __file__, tree, "--arch", asked.arch, "--one", change, store]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds = float(done.stdout)
            first = first or seconds
            print(f"{change:10} {seconds:6.2f} s {seconds / first:6.3f}", flush=True)
        size = sum(path.stat().st_size for path in Path(store).iterdir())
        print(f"the store has {size / (1 << 20):.1f} MiB")


if __name__ == "__main__":
    main()
