# SPDX-License-Identifier: GPL-2.0-or-later
"""What a change can hold on to in a function with a section: found by its text, line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from .scan import BEGIN, LEAVE, UNLOCK, Function

_LOCK = re.compile(
    r"\b(?:pte_offset_map_lock|pte_alloc_map_lock|pmd_lock)\(|^\s*(?:spin_lock|double_pt_lock)\w*\("
)
_LOOP = re.compile(r"^\s*(?:for|while|do|\w*for_each\w*)\b")
_DECLARATION = re.compile(
    r"^\s*(?:const |static |unsigned |signed |struct |union |enum )*"
    r"(?!return|goto|else|if|for|while|do|switch|case)[A-Za-z_]\w*\s+\*{0,2}[A-Za-z_]\w*"
    r"(?:\[[^\]]*\])?\s*(?:=|,|;)"
)
_JUMP = re.compile(r"[{}]|^\s*(?:return|goto|break|continue)\b|^\w+:")


@dataclass(frozen=True)
class Section:
    """A function with a section, and places and names in it.

    Lines are those of the file, counted from one; where there is none of a kind it is None.
    waits: whether its own code may wait in it: an architecture whose begin pins nothing knows so;
    guards: macros for guards that the tree defines.
    """

    function: Function
    waits: bool = False
    guards: frozenset[str] = frozenset()

    @cached_property
    def begins(self) -> list[int]:
        """The lines of calls that begin a section."""
        return self.function.begins

    @cached_property
    def leaves(self) -> list[int]:
        """The lines of calls that end one."""
        return self.function.leaves

    @property
    def counted(self) -> bool:
        """Whether the tree counts sections, so that they may nest and be paused (since v7.0)."""
        return self.text(self.begins[0]).startswith(BEGIN[1])

    @property
    def begin(self) -> str:
        """The name of the call that begins a section."""
        return BEGIN[self.counted]

    @property
    def leave(self) -> str:
        """The name of the call that ends one."""
        return LEAVE[self.counted]

    @property
    def in_arch(self) -> str:
        """The architecture whose code it is, empty for generic code."""
        return self.function.arch

    def text(self, line: int) -> str:
        """A line without its indentation."""
        return self.function.line(line).strip()

    def indent(self, line: int) -> int:
        """How many tabs a line begins with."""
        row = self.function.line(line)
        return len(row) - len(row.lstrip("\t"))

    @property
    def plain(self) -> bool:
        """Whether no call of the mode is all of an if or a loop without braces."""
        calls = [*self.begins, *self.leaves]
        return all(re.search(r"[;{}:]\s*$|^\s*$", self.function.line(n - 1)) for n in calls)

    @property
    def after(self) -> int:
        """The line after the first begin."""
        return self.begins[0] + 1

    @cached_property
    def region(self) -> tuple[int, int] | None:
        """Begin and leave, where they stand at the same depth with nothing of the mode between."""
        if len(self.begins) != 1 or len(self.leaves) != 1:
            return None
        begin, leave = self.begins[0], self.leaves[0]
        rows = [self.function.line(line) for line in range(begin + 1, leave)]
        deep = self.indent(begin)
        flat = all(
            not row.strip() or self._deep(row) >= deep or row.endswith(":") or row.startswith("#")
            for row in rows
        )
        return (begin, leave) if deep == self.indent(leave) and flat else None

    @cached_property
    def block(self) -> tuple[int, int] | None:
        """The region, where it can be a block: no label may stand at the end of one."""
        if self.region is None or self.text(self.region[1] - 1).endswith(":"):
            return None
        return self.region

    @staticmethod
    def _deep(row: str) -> int:
        return len(row) - len(row.lstrip("\t"))

    @cached_property
    def loop(self) -> int | None:
        """The first line of a statement in the body of the section's first loop."""
        begin, last = self.begins[0], self.leaves[-1]
        for line in range(begin + 1, last):
            if not _LOOP.match(self.function.line(line)):
                continue
            for body in range(line, min(line + 6, last)):
                if re.search(r"\{\s*$", self.function.line(body)):
                    return self._statement(body + 1)
                if re.search(r";\s*$", self.function.line(body)):
                    break
        return None

    def _statement(self, line: int) -> int:
        """The first line from `line` on that declares nothing."""
        while line < self.function.last:
            row = self.function.line(line)
            if row.strip() and not _DECLARATION.match(row):
                return line
            while row.strip() and not row.rstrip().endswith(";"):
                line += 1
                row = self.function.line(line)
            line += 1
        return line

    @cached_property
    def lock(self) -> int | None:
        """The first line of the statement that takes the lock, where it stands shortly before."""
        begin = self.begins[0]
        for line in range(begin - 1, max(begin - 16, self.function.first), -1):
            if _LOCK.search(self.function.line(line)):
                while not re.search(r"[;{}:]\s*$|^\s*$", self.function.line(line - 1)):
                    line -= 1
                return None if self.text(line).startswith("if") else line
        return None

    def unlock_after(self, leave: int) -> int | None:
        """The first unlock after a leave, if nothing but statements stands between them."""
        call = re.compile(rf"^\s*(?:{'|'.join(UNLOCK)})\(.*;\s*$")
        for line in range(leave + 1, min(leave + 8, self.function.last)):
            text = self.function.line(line)
            if call.match(text):
                return None if self.text(line - 1).startswith("if") else line
            if _JUMP.search(text):
                return None
        return None

    @cached_property
    def unlock(self) -> int | None:
        """The unlock after the last leave."""
        return self.unlock_after(self.leaves[-1])

    @cached_property
    def _outer(self) -> str:
        """Head of the function, and what is declared in its outermost block."""
        rows = self.function.text
        return "\n".join(row for row in rows if not row.startswith("\t\t") or row[-1:] in ",)")

    def _declared(self, pattern: str) -> str | None:
        found = re.search(pattern, self._outer)
        return found[1] if found else None

    @cached_property
    def vma(self) -> str | None:
        """A variable for the area."""
        return self._declared(r"struct vm_area_struct \*(\w+)")

    @cached_property
    def mm(self) -> str | None:
        """An expression for the address space."""
        owner = self._declared(r"struct mm_struct \*(\w+)")
        if owner or self.vma:
            return owner or f"{self.vma}->vm_mm"
        return "&init_mm" if "init_mm" in self.function.words() else None

    @cached_property
    def address(self) -> str:
        """An expression for the address."""
        return self._declared(r"unsigned long (\w*addr\w*)") or "0"

    @cached_property
    def entry(self) -> str | None:
        """A variable that points to an entry, declared in the outermost block or the head."""
        name = self.function.entry
        return name if name and re.search(rf"\*{name}\b", self._outer) else None

    @cached_property
    def middle(self) -> str | None:
        """A variable that points to an entry one level up."""
        return self._declared(r"\bpmd_t \*(\w+)")

    @property
    def value(self) -> str:
        """What a return has after it."""
        return " 0" if self.function.returns_value else ""
