# SPDX-License-Identifier: GPL-2.0-or-later
"""Which dialect a tree speaks is read from what it says and defines, never from its version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lazymmu.contract.dialects import (
    COUNTED,
    COUNTED_TASK,
    DIALECTS,
    NO_NESTING,
    PTL_HELD,
    Dialect,
    Interrupts,
    LockGuarantee,
    Nesting,
    detect,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = "Enter and leave this mode under the protection of the page table locks."
MIDDLE = """
 * No lock is guaranteed to be held here. Nesting is not
 * permitted, and it cannot be used in interrupt context.
"""
NEW = """
 * No lock is guaranteed to be held. Generic code may not sleep in it. The mode is
 * disabled in interrupt context. It is on for a block of code using two calls.
 * Nesting is permitted.
"""
API = {"lazy_mmu_mode_enable", "lazy_mmu_mode_pause"}


@pytest.mark.parametrize(
    ("comment", "defines", "dialect"),
    [
        (OLD, set(), PTL_HELD),
        ("", set(), PTL_HELD),
        (MIDDLE, {"arch_enter_lazy_mmu_mode"}, NO_NESTING),
        (NEW, API, COUNTED),
        (NEW, API | {"__task_lazy_mmu_mode_pause"}, COUNTED_TASK),
    ],
)
def test_the_text_and_the_names_decide(comment: str, defines: set[str], dialect: Dialect) -> None:
    """Each dialect of a release is found by its marks, whatever the line breaks."""
    assert detect(comment, defines) == dialect


def test_a_mixture_keeps_its_features_and_the_nearest_name() -> None:
    """A distribution that took the nesting clause alone is judged by what it has."""
    found = detect(OLD + " Nesting is not permitted.", set())
    assert found.name == "ptl-held+"
    assert found.nesting is Nesting.FORBIDDEN
    assert found.locks is LockGuarantee.REQUIRED
    assert found.interrupts is Interrupts.SILENT


def test_counters_allow_nesting_even_where_the_text_forgot() -> None:
    """A tree whose API counts cannot forbid what it counts."""
    assert detect("No lock is guaranteed.", API).may_nest


def test_names_of_dialects_are_unique_and_features_differ() -> None:
    """No two dialects are the same row."""
    rows = [dialect.features for dialect in DIALECTS.values()]
    assert len(set(rows)) == len(DIALECTS)
    assert list(DIALECTS) == [dialect.name for dialect in DIALECTS.values()]


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("6.1.176", "ptl-held"),
        ("6.12.8", "ptl-held"),
        ("6.12.38", "no-nesting"),
        ("6.17.8", "no-nesting"),
        ("6.19.6", "no-nesting"),
        ("7.1.13", "counted"),
        ("7.3", "counted-task"),
    ],
)
def test_real_trees_speak_the_dialect_of_their_text(
    kernel_tree: Callable[[str], Path], version: str, name: str
) -> None:
    """6.12.8 and 6.12.38 differ: the text was backported."""
    text = (kernel_tree(version) / "include/linux/pgtable.h").read_text(encoding="utf-8")
    at = text.index("lazy MMU batching")
    comment = text[text.rindex("/*", 0, at) : text.index("*/", at)]
    defines = set(re.findall(r"^(?:static inline \w+ |#\s*define\s+)(\w+)\s*\(", text, re.M))
    assert detect(comment, defines).name == name
