# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules: what each says of short event lists, and what none says of the unknown.

Lists are in the text form of events; `# expect:` stands on the lines that break a rule.
"""

from __future__ import annotations

import pytest

from lazymmu.contract import events as ev
from lazymmu.contract.dialects import (
    COUNTED,
    COUNTED_TASK,
    DIALECTS,
    NO_NESTING,
    PTL_HELD,
    Dialect,
    Status,
)
from lazymmu.contract.eventlist import judge, parse
from lazymmu.contract.monitor import Runtime, Violation
from lazymmu.contract.rules import RULES, Party, RuleKind
from lazymmu.contract.rules.implied import IMPLIED_BY, implied_words
from lazymmu.contract.section import TaskState


def verdict(text: str, dialect: Dialect, *rules: str) -> tuple[list[str], list[str]]:
    """What the rules say of each line, and what the lines expect, as "line: rule"."""
    listed = parse(text)
    runtime = Runtime([RULES[name] for name in rules or RULES], dialect)
    said = [f"{line.number}: {violation.rule}" for line, violation in judge(listed, runtime)]
    expected = [f"{line.number}: {rule}" for line in listed.lines for rule in line.expect]
    return sorted(said), sorted(expected)


def test_the_conditional_end_of_a_correlated_path_is_balanced() -> None:
    """Trap T1 to T3 of correct code: end, sleep, begin again, end once."""
    text = """
        call scan root
        take ptl cls=ptl
        enable
        disable
        drop ptl cls=ptl
        may_sleep split_folio
        take ptl cls=ptl
        enable
        disable
        drop ptl cls=ptl
        return scan root
    """
    for dialect in DIALECTS.values():
        said, expected = verdict(text, dialect)
        assert said == expected


def test_a_callback_that_ends_and_begins_again_is_balanced() -> None:
    """Trap T5: an inverted pair inside the caller's section; the root's depth is what counts."""
    runtime = Runtime([RULES["unbalanced-section"]], NO_NESTING)
    product = runtime.start(TaskState(depth=1))
    for event in (
        ev.FunctionCall("fn", root=True),
        ev.Disable(),
        ev.Enable(),
        ev.FunctionReturn("fn", root=True),
    ):
        product, found = runtime.step(product, event)
        assert not found


def test_a_callback_that_ends_its_callers_section_is_not() -> None:
    """What the function returns with must be what it was called with."""
    runtime = Runtime([RULES["unbalanced-section"]], NO_NESTING)
    product = runtime.start(TaskState(depth=1))
    found: tuple[Violation, ...] = ()
    for event in (
        ev.FunctionCall("fn", root=True),
        ev.Disable(),
        ev.FunctionReturn("fn", root=True),
    ):
        product, found = runtime.step(product, event)
    assert [v.detail for v in found] == ["ended-callers"]


def test_hooks_may_leave_what_they_did_not_enter() -> None:
    """Traps T6 to T9: context-switch hooks and arch hooks are halves of a pair."""
    text = """
        call xen_start_context_switch root role=switch-hook
        disable arch
        return xen_start_context_switch root role=switch-hook
        call xen_end_context_switch root role=switch-hook
        enable arch
        return xen_end_context_switch root role=switch-hook
    """
    assert verdict(text, NO_NESTING, "unbalanced-section")[0] == []


def test_a_section_too_many_is_named_once() -> None:
    """After a nested begin the code goes on as it meant: its ends are no findings of their own."""
    text = """
        enable
        enable          # expect: nested-section
        disable
        disable
    """
    said, expected = verdict(text, PTL_HELD, "nested-section", "unbalanced-section")
    assert said == expected


def test_nesting_is_allowed_where_the_text_allows_it() -> None:
    """From v7.0 on the same list is silent."""
    assert verdict("enable\nenable\ndisable\ndisable", COUNTED, "nested-section")[0] == []


def test_a_section_begun_while_paused_is_not_nested() -> None:
    """A pause is the way out of a section that a callback may take."""
    text = "enable\npause\nenable\ndisable\nresume\ndisable"
    assert verdict(text, NO_NESTING, "nested-section")[0] == []


def test_sleeping_is_for_outside_or_for_a_pause() -> None:
    """Inside: a finding; paused or after the end: none."""
    text = """
        may_sleep mutex_lock()
        enable
        may_sleep mutex_lock()      # expect: sleep-in-section
        pause
        may_sleep mutex_lock()
        resume
        disable
        may_sleep mutex_lock()
    """
    said, expected = verdict(text, COUNTED, "sleep-in-section")
    assert said == expected


def test_who_blocks_is_told_from_who_may_sleep() -> None:
    """The message says which of the two it is."""
    runtime = Runtime([RULES["sleep-in-section"]], COUNTED)
    product, _ = runtime.step(runtime.start(), ev.Enable())
    _, found = runtime.step(product, ev.MaySleep("schedule()", certain=True))
    message = RULES["sleep-in-section"].message(found[0])
    assert message == "blocks (schedule()) inside a lazy MMU section"


def test_page_table_locks_enclose_the_section() -> None:
    """Taking the first or dropping the last one inside breaks the rule; one below it does not."""
    text = """
        enable
        take d cls=kernel-pt
        take e
        take a cls=ptl              # expect: section-outside-lock
        take b cls=pmd
        take c cls=ptl how=caller-holds
        drop c cls=ptl
        drop b cls=pmd
        drop d cls=kernel-pt
        drop e
        drop a cls=ptl              # expect: section-outside-lock
        disable
    """
    said, expected = verdict(text, COUNTED, "section-outside-lock")
    assert said == expected


@pytest.mark.parametrize(("dialect", "told"), [(PTL_HELD, True), (COUNTED, False)])
def test_where_all_tables_locks_are_required_none_that_was_held_goes(
    dialect: Dialect, told: bool
) -> None:
    """Another one that is held does not cover its table; what was taken below it may go."""
    mark = "# expect: section-outside-lock" if told else ""
    text = f"""
        take a cls=ptl
        take b cls=ptl
        enable
        take c cls=pmd
        drop c cls=pmd
        drop b cls=ptl              {mark}
        disable
        drop a cls=ptl
    """
    said, expected = verdict(text, dialect, "section-outside-lock")
    assert said == expected


def test_user_entries_need_a_lock_and_kernel_entries_do_not() -> None:
    """Trap T13: sections over kernel mappings hold no lock."""
    text = """
        enable
        write p space=user          # expect: section-outside-lock
        write q space=kernel
        write r space=unknown
        write s space=user how=immediate
        disable
        write p space=user
    """
    said, expected = verdict(text, NO_NESTING, "section-outside-lock")
    assert said == expected


def test_a_pmd_lock_covers_user_entries() -> None:
    """Trap T16: the pmd lock is a page-table lock."""
    text = "take pml cls=pmd\nenable\nwrite p level=pmd space=user\ndisable\ndrop pml cls=pmd"
    assert verdict(text, NO_NESTING)[0] == []


def test_the_lock_that_covers_the_write_is_the_one_that_counts() -> None:
    """The pmd lock dropped after a pmd write is a finding; a lock taken after the write is none."""
    text = """
        take ptl cls=ptl
        enable
        take pml cls=pmd
        write pmd level=pmd space=user
        take other cls=ptl
        drop other cls=ptl
        drop pml cls=pmd            # expect: unlock-before-flush
        disable
        drop ptl cls=ptl
    """
    said, expected = verdict(text, COUNTED, "unlock-before-flush")
    assert said == expected


def test_a_nested_end_is_a_flush() -> None:
    """R3: after an inner disable the lock may go and the entry be read."""
    text = """
        take ptl cls=ptl
        enable
        enable
        write p space=user
        disable
        read p
        tlb_flush range space=user
        disable
        drop ptl cls=ptl
    """
    assert verdict(text, COUNTED)[0] == []


def test_immediate_then_deferred_is_in_order() -> None:
    """The pattern of move_present_ptes(): clear at once, then put back."""
    text = """
        take ptl cls=ptl
        enable
        write p space=user how=immediate operation=ptep_get_and_clear
        write p space=user operation=set_pte_at
        write q space=user how=immediate operation=ptep_get_and_clear
        disable
        drop ptl cls=ptl
    """
    assert verdict(text, COUNTED)[0] == []


def test_a_tlb_flush_concerns_what_it_may_cover() -> None:
    """Another entry, another space, a no-op and an empty section are no findings (trap T19)."""
    text = """
        enable
        tlb_flush range space=user
        write p space=user
        tlb_flush entry space=user entry=q
        tlb_flush range space=kernel
        tlb_flush range space=user how=noop
        tlb_flush entry space=user entry=p      # expect: tlb-flush-in-section
        tlb_flush all                           # expect: tlb-flush-in-section
        disable
        tlb_flush range space=user
    """
    said, expected = verdict(text, COUNTED, "tlb-flush-in-section")
    assert said == expected


def test_what_another_entry_maps_may_be_freed() -> None:
    """Only the pending entry's page or table is still in force."""
    text = """
        enable
        write p space=kernel
        free q page
        free p page         # expect: free-before-flush
        use p page          # expect: free-before-flush
        flush
        free p page
        disable
    """
    said, expected = verdict(text, COUNTED, "free-before-flush")
    assert said == expected


