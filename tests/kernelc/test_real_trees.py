# SPDX-License-Identifier: GPL-2.0-or-later
"""Slices and masks of real kernel trees, against other readers of C."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_c

from lazymmu.kernelc.parse.masks import mask
from lazymmu.kernelc.parse.slices import RawDef, definitions
from lazymmu.snapshot.tree import Tree

VERSIONS = ["6.1", "6.12.8", "7.3"]
CONDITION = re.compile(rb"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif|else|endif)\b", re.M)


def files_below(tree: Tree, *directories: str) -> list[str]:
    """The .c and .h files below some directories."""
    return [
        path
        for path in tree.manifest()
        if path.startswith(directories) and path.endswith((".c", ".h"))
    ]


def named_by_ctags(root: Path, files: list[str]) -> dict[str, set[tuple[str, str, int]]]:
    """What universal-ctags finds: (name, kind, line) by file."""
    ctags = shutil.which("ctags")
    version = subprocess.run(
        [ctags or "false", "--version"], stdout=subprocess.PIPE, text=True, check=False
    )
    if "Universal Ctags" not in version.stdout:
        pytest.skip("there is no universal-ctags")
    options = ["--langmap=C:.c.h", "--kinds-C=fd", "--fields=K", "--excmd=number", "--sort=no"]
    run = subprocess.run(
        [str(ctags), "--languages=C", *options, "-f", "-", "-L", "-"],
        cwd=root,
        input="\n".join(files).encode(),
        capture_output=True,
        check=True,
    )
    found: dict[str, set[tuple[str, str, int]]] = defaultdict(set)
    for line in run.stdout.decode("utf-8", "replace").splitlines():
        name, file, number, kind = line.split("\t")[:4]
        found[file].add((name, kind, int(number.rstrip(';"'))))
    return found


def stands_alone(lines: list[bytes], line: int, name: str) -> bool:
    """Whether nothing like a type stands before a name: it is a macro, and ctags is wrong."""
    before = re.sub(rb"^(?:static|extern)\s+", b"", lines[line - 1].strip())
    above = lines[line - 2].strip() if line > 1 else b""
    return before.startswith(name.encode()) and not re.search(rb"[\w*]$", above)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_definition_that_ctags_finds_is_found(
    kernel_tree: Callable[[str], Path], version: str
) -> None:
    """None is missed but a few that ctags takes for one (`__init` in an odd head).

    ctags names the macro where a macro stands in place of a head (SYSCALL_DEFINE2), and takes
    macros on lines of their own before a function for one.
    """
    tree = Tree.open(kernel_tree(version))
    files = files_below(tree, "mm/", "fs/proc/", "include/linux/", "arch/x86/mm/")
    tags = named_by_ctags(tree.root, files)
    missed: list[str] = []
    functions = 0
    for file in files:
        found: dict[str, list[RawDef]] = defaultdict(list)
        text = tree.read(file)
        for item in definitions(text):
            found[item.name].append(item)
        for name, kind, line in tags[file]:
            functions += kind == "function"
            if any(item.line == line for item in found.get(name, ())):
                continue
            if kind == "macro" or not stands_alone(text.split(b"\n"), line, name):
                missed.append(f"{file}:{line}: {kind} {name}")
    assert functions > 10000
    assert len(missed) <= 5, missed


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "area", ["mm/", "fs/proc/", "include/linux/", "arch/x86/mm/", "arch/powerpc/mm/"]
)
def test_nearly_every_masked_function_parses(
    kernel_tree: Callable[[str], Path], version: str, area: str
) -> None:
    """Of functions without conditions inside, fewer than one in a thousand fail to parse."""
    tree = Tree.open(kernel_tree(version))
    loops = frozenset(re.findall(r"- '(\w+)'", tree.read(".clang-format").decode()))
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))
    failing: list[str] = []
    functions = 0
    for file in files_below(tree, area):
        text = tree.read(file)
        for item in definitions(text):
            piece = text[item.start : item.end]
            if item.kind != "function" or CONDITION.search(piece):
                continue
            functions += 1
            masked = mask(piece, loops)
            assert len(masked) == len(piece)
            assert masked.count(b"\n") == piece.count(b"\n")
            root = parser.parse(masked).root_node
            if root.has_error or root.named_children[0].type != "function_definition":
                failing.append(f"{file}:{item.line}: {item.name}()")
    assert functions > 100
    assert len(failing) <= functions // 1000, failing
