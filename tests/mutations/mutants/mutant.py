# SPDX-License-Identifier: GPL-2.0-or-later
"""A change that is planted: what kind it is, the lines that it changes, and the rules that name it.

In every text `@` stands for the number of the change, so that two of them can be in one tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from .section import Section

UNBALANCED = frozenset({"unbalanced-section", "nested-section"})
OUTSIDE = frozenset({"section-outside-lock", "unlock-before-flush"})
LEAKED = UNBALANCED | OUTSIDE
MISUSED = OUTSIDE | {
    *("unbalanced-section", "unbalanced-pause"),
    *("bh-across-section", "section-in-interrupt"),
}
SLEEP = frozenset({"sleep-in-section"})
NESTED = frozenset({"nested-section"})

NO_RULES: frozenset[str] = frozenset()
"""Of a change that is no mistake: whoever reports it raises a false alarm."""

FAR_FILES = ("mm/util.c", "mm/memory.c")
"""Files that every kernel builds; what a far helper does must be looked up there. The first that a
tree has is taken: the examples have but one of them."""

API_FILE = "include/linux/pgtable.h"
"""Where the calls of the mode are, in trees that count sections."""

GUARD_FILE = "include/linux/cleanup.h"
"""Where guards are defined, in trees since v6.5 and in some stable ones."""

Edit = tuple[int, str]
"""A line, and the text that stands before it or in its place, with the indentation of it."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a change defines outside of its function.

    near: at the top of the same file; header: in a header of its own, which the file includes; far:
    in one of `FAR_FILES`; api: beside the calls of the mode in `API_FILE`, the name of a function
    that is defined where there is the mode, and stands for nothing elsewhere.
    """

    near: str = ""
    header: str = ""
    far: str = ""
    api: str = ""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function.

    replace: lines that become another text, gone where that is empty; insert: texts before a line.
    arch: the architecture that shows it, empty for any that builds the file. No rules: the change
    is no mistake.
    """

    kind: str
    section: Section
    rules: frozenset[str]
    replace: tuple[Edit, ...] = ()
    insert: tuple[Edit, ...] = ()
    code: Code = Code()
    arch: str = ""
    number: int = field(default=0, compare=False)

    @property
    def file(self) -> str:
        """The file that it changes."""
        return self.section.function.file

    @property
    def function(self) -> str:
        """The function that it changes."""
        return self.section.function.name

    @property
    def name(self) -> str:
        """How a miss is printed."""
        place = min(line for line, _ in (*self.replace, *self.insert))
        return f"{self.kind}: {self.file}:{place}: {self.function}()"


class Plant(Protocol):
    """Makes a change of one family: its kind, and what it inserts where."""

    def __call__(
        self,
        kind: str,
        text: str,
        *,
        place: int | None = None,
        near: str = "",
        header: str = "",
        far: str = "",
    ) -> Mutant:
        """Make one; without a place behind the begin."""