def test_pauses_pair_at_one_depth() -> None:
    """A section that straddles a resume loses one of its ends."""
    text = """
        call f root
        pause
        enable
        resume              # expect: unbalanced-pause
        disable
        resume              # expect: unbalanced-pause
        pause
        return f root       # expect: unbalanced-pause
    """
    said, expected = verdict(text, COUNTED, "unbalanced-pause")
    assert said == expected


def test_bottom_halves_may_go_off_and_on_inside_a_section() -> None:
    """Only the two ends are compared."""
    text = """
        enable
        pin bh
        unpin bh
        disable
        pin bh
        enable
        disable
        enable
        unpin bh
        disable             # expect: bh-across-section
    """
    said, expected = verdict(text, COUNTED, "bh-across-section")
    assert said == expected


def test_an_end_that_may_be_in_interrupt_is_not_judged() -> None:
    """Unknown context neither passes nor violates."""
    text = "pin bh\nenable\nunpin bh\ndisable in_interrupt=unknown"
    assert verdict(text, COUNTED, "bh-across-section")[0] == []


def test_a_handler_is_told_of_its_section_once() -> None:
    """The begin is the culprit, its end is not another; an end alone is one."""
    text = """
        enable
        irq_enter hard
        enable              # expect: section-in-interrupt
        disable
        irq_exit hard
        irq_enter soft
        disable             # expect: section-in-interrupt
        irq_exit soft
    """
    said, expected = verdict(text, NO_NESTING, "section-in-interrupt")
    assert said == expected


