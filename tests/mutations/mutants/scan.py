# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the functions of a tree that use the mode, by reading text.

This is no part of lazymmu and shares no code with it: it is what lazymmu is measured against. It
knows that kernel functions begin and end with a brace in column one, and no more C than that.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGIN = ("arch_enter_lazy_mmu_mode", "lazy_mmu_mode_enable")
LEAVE = ("arch_leave_lazy_mmu_mode", "lazy_mmu_mode_disable")
UNLOCK = ("pte_unmap_unlock", "spin_unlock", "double_pt_unlock")

# Where C of the kernel with sections can be; host programs and texts are not it.
PLACES = ("mm", "fs", "kernel", "lib", "drivers", "block", "arch")

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'", re.S)
_NAME = re.compile(r"\b(?!(?:defined|if|__\w*attribute__|sizeof|typeof|asm)\b)([A-Za-z_]\w*)\s*\(")
_POINTERS = re.compile(r"\bpte_t\s+(\*+\w+(?:\s*=[^,;]*)?(?:\s*,\s*\*?\w+(?:\s*=[^,;]*)?)*)")
_ACCESS = re.compile(r"\b\w*(?:pte|ptep|ptes)_?\w*\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Function:
    """A function that uses the mode: lines are counted from one, `last` is that of its brace."""

    file: str
    name: str
    head: int
    first: int
    last: int
    text: tuple[str, ...]
    """The lines from `head` on, with comments and strings blanked."""

    @property
    def arch(self) -> str:
        """The architecture whose code it is, empty for generic code."""
        found = re.match(r"arch/(\w+)/", self.file)
        return found[1] if found else ""

    def find(self, names: tuple[str, ...]) -> list[int]:
        """The lines on which one of `names` is called as a statement of its own."""
        call = re.compile(rf"^\s*(?:{'|'.join(names)})\(.*\);\s*$")
        return [self.head + i for i, line in enumerate(self.text) if call.match(line)]

    def line(self, number: int) -> str:
        """One line of the function, comments blanked."""
        return self.text[number - self.head]

    @property
    def begins(self) -> list[int]:
        """Lines of the statements that begin a section."""
        return self.find(BEGIN)

    @property
    def leaves(self) -> list[int]:
        """Lines of the statements that end one."""
        return self.find(LEAVE)

    @property
    def returns_value(self) -> bool:
        """Whether a bare `return;` would not do."""
        head = " ".join(self.text[: self.first - self.head])
        return not re.search(rf"\bvoid\s+{self.name}\s*\(", head)

    @property
    def ignored(self) -> bool:
        """Whether the first begin does nothing: from v7.0 on so it is while softirqs are off.

        include/linux/pgtable.h, lazy_mmu_mode_enable(): in_interrupt() is true there.
        """
        if not self.begins or BEGIN[1] not in self.line(self.begins[0]):
            return False
        before = "\n".join(self.text[: self.begins[0] - self.head])
        off, on = (r"\b\w*(?:_lock_bh|bh_disable)\(", r"\b\w*(?:_unlock_bh|bh_enable)\(")
        return len(re.findall(off, before)) > len(re.findall(on, before))

    def words(self) -> set[str]:
        """Every word of head and body."""
        return set(re.findall(r"\w+", "\n".join(self.text)))

    @property
    def entry(self) -> str | None:
        """A variable that points to an entry, the one that is used most where the section is."""
        text = "\n".join(self.text)
        names = re.findall(r"(?<!\*)\*(\w+)", " ".join(_POINTERS.findall(text)))
        section = "\n".join(self.text[self.begins[0] - self.head :]) if self.begins else text
        names = [name for name in names if not re.match("start|orig|mapped|base", name)] or names
        used = [word for args in _ACCESS.findall(section) for word in re.findall(r"\w+", args)]
        return max(names, key=used.count, default=None)


def blank(text: str) -> str:
    """The text with comments and strings blanked, each line where it was."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def functions(file: str, text: str) -> Iterator[Function]:
    """Every function of a file: a brace in column one, and the line before that it belongs to."""
    lines = blank(text).split("\n")
    for opening, line in enumerate(lines):
        if not line.startswith("{"):
            continue
        head = opening
        while head and not lines[head - 1].strip():
            head -= 1
        while head and lines[head - 1].strip() and not re.match(r"[#}]|.*;\s*$", lines[head - 1]):
            head -= 1
        name = _NAME.search(" ".join(lines[head:opening]))
        closing = next(
            (i for i in range(opening, len(lines)) if lines[i].startswith("}")), len(lines) - 1
        )
        if name:
            yield Function(
                file, name[1], head + 1, opening + 1, closing + 1, tuple(lines[head : closing + 1])
            )


def files(tree: Path) -> list[str]:
    """The C files of a tree whose text has a call that begins a section."""
    words = [option for name in BEGIN for option in ("-e", f"{name}()")]
    found = subprocess.run(
        ["grep", "-rlF", "--include=*.c", *words, *(p for p in PLACES if (tree / p).is_dir())],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    return sorted(found.stdout.split())


def sections(tree: Path) -> list[Function]:
    """Every function of a tree with a section of its own: it begins one before it leaves one.

    Context-switch hooks begin one and never leave, or leave first; both belong to the mode's
    implementation. Callbacks that leave and begin again run in the section of another function.
    """
    result = []
    for file in files(tree):
        text = (tree / file).read_text(errors="replace")
        for function in functions(file, text):
            begins, leaves = function.begins, function.leaves
            if begins and leaves and begins[0] < leaves[0] and not function.ignored:
                result.append(function)
    return result


def pins(tree: Path, arch: str) -> bool:
    """Whether an architecture disables preemption where a section begins."""
    folder = tree / "arch" / arch
    found = [*folder.glob("include/asm/**/*.h"), *folder.glob("mm/**/*.c")]
    for path in found:
        text = path.read_text(errors="replace")
        if BEGIN[0] in text and "preempt_disable" in text:
            for function in functions(path.name, text):
                if function.name == BEGIN[0] and "preempt_disable" in function.words():
                    return True
    return False
