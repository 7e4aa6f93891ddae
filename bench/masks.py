#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How much of real kernel C can be parsed after masking, and how fast slices and masks are.

    LAZYMMU_KERNELS=... bench/masks.py [--area mm ...] [--show N] [VERSION ...]

For each tree and area: functions found, megabytes of them, slices that tree-sitter-c cannot parse
without an ERROR or MISSING node, the speed of finding definitions (over whole files) and of masking
(over slices) in processor time, and calls. `calls` are names before parentheses in the text as it
is, members and loop macros left out; `rewritten` those that the mask replaced on purpose
(offsetof, asm templates, attributes); `misread` those that it left and that are no calls in the
syntax tree, mostly prototypes and pointers to functions.

Of the branches of an #if the first that is not `#if 0` or for the assembler is taken, whatever the
architecture: closer to every compiler's view than all branches at once, and without a profile.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import tree_sitter
import tree_sitter_c

from lazymmu.kernelc.parse.lexemes import KEYWORDS, without_lexemes
from lazymmu.kernelc.parse.masks import mask
from lazymmu.kernelc.parse.slices import definitions
from lazymmu.snapshot.tree import Tree, TreeError

AREAS = {
    "mm": ("mm/",),
    "fs/proc": ("fs/proc/",),
    "kernel": ("kernel/",),
    "lib": ("lib/",),
    "include/linux": ("include/linux/",),
    **{
        f"arch/{arch}": tuple(f"arch/{arch}/{part}/" for part in ("mm", "kernel", "include"))
        for arch in ("x86", "powerpc", "sparc", "arm64")
    },
}
VERSIONS = ("6.1", "6.12.8", "7.3")

LANGUAGE = tree_sitter.Language(tree_sitter_c.language())
PARSER = tree_sitter.Parser(LANGUAGE)
CALLS = tree_sitter.Query(LANGUAGE, "(call_expression function: (identifier) @name)")
CALL = re.compile(rb"(?<![\w.>])(?<![.>] )([A-Za-z_]\w*)[ \t\n]*\(")
LINE = re.compile(rb"(?>(?:[^\n\\]++|\\[\s\S]?)*)\n?")
CONDITION = re.compile(rb"[ \t]*#[ \t]*(ifdef|ifndef|if|elif|else|endif)\b(.*)")
LOOP = re.compile(rb"for_?each", re.I)


def select(text: bytes) -> bytes:
    """Blank all branches of conditions but one each."""
    out: list[bytes] = []
    open_: list[tuple[bool, bool]] = []  # this branch is taken; one was taken
    for line in LINE.findall(text):
        live = all(taken for taken, _ in open_)
        found = CONDITION.match(line)
        if found:
            live = False
            if found[1] in (b"if", b"ifdef", b"ifndef"):
                taken = not re.match(rb"\s*0\b", found[2])
                if found[1] != b"ifndef" and b"__ASSEMBL" in found[2] and b"!" not in found[2]:
                    taken = False
                open_.append((taken, taken))
            elif open_ and found[1] == b"endif":
                open_.pop()
            elif open_:
                open_[-1] = (not open_[-1][1], True)
        out.append(line if live else re.sub(rb"[^\n]", b" ", line))
    return b"".join(out)


class Row:
    """The figures of one area of one tree."""

    def __init__(self) -> None:
        """All figures are zero."""
        self.functions = self.bytes = self.read = 0
        self.slicing = self.masking = 0.0
        self.calls = self.rewritten = self.misread = 0
        self.failing: list[str] = []

    def add(self, rel: str, raw: bytes, loops: frozenset[str]) -> None:
        """Measure one file."""
        self.read += len(raw)
        began = time.process_time()
        definitions(raw)
        self.slicing += time.process_time() - began
        text = select(raw)
        for found in definitions(text):
            if found.kind != "function":
                continue
            piece = text[found.start : found.end]
            began = time.process_time()
            masked = mask(piece, loops)
            self.masking += time.process_time() - began
            self.functions += 1
            self.bytes += len(piece)
            root = PARSER.parse(masked).root_node
            if root.has_error or root.named_children[0].type != "function_definition":
                line = found.line + masked[: first_error(root)].count(b"\n")
                self.failing.append(f"{rel}:{line}: {found.name}()")
            else:
                self.count_calls(without_lexemes(piece), masked, root)

    def count_calls(self, clean: bytes, masked: bytes, root: tree_sitter.Node) -> None:
        """Compare the calls of a function's text with those of its syntax tree."""
        written: Counter[bytes] = Counter()
        kept: Counter[bytes] = Counter()
        for call in CALL.finditer(clean, clean.find(b"{")):
            name = call[1]
            if name not in KEYWORDS and not LOOP.search(name):
                written[name] += 1
                kept[name] += masked[call.start(1) : call.end(1)] == name
        captures = tree_sitter.QueryCursor(CALLS).captures(root)
        read = Counter(node.text or b"" for node in captures.get("name", ()))
        self.calls += written.total()
        self.rewritten += written.total() - kept.total()
        self.misread += (kept - read).total()


def first_error(node: tree_sitter.Node) -> int:
    """Offset of the first ERROR or MISSING node below a node that has one."""
    while not node.is_error and not node.is_missing:
        inside = [child for child in node.children if child.has_error or child.is_missing]
        if not inside:
            break
        node = inside[0]
    return node.start_byte


def trees(versions: list[str]) -> Iterator[Tree]:
    """Open the trees of these versions; those that are not there are named on stderr."""
    top = os.environ.get("LAZYMMU_KERNELS") or Path("~/.cache/lazymmu-kernels").expanduser()
    for version in versions:
        try:
            yield Tree.open(Path(top) / f"linux-{version}")
        except TreeError as error:
            print(f"masks.py: skipped: {error}", file=sys.stderr)


def main() -> int:
    """Print the table; 0 if every area of every tree is below one in a hundred."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=" ".join(VERSIONS))
    parser.add_argument("--area", action="append", choices=sorted(AREAS), help="default: all")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="list N failing functions")
    options = parser.parse_args()
    print(
        "tree      area           functions     MB  failing       %  slices MB/s  mask MB/s", end=""
    )
    print("   calls  rewritten  misread")
    worst = 0.0
    for tree in trees(options.versions or list(VERSIONS)):
        loops = frozenset(re.findall(r"- '(\w+)'", tree.read(".clang-format").decode("latin-1")))
        files = [path for path in tree.manifest() if path.endswith((".c", ".h"))]
        for area in options.area or AREAS:
            row = Row()
            for path in files:
                if path.startswith(AREAS[area]):
                    row.add(path, tree.read(path), loops)
            if not row.functions:
                continue
            share = 100 * len(row.failing) / row.functions
            worst = max(worst, share)
            print(
                f"{tree.release:<9} {area:<14} {row.functions:9} {row.bytes / 1e6:6.2f}"
                f" {len(row.failing):8} {share:7.3f} {row.read / row.slicing / 1e6:12.1f}"
                f" {row.bytes / row.masking / 1e6:10.1f} {row.calls:7} {row.rewritten:10}"
                f" {row.misread:8}",
                flush=True,
            )
            for line in row.failing[: options.show]:
                print(f"    {line}")
    return int(worst >= 1)


if __name__ == "__main__":
    sys.exit(main())