def test_the_mode_in_interrupts_is_no_concern_where_calls_do_nothing() -> None:
    """From v7.0 on the generic calls look themselves."""
    assert verdict("irq_enter hard\nenable\ndisable", COUNTED, "section-in-interrupt")[0] == []


def test_architecture_code_and_the_api_itself_call_the_hooks() -> None:
    """Only generic code is kept from them."""
    text = """
        enable arch at=arch/x86/mm/attr.c:3 in=f
        call lazy_mmu_mode_enable role=api
        enable arch at=include/linux/pgtable.h:9 in=lazy_mmu_mode_enable
        return lazy_mmu_mode_enable role=api
        enable generic at=mm/memory.c:3 in=g
        flush layer=arch at=mm/memory.c:4 in=g      # expect: raw-arch-call
        pause arch whose=tsk at=mm/memory.c:5 in=g  # expect: raw-arch-call
        enable arch
    """
    said, expected = verdict(text, COUNTED_TASK, "raw-arch-call")
    assert said == expected


def test_a_section_that_nothing_pins_is_worth_knowing() -> None:
    """A lock, a pin and an interrupt each pin; so does an outer section that was told already."""
    text = """
        enable              # expect: preempted-in-section
        enable
        disable
        switch_out preempted        # expect: preempted-in-section
        switch_out yielded
        disable
        pin migrate
        enable
        disable
        unpin migrate
        take lock
        enable
        disable
    """
    said, expected = verdict(text, COUNTED, "preempted-in-section")
    assert said == expected


