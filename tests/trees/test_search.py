# SPDX-License-Identifier: GPL-2.0-or-later
"""`sections` against a plain search: who calls the mode is in the table, or it is known why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import lazymmu
from lazymmu.contract import vocabulary
from lazymmu.kernelc.arch_profile import PROFILES
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.program import Program
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source import arch_hooks

_CALL = re.compile(
    rb"\b(?:arch_(?:enter|leave|flush)_lazy_mmu_mode|lazy_mmu_mode_(?:enable|disable|pause|resume))"
    rb"[ \t]*\("
)
_FLUSH = re.compile(rb"\barch_flush_lazy_mmu_mode[ \t]*\(")
_NAME = re.compile(rb"(\w+)[ \t]*\(")
_MACRO = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)")
_API = "include/linux/pgtable.h"
_OTHERS = ("tools/", "Documentation/", "samples/", "scripts/")


def searched(root: Path) -> dict[tuple[str, str], list[int]]:
    """Lines that call the mode, by file and by the function around: the last that began a line."""
    found: dict[tuple[str, str], list[int]] = {}
    for path in sorted((*root.rglob("*.c"), *root.rglob("*.h"))):
        rel = path.relative_to(root).as_posix()
        text = path.read_bytes() if path.is_file() and not rel.startswith(_OTHERS) else b""
        if b"lazy_mmu_mode" not in text:
            continue
        around = macro = b""
        for number, line in enumerate(text.split(b"\n"), 1):
            if line[:1].isalpha() or line[:1] == b"_":
                if b"(" in line and not line.rstrip().endswith((b":", b";")):
                    around = line
            elif _CALL.search(line) and not line.lstrip().startswith((b"*", b"/*", b"//")):
                name = _NAME.search(around)
                key = rel, (macro or (name[1] if name is not None else b"")).decode()
                found.setdefault(key, []).append(number)
            define = _MACRO.match(line)
            macro = define[1] if define is not None else macro
            macro = macro if line.endswith(b"\\") else b""
    return found


@cache
def seen(root: Path, arch: str) -> tuple[ConfiguredTree, frozenset[tuple[str, str]]]:
    """One machine's view, and the functions of its implementation of the mode."""
    view = ConfiguredTree(Tree.open(root), PROFILES[arch])
    found = arch_hooks.find(view, Program(view), vocabulary.load())
    return view, frozenset((item.file, item.name) for item in found.definitions)


def used(view: ConfiguredTree, macro: str) -> bool:
    """Whether something that is compiled has the name of a macro."""
    name = macro.encode()
    return any(
        view.headers.selection(rel).is_compiled(match.start())
        for rel in view.built
        if name in (text := view.tree.read(rel))
        for match in re.finditer(rb"\b%s\b" % name, text)
    )


def explained(root: Path, file: str, function: str, lines: list[int]) -> bool:
    """Whether a function has no section: the API, an implementation, not compiled, only a flush."""
    if file == _API:
        return True
    text = (root / file).read_bytes().split(b"\n")
    if all(_FLUSH.search(text[line - 1]) for line in lines):
        return True
    for arch, profile in PROFILES.items():
        if file.startswith(f"arch/{profile.arch_dir}/"):
            view, implementation = seen(root, arch)
            if (file, function) in implementation:
                return True
            if file.endswith(".h") and file not in view.headers.selections:
                return True
            if file.endswith(".c") and view.why(file) is not None:
                return True
            starts = [len(b"\n".join(text[: line - 1])) + 1 for line in lines]
            selection = view.headers.selection(file)
            if not any(selection.is_compiled(start) for start in starts):
                return True
            return view.headers.macros.get(function) is not None and not used(view, function)
    return file.startswith("arch/")


@pytest.mark.parametrize(
    "version", ["5.10", "6.1", "6.12", "6.12.8", "6.18.15", "7.1.13", "7.2.8", "7.3"]
)
def test_who_calls_the_mode_is_in_the_table(
    kernel_tree: Callable[[str], Path], version: str
) -> None:
    """Nothing that a search finds is missing, and nothing else is there."""
    root = kernel_tree(version)
    found = searched(root)
    table = {(row.file, row.function) for row in lazymmu.sections(root, jobs=2)}
    assert len(table) > 10
    assert table <= set(found)
    missing = {place: lines for place, lines in found.items() if place not in table}
    assert [place for place, lines in missing.items() if not explained(root, *place, lines)] == []
