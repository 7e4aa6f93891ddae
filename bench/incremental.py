# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check costs after a change, against the first one: what was kept, and what was not.

    PYTHONPATH=src python bench/incremental.py TREE [--arch x86] [--write]

Each change is laid over the tree in memory, and checked in a new process with a store that the
first check has filled. Then come a copy of the tree, and, with a store that a check of a git
repository made of it has filled, a clone of that; last the clone with an edit that is committed and
checked, against the revision before it. One line per change: processor seconds (children included),
and their part of the first check's. --write puts the table into bench/README.md.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import check as times
import measure

import lazymmu
import tools
from lazymmu.kernelc.parse.slices import definitions
from lazymmu.snapshot.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "mm/memory.c"
HEADER = "include/linux/mm.h"
MOVED = "mm/mremap.c"
REACHED = "zap_pte_range"
NOT_REACHED = "handle_mm_fault"

CHANGES = {
    "first": "the first check",
    "nothing": "nothing",
    "comment": f"a comment at the top of {SOURCE}",
    "header": f"a comment at the top of {HEADER}",
    "added": "a function that nobody calls",
    "elsewhere": "a function, elsewhere",
    "inside": "a comment in a function, in a section's reach",
    "reached": "a function, in a section's reach",
    "include": f"an #include more in {SOURCE}",
    "renamed": "a function with a section has another name",
    "macro": f"a #define more in {HEADER}",
    "moved": f"{MOVED} has another name",
    "finding": "a function that then sleeps in its section",
}
"""What is laid over the tree, in this order."""

CLONE = "a fresh clone"
SINCE = "--since HEAD~1 of a tree that was checked, a function in a section's reach"
LIMITS = {
    **{CHANGES[change]: 0.1 for change in ("header", "elsewhere", "inside", "reached")},
    CLONE: 0.15,
    SINCE: 0.15,
}
"""What a part of the first check may be at most."""


def edited(source: bytes, function: str, more: bytes = b"barrier();") -> bytes:
    """The text with one statement, or a comment, more at the end of a function."""
    ends = [d.end for d in definitions(source) if d.name == function]
    if not ends:
        raise SystemExit(f"{SOURCE} has no {function}()")
    body = source.rfind(b"\n", 0, ends[0])
    return source[:body] + b"\n\t" + more + source[body:]


def sleeping(source: bytes, function: str) -> bytes:
    """The text with a call that may sleep at the beginning of a function's section."""
    (at,) = (d for d in definitions(source) if d.name == function)
    begin = re.compile(rb"lazy_mmu_mode\w*\(\);\n").search(source, at.body, at.end)
    if begin is None:
        raise SystemExit(f"{function}() begins no section")
    return source[: begin.end()] + b"\tcond_resched();\n" + source[begin.end() :]


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
        case "elsewhere":
            return tree.over({SOURCE: edited(source, NOT_REACHED)})
        case "inside":
            return tree.over({SOURCE: edited(source, REACHED, b"/* a comment */")})
        case "reached":
            return tree.over({SOURCE: edited(source, REACHED)})
        case "include":
            at = source.index(b"#include")
            return tree.over({SOURCE: source[:at] + b"#include <linux/slab.h>\n" + source[at:]})
        case "renamed":
            name = re.compile(rb"\b" + REACHED.encode() + rb"\b")
            return tree.over({SOURCE: name.sub(REACHED.encode() + b"_of_it", source)})
        case "macro":
            at = header.rindex(b"#endif")
            return tree.over({HEADER: header[:at] + b"#define NOBODY_SAYS_IT 1\n" + header[at:]})
        case "moved":
            build = tree.read("mm/Makefile").replace(b"mremap.o", b"mremap_pages.o")
            there = {MOVED.replace(".c", "_pages.c"): tree.read(MOVED)}
            return tree.over({MOVED: None, **there, "mm/Makefile": build})
        case "finding":
            return tree.over({SOURCE: sleeping(source, REACHED)})
    return tree


def one(tree: str, change: str, store: str, arches: list[str] | None) -> None:
    """Check in this process."""
    lazymmu.check(changed(Tree.open(tree), change), arches=arches, cache_dir=store)


def _git(folder: str, *arguments: str) -> None:
    who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


def costs(tree: str, arch: str, folder: str) -> Iterator[tuple[str, float]]:
    """Processor seconds after each change, the first check's before all others."""
    store = f"{folder}/store"
    for change, told in CHANGES.items():
        command = [sys.executable, __file__, tree, "--arch", arch, "--one", change, store]
        yield told, _processor(command)
    copy = shutil.copytree(tree, f"{folder}/copy", symlinks=True)
    command = tools.check(Path(copy), Path(store), 2, arch or "all")
    yield "a copy of the tree, without git", _processor(command)
    _git(copy, "init", "-q")
    _git(copy, "add", "-f", "-A", ".")
    _git(copy, "commit", "-q", "-m", "base")
    # One works in a repository. The store so far knows this tree's answer: with it nobody looks at
    # what git's index tells, which is what a clone has in common with the tree.
    store = f"{folder}/of-a-repository"
    _processor(tools.check(Path(copy), Path(store), 2, arch or "all"))
    clone = f"{folder}/clone"
    _git(folder, "clone", "-q", copy, clone)
    command = tools.check(Path(clone), Path(store), 2, arch or "all")
    yield CLONE, _processor(command)
    path = Path(clone, SOURCE)
    path.write_bytes(edited(path.read_bytes(), REACHED))
    _git(clone, "commit", "-q", "-a", "-m", "edit")
    _processor(command)
    yield SINCE, _processor([*command, "--since", "HEAD~1"])
    if shutil.which("spatch"):
        yield "coccinelle, after any change", _processor(tools.coccinelle(Path(tree), 2))


def _processor(command: list[str]) -> float:
    cost = measure.run(command, tools.ENVIRONMENT)
    if cost.status not in {0, 1}:
        sys.exit(f"ended with {cost.status}: {' '.join(command)}")
    return cost.processor


def main() -> None:
    """Measure each change."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tree")
    parser.add_argument("--arch", default="")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("CHANGE", "STORE"))
    asked = parser.parse_args()
    if asked.one:
        one(asked.tree, *asked.one, asked.arch.split(",") if asked.arch else None)
        return
    lines = [f"{times.versions(Path(asked.tree))}; {measure.machine()}.", ""]
    lines += ["| after | processor s | of the first | at most |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        first = 0.0
        for told, seconds in costs(asked.tree, asked.arch, folder):
            first = first or seconds
            limit = LIMITS.get(told, 0.0)
            asked_for = f"{limit}{'' if seconds <= limit * first else ': MISSED'}" if limit else ""
            row = f"| {told} | {seconds:.2f} | {seconds / first:.3f} | {asked_for} |"
            lines.append(row)
            print(lines[-1], flush=True)
        size = sum(path.stat().st_size for path in Path(folder, "store").iterdir())
        lines += ["", f"- the store has {size / (1 << 20):.1f} MiB"]
    if asked.write:
        times.write("incremental", lines)


if __name__ == "__main__":
    main()