def test_a_pin_of_the_enter_hook_holds_for_body_leave_and_flush() -> None:
    """powerpc's leave touches the batch without a pin of its own and is right."""
    text = """
        call arch_enter_lazy_mmu_mode role=arch-hook
        pin preempt
        percpu batch
        return arch_enter_lazy_mmu_mode role=arch-hook
        call hpte_need_flush role=arch-hook
        percpu batch
        return hpte_need_flush role=arch-hook
        call arch_leave_lazy_mmu_mode role=arch-hook
        percpu batch
        unpin preempt
        percpu batch                # expect: unpinned-batch
        return arch_leave_lazy_mmu_mode role=arch-hook
    """
    said, expected = verdict(text, NO_NESTING, "unpinned-batch")
    assert said == expected


def test_what_the_switch_hooks_carry_needs_no_pin() -> None:
    """Xen's mode is per CPU, touched with preemption on, and right."""
    text = """
        call xen_start_context_switch role=switch-hook
        percpu xen_lazy_mode
        return xen_start_context_switch role=switch-hook
        call xen_enter_lazy_mmu role=arch-hook
        percpu xen_lazy_mode
        percpu other                # expect: unpinned-batch
        percpu third carried
        return xen_enter_lazy_mmu role=arch-hook
        percpu other
    """
    said, expected = verdict(text, NO_NESTING, "unpinned-batch")
    assert said == expected


def test_a_batch_is_asked_whose_it_is_in_each_call() -> None:
    """A comparison in an earlier call proves nothing about this one."""
    text = """
        call add role=arch-hook
        batch_key batch
        call add_one role=arch-hook
        batch_add batch
        return add_one role=arch-hook
        return add role=arch-hook
        call add role=arch-hook
        batch_key batch checked=no
        batch_add batch             # expect: batch-mixes-mm
        return add role=arch-hook
    """
    said, expected = verdict(text, COUNTED, "batch-mixes-mm")
    assert said == expected


@pytest.mark.parametrize(
    "unknown",
    [ev.Unknown("all"), *(ev.Unknown(what) for what in ("mode", "pause", "pending", "irq"))],
)
def test_after_the_unknown_nothing_that_depends_on_it_is_said(unknown: ev.Unknown) -> None:
    """A rule stays silent when an aspect that it needs is not known."""
    silent = {
        "mode": {"unbalanced-section", "nested-section", "sleep-in-section"},
        "pause": {"nested-section", "sleep-in-section", "unbalanced-pause"},
        "pending": {"stale-read", "mixed-write", "unlock-before-flush"},
        "irq": {"section-in-interrupt"},
        "all": set(RULES) - {"raw-arch-call", "batch-mixes-mm"},
    }[unknown.what]
    runtime = Runtime(list(RULES.values()), PTL_HELD)
    product = runtime.start()
    for event in (
        ev.FunctionCall("f", root=True),
        ev.Take("ptl", "ptl"),
        ev.Enable(),
        ev.Write("p"),
    ):
        product, _ = runtime.step(product, event)
    product, _ = runtime.step(product, unknown)
    said: set[str] = set()
    for event in (
        ev.MaySleep("x"),
        ev.Read("p"),
        ev.Write("p", how="immediate"),
        ev.Free("p"),
        ev.TlbFlush(),
        ev.Resume(),
        ev.IrqEnter(),
        ev.Enable(),
        ev.IrqExit(),
        ev.Drop("ptl", "ptl"),
        ev.Disable(),
        ev.Disable(),
        ev.Disable(),
        ev.FunctionReturn("f", root=True),
    ):
        product, found = runtime.step(product, event)
        said |= {violation.rule for violation in found}
    assert not said & silent


