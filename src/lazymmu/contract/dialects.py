# SPDX-License-Identifier: GPL-2.0-or-later
"""Dialects: what a tree's own text says about the lazy MMU mode, as a row of features.

A dialect is detected from what include/linux/pgtable.h says and defines, never from a version:
stable and distribution kernels backport parts of the text and of the code.

Sources: the comments above the mode's API in include/linux/pgtable.h, changed by 691ee97e1a9d
("mm: fix lazy mmu docs and usage") (in v6.15, and in 6.12.y) and 5ab246749569 ("mm: enable lazy_mmu
sections to nest") (in v7.0).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from lazymmu.contract import dialect_clauses as read

if TYPE_CHECKING:
    from collections.abc import Collection


class Status(StrEnum):
    """What a dialect makes of a rule: written down, following from the rest, or not valid."""

    DOCUMENTED = "documented"
    IMPLIED = "implied"
    OFF = "off"


class Nesting(StrEnum):
    """What the text says about a section inside a section."""

    SILENT = "silent"
    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"


class LockGuarantee(StrEnum):
    """What the text promises about locks between the two ends of a section.

    REQUIRED: the page-table locks of all tables that may be modified; PRACTICE: none in general,
    those of user mappings in practice.
    """

    REQUIRED = "required"
    PRACTICE = "practice"


class Interrupts(StrEnum):
    """What the text says about interrupt context: nothing, forbidden, or calls do nothing there."""

    SILENT = "silent"
    FORBIDDEN = "forbidden"
    NO_OP = "no-op"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One state of the text and the API.

    :param name: what --dialect takes.
    :param label: for humans.
    :param generic_api: the mode's calls are generic and keep counters in the task
        (lazy_mmu_mode_enable() and the like).
    :param pause: pause and resume exist.
    :param task_pause: __task_lazy_mmu_mode_pause() and _resume() exist.
    :param sleep: the text forbids to sleep.
    :param pairing: the text asks for pairs.
    :param nesting: see there.
    :param locks: likewise.
    :param interrupts: likewise.
    """

    name: str
    label: str
    nesting: Nesting
    locks: LockGuarantee
    interrupts: Interrupts
    sleep: bool = False
    pairing: bool = False
    generic_api: bool = False
    pause: bool = False
    task_pause: bool = False

    @property
    def may_nest(self) -> bool:
        """Whether a section may begin inside a section."""
        return self.nesting is Nesting.ALLOWED

    @property
    def features(self) -> tuple[object, ...]:
        """Everything but the name and the label: what two dialects are compared by."""
        return (
            self.nesting,
            self.locks,
            self.interrupts,
            self.sleep,
            self.pairing,
            self.generic_api,
            self.pause,
            self.task_pause,
        )


PTL_HELD = Dialect(
    name="ptl-held",
    label="page-table locks required; silent on nesting, sleeping and interrupts (6.1, 6.12.8)",
    nesting=Nesting.SILENT,
    locks=LockGuarantee.REQUIRED,
    interrupts=Interrupts.SILENT,
)

NO_NESTING = Dialect(
    name="no-nesting",
    label="no lock guaranteed, nesting and interrupts forbidden (6.15 to 6.19, 6.12.38)",
    nesting=Nesting.FORBIDDEN,
    locks=LockGuarantee.PRACTICE,
    interrupts=Interrupts.FORBIDDEN,
)

COUNTED = Dialect(
    name="counted",
    label="generic API with counters: nesting, pause and resume, no sleeping (7.0, 7.1)",
    nesting=Nesting.ALLOWED,
    locks=LockGuarantee.PRACTICE,
    interrupts=Interrupts.NO_OP,
    sleep=True,
    pairing=True,
    generic_api=True,
    pause=True,
)

COUNTED_TASK = replace(
    COUNTED,
    name="counted-task",
    label="as counted, and another task's mode can be paused by the architecture (7.2 on)",
    task_pause=True,
)

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (PTL_HELD, NO_NESTING, COUNTED, COUNTED_TASK)
}
"""The dialects that kernel.org releases speak, oldest first."""


def detect(comment: str, defines: Collection[str]) -> Dialect:
    """The dialect that a tree speaks.

    `comment` is the text of the comment above the mode's API in include/linux/pgtable.h, `defines`
    the names that the header defines.  A mixture that no kernel.org release speaks keeps the
    features found and is named after the nearest release dialect with a "+".
    """
    said = read.clauses(comment)
    generic_api = "lazy_mmu_mode_enable" in defines
    if read.forbids_nesting(said):
        nesting = Nesting.FORBIDDEN
    elif read.permits_nesting(said):
        nesting = Nesting.ALLOWED
    else:
        # Counters are what makes nesting work; a text that forgot to say so does not undo them.
        nesting = Nesting.ALLOWED if generic_api else Nesting.SILENT
    if read.ignores_interrupts(said):
        interrupts = Interrupts.NO_OP
    elif read.forbids_interrupts(said):
        interrupts = Interrupts.FORBIDDEN
    else:
        interrupts = Interrupts.SILENT
    no_lock = read.promises_no_lock(said)
    found = Dialect(
        name="",
        label="",
        nesting=nesting,
        locks=LockGuarantee.PRACTICE if no_lock else LockGuarantee.REQUIRED,
        interrupts=interrupts,
        sleep=read.forbids_sleeping(said),
        pairing=read.asks_for_pairs(said),
        generic_api=generic_api,
        pause="lazy_mmu_mode_pause" in defines,
        task_pause="__task_lazy_mmu_mode_pause" in defines,
    )
    return _named(found)


def _named(found: Dialect) -> Dialect:
    """`found` with the name and label of the release dialect that shares most features with it."""

    def shared(dialect: Dialect) -> int:
        return sum(a == b for a, b in zip(dialect.features, found.features, strict=True))

    candidates = [d for d in DIALECTS.values() if d.generic_api == found.generic_api]
    nearest = max(candidates, key=shared)
    if nearest.features == found.features:
        return nearest
    return replace(
        found,
        name=f"{nearest.name}+",
        label=f"a mixture, nearest to {nearest.name}: {nearest.label}",
    )
