# SPDX-License-Identifier: GPL-2.0-or-later
"""The deferral table: an implementation is known by its words; its row says who is hurt."""

from __future__ import annotations

import pytest

from lazymmu.contract.deferral import ROWS, Inner, Row, harm, row
from lazymmu.contract.rules import RULES

ALL_ROWS = [each for rows in ROWS.values() for each in rows]


@pytest.mark.parametrize(
    ("arch", "words", "enter", "name"),
    [
        ("x86", {"enter_lazy", "PARAVIRT_LAZY_MMU"}, {"enter_lazy"}, "xen-exclusive"),
        ("x86", {"XEN_LAZY_MMU", "xen_lazy_nesting"}, {"enter_lazy"}, "xen-nesting-count"),
        ("x86", {"XEN_LAZY_MMU"}, {"preempt_disable", "XEN_LAZY_MMU"}, "xen-cpu-mode"),
        ("x86", {"xen_mc_flush", "preempt_disable"}, set(), "xen-task"),
        ("powerpc", {"active", "this_cpu_ptr"}, {"active"}, "hash-unpinned"),
        ("powerpc", {"active"}, {"preempt_disable"}, "hash-active"),
        ("powerpc", {"preempt_disable"}, {"preempt_disable"}, "hash-counted"),
        ("sparc", {"active", "preempt_disable"}, {"active"}, "sparc-unpinned"),
        ("sparc", {"active", "preempt_disable"}, {"preempt_disable"}, "sparc-active"),
        ("sparc", {"preempt_disable"}, {"preempt_disable"}, "sparc-counted"),
        ("arm64", {"TIF_LAZY_MMU", "TIF_LAZY_MMU_PENDING"}, set(), "arm64-flag"),
        ("arm64", {"TIF_LAZY_MMU_PENDING"}, set(), "arm64-counted"),
    ],
)
def test_an_implementation_is_known_by_its_words(
    arch: str, words: set[str], enter: set[str], name: str
) -> None:
    """Pinning is read from the enter hook alone: below a flush somebody always pins."""
    assert row(arch, words, enter).name == name


def test_without_the_hooks_own_words_all_words_count() -> None:
    """A reader that does not separate them gets the simple answer."""
    assert row("sparc", {"active", "preempt_disable"}).name == "sparc-active"


def test_an_architecture_without_the_mode_has_no_row() -> None:
    """Asking for it is a mistake that says so."""
    with pytest.raises(ValueError, match="no architecture `riscv`"):
        row("riscv", set())


def test_names_of_rows_are_unique() -> None:
    """A row can be named in a finding."""
    assert len({each.name for each in ALL_ROWS}) == len(ALL_ROWS)
    assert all(each.arch == arch for arch, rows in ROWS.items() for each in rows)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_an_answer_on_every_row(name: str) -> None:
    """One sentence without a full stop, or None; never a missing case."""
    for each in ALL_ROWS:
        for space in ("user", "kernel", "unknown"):
            said = harm(name, each, space)
            assert said is None or (said and not said.endswith("."))


def test_an_unknown_space_hurts_whom_some_space_hurts() -> None:
    """Not knowing whose mapping it is never clears anybody."""
    for name in RULES:
        for each in ALL_ROWS:
            if harm(name, each, "user") or harm(name, each, "kernel"):
                assert harm(name, each, "unknown"), (name, each.name)


def _hurt(rule: str, space: str, *rows: Row, detail: str = "") -> set[str]:
    return {each.name for each in rows if harm(rule, each, space, detail)}


def test_sleeping_hurts_who_pins() -> None:
    """kasan's allocation on x86 breaks the text; on powerpc hash it would be a sleep in atomic."""
    assert _hurt("sleep-in-section", "kernel", *ALL_ROWS) == {
        "hash-active",
        "hash-counted",
        "sparc-unpinned",
        "sparc-active",
        "sparc-counted",
    }


def test_reads_and_mixed_writes_hurt_who_defers_the_store() -> None:
    """Only Xen PV does."""
    xen = {each.name for each in ROWS["x86"]}
    for rule in ("stale-read", "mixed-write"):
        assert _hurt(rule, "user", *ALL_ROWS) == xen


def test_a_tlb_flush_in_a_section_hurts_nobody_in_the_tree() -> None:
    """R13: Xen keeps the order, powerpc's and sparc's flushes do nothing, arm64 stores at once."""
    assert not _hurt("tlb-flush-in-section", "unknown", *ALL_ROWS)


def test_an_early_unlock_of_kernel_entries_hurts_xen_alone() -> None:
    """kasan's callbacks drop init_mm.page_table_lock too early."""
    xen = {each.name for each in ROWS["x86"]}
    assert _hurt("unlock-before-flush", "kernel", *ALL_ROWS) == xen
    assert "sparc-unpinned" in _hurt("unlock-before-flush", "user", *ALL_ROWS)


def test_taking_the_lock_inside_the_section_is_the_harmless_end() -> None:
    """It breaks the text; dropping it inside is what hurts."""
    assert not _hurt("section-outside-lock", "user", *ALL_ROWS, detail="takes")
    assert _hurt("section-outside-lock", "user", *ALL_ROWS, detail="drops")


def test_nesting_hurts_by_a_bug_or_by_lost_batching() -> None:
    """Xen meets BUG_ON(), the others lose what the mode is for, counters lose nothing."""
    for each in ALL_ROWS:
        said = harm("nested-section", each, "kernel")
        if each.inner is Inner.COUNTED or (each.arch == "sparc"):
            assert said is None
        else:
            assert said is not None
            assert ("BUG_ON" in said) == (each.arch == "x86")


def test_sparc_is_not_concerned_by_kernel_mappings() -> None:
    """They never enter its batch."""
    for each in ROWS["sparc"]:
        assert harm("free-before-flush", each, "kernel") is None
        assert harm("free-before-flush", each, "user") is not None