def test_a_plain_call_changes_nothing() -> None:
    """Calls of ordinary functions are no step at all: the product stays the same object."""
    runtime = Runtime(list(RULES.values()), COUNTED)
    product = runtime.start()
    assert runtime.step(product, ev.FunctionCall("f"))[0] is product
    assert runtime.step(product, ev.FunctionReturn("f"))[0] is product


def test_rules_that_are_off_do_not_run() -> None:
    """A runtime has only the rules that its dialect knows."""
    names = {rule.name for rule in Runtime(list(RULES.values()), COUNTED).rules}
    assert "nested-section" not in names
    assert "unbalanced-pause" in names
    names = {rule.name for rule in Runtime(list(RULES.values()), PTL_HELD).rules}
    assert {"raw-arch-call", "unbalanced-pause", "bh-across-section"}.isdisjoint(names)


def test_the_own_state_can_be_asked_for() -> None:
    """A witness may look at one rule's state by its name."""
    runtime = Runtime([RULES["nested-section"], RULES["unbalanced-section"]], NO_NESTING)
    product, _ = runtime.step(runtime.start(TaskState(depth=2)), ev.FunctionCall("f", root=True))
    assert runtime.own(product, "unbalanced-section") == 2


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_complete(name: str) -> None:
    """Every rule says what, why, where it is written, whom it binds, and shows itself."""
    rule = RULES[name]
    assert rule.name == name
    for text in (rule.sentence, rule.why, rule.citation, rule.key):
        assert text.strip() == text
        assert text
    assert rule.sentence.endswith(".")
    assert rule.witnesses
    assert rule.events
    assert any(rule.status(dialect) is not Status.OFF for dialect in DIALECTS.values())
    assert (rule.kind is RuleKind.INFORMATION) == (name == "preempted-in-section")
    assert (rule.kind is RuleKind.HARM) == (rule.party is Party.NOBODY)


@pytest.mark.parametrize("name", RULES)
def test_examples_show_the_rule_and_nothing_else(name: str) -> None:
    """The bad example breaks its rule where it says so, and the good one breaks none.

    What is no fault may be told beside it, and a harm has an obligation broken before it.
    """
    rule = RULES[name]
    for kind in ("good", "bad"):
        example = getattr(rule.examples, kind)
        listed = parse(example.events, f"{name}/{kind}.events")
        assert listed.dialect == example.dialect
        said, expected = verdict(example.events, DIALECTS[example.dialect])
        assert said == expected
        broken = {line.partition(": ")[2] for line in said}
        if rule.of_source:
            assert {rule for _, rule in example.expected} == broken
        assert (name in broken) == (kind == "bad")
        others = {RULES[other].kind for other in broken - {name}}
        allowed = {RuleKind.INFORMATION}
        if kind == "bad" and rule.kind is RuleKind.HARM:
            allowed.add(RuleKind.OBLIGATION)
        assert others <= allowed


@pytest.mark.parametrize("name", RULES)
def test_examples_in_c_name_their_place(name: str) -> None:
    """An implementation's example stands under arch/, a caller's elsewhere."""
    rule = RULES[name]
    for example in (rule.examples.good, rule.examples.bad):
        assert rule.of_source == bool(example.c) == bool(example.file)
        if not rule.of_source:
            continue
        under_arch = example.file.startswith("arch/")
        binds_arch = rule.party is Party.IMPLEMENTATION and rule.kind is not RuleKind.INFORMATION
        assert under_arch == binds_arch
        assert example.c.startswith("// SPDX-License-Identifier: GPL-2.0-or-later\n")


def test_what_no_text_says_follows_from_something_that_it_does_say() -> None:
    """Each rule that some dialect leaves unsaid has its reason, and no other rule has one."""
    unsaid = {
        rule.name
        for rule in RULES.values()
        if rule.kind is not RuleKind.HARM
        and any(rule.status(dialect) is Status.IMPLIED for dialect in DIALECTS.values())
    }
    assert set(IMPLIED_BY) == unsaid
    for name in unsaid:
        assert implied_words(name).endswith(IMPLIED_BY[name])
    assert implied_words("kernel-bug") == ""
