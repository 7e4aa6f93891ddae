# SPDX-License-Identifier: GPL-2.0-or-later
"""The deferral table: an implementation is known by its words; its row says who is hurt."""

from __future__ import annotations

import pytest

from lazymmu.contract.deferral import (
    HYPOTHETICAL_ROWS,
    NONE,
    RELEASES,
    ROW_BY_NAME,
    ROWS,
    S390_POSTED,
    WORST_CASE,
    DeferralRow,
    Interrupt,
    NestedSection,
    OnContextSwitch,
    allowed,
    classify,
    cost_sentence,
    demonstrated_by,
    harm_sentence,
    release_of,
    severity_table,
)
from lazymmu.contract.dialects import DIALECTS, LockGuarantee
from lazymmu.contract.rules import RULES, RuleKind

ALL_ROWS = [each for rows in ROWS.values() for each in rows]
WORST = [each for pair in WORST_CASE.values() for each in pair]


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
        ("arm64", {"TIF_LAZY_MMU", "VM_WARN_ON"}, {"VM_WARN_ON"}, "arm64-warns"),
        ("arm64", {"TIF_LAZY_MMU", "TIF_LAZY_MMU_PENDING"}, set(), "arm64-flag"),
        ("arm64", {"TIF_LAZY_MMU_PENDING"}, set(), "arm64-counted"),
    ],
)
def test_an_implementation_is_known_by_its_words(
    arch: str, words: set[str], enter: set[str], name: str
) -> None:
    """Pinning is read from the enter hook alone: below a flush somebody always pins."""
    assert classify(arch, words, enter).name == name


def test_without_the_hooks_own_words_all_words_count() -> None:
    """A reader that does not separate them gets the simple answer."""
    assert classify("sparc", {"active", "preempt_disable"}).name == "sparc-active"


def test_an_architecture_without_the_mode_has_no_row() -> None:
    """Asking for it is a mistake that says so."""
    with pytest.raises(ValueError, match="no architecture `riscv`"):
        classify("riscv", set())


def test_names_of_rows_are_unique() -> None:
    """A row can be named in a finding, and found by its name."""
    tables = (*ROWS.items(), *HYPOTHETICAL_ROWS.items())
    every = [each for _, rows in tables for each in rows]
    assert list(ROW_BY_NAME) == [each.name for each in every]
    assert len(ROW_BY_NAME) == len(every)
    assert all(each.arch == arch for arch, rows in tables for each in rows)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_an_answer_on_every_row(name: str) -> None:
    """One sentence without a full stop, or None; never a missing case."""
    for each in ROW_BY_NAME.values():
        for space in ("user", "kernel", "unknown"):
            said = harm_sentence(name, each, space)
            assert said is None or (said and not said.endswith("."))


def test_an_unknown_space_hurts_whom_some_space_hurts() -> None:
    """Not knowing whose mapping it is never clears anybody."""
    for name in RULES:
        for each in ALL_ROWS:
            if harm_sentence(name, each, "user") or harm_sentence(name, each, "kernel"):
                assert harm_sentence(name, each, "unknown"), (name, each.name)


def _hurt(rule: str, space: str, *rows: DeferralRow, detail: str = "") -> set[str]:
    return {each.name for each in rows if harm_sentence(rule, each, space, detail)}


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
    """Reads and mixed writes hurt only who defers the store itself, which is Xen PV."""
    xen = {each.name for each in ROWS["x86"]}
    for rule in ("stale-read", "mixed-write"):
        assert _hurt(rule, "user", *ALL_ROWS) == xen


def test_a_tlb_flush_in_a_section_hurts_nobody_in_the_tree() -> None:
    """R13: Xen keeps the order, powerpc's and sparc's flushes do nothing, arm64 stores at once."""
    assert not _hurt("tlb-flush-in-section", "unknown", *ALL_ROWS)


def test_an_early_unlock_of_kernel_entries_hurts_xen_and_powerpc() -> None:
    """The late store Xen, as in kasan's callbacks; an invalidation that waits powerpc hash."""
    late, held = ({"detail": what} for what in ("write", "invalidation"))
    xen, powerpc = ({each.name for each in ROWS[arch]} for arch in ("x86", "powerpc"))
    assert _hurt("unlock-before-flush", "kernel", *ALL_ROWS, **late) == xen
    assert _hurt("unlock-before-flush", "kernel", *ALL_ROWS, **held) == powerpc
    assert "sparc-unpinned" in _hurt("unlock-before-flush", "user", *ALL_ROWS)


def test_a_lock_inside_the_section_hurts_by_what_is_pending_alone() -> None:
    """It breaks the text; who is hurt, is so by the write that was pending when it was dropped."""
    for detail in ("takes", "drops", "writes"):
        assert not _hurt("section-outside-lock", "user", *ALL_ROWS, detail=detail)
    assert {
        each.arch for each in ALL_ROWS if harm_sentence("unlock-before-flush", each, "user")
    } == {
        "x86",
        "powerpc",
        "sparc",
    }


def test_nesting_hurts_by_a_bug_and_costs_batching_where_there_is_none() -> None:
    """Xen and the first arm64 meet a check, the others lose what the mode is for.

    Counters lose nothing.
    """
    for each in ALL_ROWS:
        said = harm_sentence("nested-section", each, "kernel")
        checks = each.nested_section in (
            NestedSection.BUG,
            NestedSection.COUNTED_PER_CPU,
            NestedSection.WARNS,
        )
        assert (said is not None) == checks
        assert ("BUG_ON" in (said or "")) == (checks and each.arch == "x86")
        lost = cost_sentence("nested-section", each, "kernel")
        assert (lost is not None) == (
            each.nested_section is NestedSection.ENDS_OUTER and each.defers("kernel")
        )


def test_who_is_hurt_is_shown_by_a_scenario_and_nobody_else_is() -> None:
    """Of what binds callers the table of what machines showed decides."""
    for name in severity_table.decides():
        for each in ALL_ROWS:
            for space in ("user", "kernel"):
                found = [
                    one.harm
                    for key, one in severity_table.table().items()
                    if (key.rule, key.row) == (name, each.name) and key.space in (space, "any")
                ]
                assert bool(harm_sentence(name, each, space)) == any(
                    one != severity_table.COST for one in found
                )
                assert bool(demonstrated_by(name, each, space)) == bool(found)


def test_a_cost_is_not_told_beside_a_harm() -> None:
    """It is for who is not hurt."""
    for name in RULES:
        for each in ROW_BY_NAME.values():
            for space in ("user", "kernel", "unknown"):
                assert not (harm_sentence(name, each, space) and cost_sentence(name, each, space))


def test_sparc_is_not_concerned_by_kernel_mappings() -> None:
    """Kernel mappings do not concern sparc, whose batch they never enter."""
    for each in ROWS["sparc"]:
        assert harm_sentence("free-before-flush", each, "kernel") is None
        assert harm_sentence("free-before-flush", each, "user") is not None


# ---- rows that no release has --------------------------------------------------------------------


def test_without_the_mode_nobody_is_hurt() -> None:
    """x86 without Xen and powerpc radix do at once what they are told."""
    for each in (NONE, ROW_BY_NAME["x86-native"], ROW_BY_NAME["powerpc-radix"]):
        assert not [name for name in RULES if harm_sentence(name, each, "unknown")]


def test_each_dialect_has_a_worst_case_that_pins_and_one_that_does_not() -> None:
    """A caller may not sleep because of the one, and may be preempted because of the other."""
    assert set(WORST_CASE) == set(DIALECTS)
    for free, pinned in WORST_CASE.values():
        assert (free.pins, pinned.pins) == (False, True)
        assert (
            not harm_sentence("sleep-in-section", free, "user")
            or free.on_context_switch is OnContextSwitch.FLAG_STAYS
        )
        assert harm_sentence("sleep-in-section", pinned, "user")


def test_the_worst_case_is_hurt_by_whatever_hurts_anybody() -> None:
    """What callers must obey is what it needs, in each dialect where the rule is valid."""
    for dialect, pair in WORST_CASE.items():
        of_dialect = [rel.rows for rel in RELEASES.values() if rel.dialect.name == dialect]
        real = {each for rows in of_dialect for each in rows.values()}
        for name, rule in RULES.items():
            if rule.party != "caller" or rule.status(DIALECTS[dialect]) == "off":
                continue
            for space in ("user", "kernel"):
                if any(harm_sentence(name, each, space) for each in real):
                    assert any(harm_sentence(name, each, space) for each in pair), (name, dialect)


def test_the_worst_case_is_hurt_by_a_flush_in_a_section() -> None:
    """R13 protects no implementation in the tree; the text protects one that may come."""
    assert all(harm_sentence("tlb-flush-in-section", each, "user") for each in WORST)


def test_the_worst_case_obeys_what_binds_implementations() -> None:
    """It is weak, and not wrong: but to v6.14 the text let it rely on the lock."""
    for dialect, pair in WORST_CASE.items():
        for each in pair:
            assert each.interrupt is Interrupt.IMMEDIATE
            assert each.flush == DIALECTS[dialect].may_nest
            stays = each.on_context_switch is OnContextSwitch.FLAG_STAYS
            assert stays == (not each.pins and DIALECTS[dialect].locks is LockGuarantee.REQUIRED)


def test_who_reads_through_its_batch_reads_right() -> None:
    """s390's posted design defers the store, and its accessors see what is deferred."""
    for name in ("stale-read", "mixed-write"):
        assert not harm_sentence(name, S390_POSTED, "user")
        assert harm_sentence(name, WORST[0], "user")
    assert harm_sentence("unlock-before-flush", S390_POSTED, "user")


# ---- what is allowed -----------------------------------------------------------------------------


def test_a_section_may_be_preempted_where_nothing_pins_and_something_carries() -> None:
    """Xen's hooks and arm64's task flag; never powerpc hash and sparc64, pinned or broken."""
    for detail in ("switched-out", "migrated"):
        survive = {e.arch for e in ALL_ROWS if allowed("preempted-in-section", e, detail)}
        assert survive == {"x86", "arm64", "powerpc"}
        assert allowed("preempted-in-section", ROW_BY_NAME["hash-unpinned"], detail)
        for name in ("hash-active", "hash-counted", "sparc-unpinned", "sparc-active"):
            assert not allowed("preempted-in-section", ROW_BY_NAME[name], detail)


def test_a_section_may_begin_unpinned_where_the_hook_pins() -> None:
    """Only an implementation that neither pins nor carries is hurt by it."""
    hurt = [e.name for e in ALL_ROWS if not allowed("preempted-in-section", e, "unpinned")]
    assert hurt == ["sparc-unpinned"]


def test_no_broken_obligation_of_a_caller_is_allowed() -> None:
    """That an implementation survives it is what harm() says, and no permission."""
    for name, rule in RULES.items():
        if rule.party == "caller" and rule.kind is RuleKind.OBLIGATION:
            assert not any(allowed(name, each) for each in ROW_BY_NAME.values())


def test_lost_batching_is_allowed_and_a_mode_left_behind_is_not() -> None:
    """The one costs time, the other an invalidation."""
    for each in ALL_ROWS:
        assert allowed("mode-left-on-cpu", each, "lost")
        assert not allowed("mode-left-on-cpu", each, "left-on")


def test_a_mode_that_defers_nothing_need_not_be_effective() -> None:
    """No mode at all, or none for those mappings."""
    assert allowed("mode-not-effective", NONE)
    assert allowed("mode-not-effective", ROW_BY_NAME["arm64-flag"], space="user")
    assert not allowed("mode-not-effective", ROW_BY_NAME["arm64-flag"], space="kernel")


# ---- releases ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("6.12.8", "6.12.8"),
        ("6.12.107+deb13-amd64", "6.12.38"),
        ("v6.12.200", "6.12.117"),
        ("6.12", "6.12.8"),
        ("6.1.100", "6.1.176"),
        ("6.6.30", "6.12.8"),
        ("6.18.15", "6.18.5"),
        ("6.5.13", "6.1.176"),
        ("6.13.1", "6.12.8"),
        ("6.14.11-300.fc42.x86_64", "6.12.8"),
        ("6.15", "6.17.8"),
        ("7.2.12", "7.2.8"),
        ("9.1", "7.3.4"),
    ],
)
def test_a_release_is_as_the_one_most_like_it(asked: str, found: str) -> None:
    """It is the one before it, or of a series that was not read the next one's first.

    Before those comes one that is known to have the same features.
    """
    assert release_of(asked).name == found


@pytest.mark.parametrize("asked", ["", "next", "5.10.3", "6"])
def test_what_is_no_known_release_is_refused(asked: str) -> None:
    """A release that is not known is refused, with those that are."""
    with pytest.raises(ValueError, match=r"known are 6\.1\.176, "):
        release_of(asked)
