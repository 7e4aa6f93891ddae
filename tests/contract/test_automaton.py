# SPDX-License-Identifier: GPL-2.0-or-later
"""Automata: derived from a rule's own monitor, and the same as it on every word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.contract.automaton import Automaton, NoAutomatonError, derive
from lazymmu.contract.automaton_symbols import alphabet
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.events import Bug, Undone, Unknown
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Rule, Witness


@cache
def derived(rule: str, dialect: str) -> Automaton:
    """The automaton of a rule in a dialect, made once."""
    return derive(RULES[rule], DIALECTS[dialect])


def first(rule: str, dialects: Iterable[str]) -> list[tuple[str, str]]:
    """A rule with the first of some dialects in which it has an automaton, nothing without one."""
    for dialect in dialects:
        try:
            derived(rule, dialect)
        except NoAutomatonError:
            continue
        return [(rule, dialect)]
    return []


def derivable() -> list[tuple[str, str]]:
    """Each rule with the oldest and the newest dialect in which it has an automaton.

    One takes some seconds, and every process of a run asks.
    """
    ends = (list(DIALECTS), list(reversed(DIALECTS)))
    found = (first(rule, dialects) for rule in RULES for dialects in ends)
    return list(dict.fromkeys(pair for pairs in found for pair in pairs))


DERIVABLE = derivable()
WORDS = st.lists(st.sampled_from(sorted(alphabet())), max_size=14)


def monitor_says(rule: Rule, dialect: str, word: list[str]) -> bool:
    """Whether the rule's own monitor is content with the events that `word` stands for."""
    runtime = Runtime([rule], DIALECTS[dialect])
    state = runtime.start()
    for symbol in word:
        for event in alphabet()[symbol]:
            state, violations = runtime.step(state, event)
            if violations:
                return False
    return True


@pytest.mark.parametrize(("rule", "dialect"), DERIVABLE)
@settings(max_examples=30)
@given(data=st.data())
def test_the_automaton_is_never_stricter_than_the_monitor(rule, dialect, data):
    """What it refuses, the monitor refuses: no kernel is accused by an export alone."""
    automaton = derived(rule, dialect)
    symbols = st.sampled_from(automaton.symbols)
    word = data.draw(st.lists(symbols, max_size=14))
    if not automaton.accepts(word):
        assert not monitor_says(RULES[rule], dialect, word)


def test_what_a_rule_remembers_of_its_own_outlives_what_is_not_told():
    """A task in a hook of a context switch is in it still when a new one begins on its CPU."""
    word = ["bh_disable", "bh_disable", "switch_hook_entry", "task_exit", "hook_entry"]
    word.append("percpu_touch")
    assert monitor_says(RULES["unpinned-batch"], "counted-task", word)
    assert derived("unpinned-batch", "counted-task").accepts(word)


@pytest.mark.parametrize(("rule", "dialect"), DERIVABLE)
@settings(max_examples=30)
@given(data=st.data())
def test_the_automaton_refuses_what_the_monitor_refuses_as_far_as_it_tells(rule, dialect, data):
    """Until a word leaves what is unrolled, both say the same of it."""
    automaton = derived(rule, dialect)
    word = data.draw(st.lists(st.sampled_from(automaton.symbols), max_size=14))
    state, told = automaton.states[0], []
    for symbol in word:
        told.append(symbol)
        state = automaton.edges.get((state, symbol), "")
        if not state or state == "untold":
            break
    if state != "untold":
        assert automaton.accepts(told) == monitor_says(RULES[rule], dialect, told)


@given(word=WORDS)
def test_what_is_left_out_never_matters(word):
    """A symbol without a place in the automaton changes no verdict of the monitor."""
    rule, dialect = RULES["sleep-in-section"], "no-nesting"
    automaton = derive(rule, DIALECTS[dialect], 3)
    bare = [symbol for symbol in word if symbol in automaton.symbols]
    if "untold" not in walk(automaton, bare):
        # Pauses are no part of a dialect without them.
        word = [symbol for symbol in word if symbol not in {"lazy_pause", "lazy_resume"}]
        assert monitor_says(rule, dialect, word) == monitor_says(rule, dialect, bare)


def walk(automaton: Automaton, word: list[str]) -> list[str]:
    """The states that a word passes, up to a violation."""
    states = [automaton.states[0]]
    for symbol in word:
        if (states[-1], symbol) not in automaton.edges:
            break
        states.append(automaton.edges[states[-1], symbol])
    return states


def test_a_section_that_does_not_nest_has_the_automaton_that_one_would_draw():
    """Off and on, told apart in interrupts; beginning twice is the missing edge."""
    automaton = derive(RULES["nested-section"], DIALECTS["no-nesting"])
    assert automaton.states[:2] == ("off", "on")
    assert ("on", "lazy_enable") not in automaton.edges
    assert automaton.edges["off", "lazy_enable"] == "on"
    assert automaton.edges["on", "lazy_disable"] == "off"
    assert not automaton.accepts(["lazy_enable", "lazy_enable"])
    assert automaton.accepts(["lazy_enable", "lazy_disable"] * 3)


def test_depth_is_unrolled_as_far_as_asked():
    """Each level is a state of its own; beyond them the automaton accepts what it cannot tell."""
    rule, dialect = RULES["unbalanced-section"], DIALECTS["counted"]
    for unroll in (1, 2, 3):
        automaton = derive(rule, dialect, unroll)
        assert len(automaton.states) == unroll + 2
        assert not automaton.accepts(["lazy_enable"] * unroll + ["task_exit"])
        assert automaton.accepts(["lazy_enable"] * (unroll + 1) + ["lazy_disable"] * 9)


def test_after_what_it_could_not_tell_a_task_ends_and_it_tells_again():
    """The end of a task is a point where nothing is open."""
    automaton = derive(RULES["unbalanced-section"], DIALECTS["counted"], 1)
    deep = ["lazy_enable", "lazy_enable", "task_exit"]
    assert automaton.accepts(deep)
    assert not automaton.accepts([*deep, "lazy_disable"])


@pytest.mark.parametrize(("rule", "dialect"), DERIVABLE)
def test_every_name_is_an_identifier_of_c(rule, dialect):
    """Every name in an automaton is an identifier of C, of which rvgen makes enumerators."""
    automaton = derived(rule, dialect)
    for name in (*automaton.states, *automaton.symbols):
        assert re.fullmatch(r"[A-Za-z_]\w*", name)
    assert len(set(automaton.states)) == len(automaton.states)


@pytest.mark.parametrize(("rule", "dialect"), DERIVABLE)
def test_no_two_states_are_the_same_and_each_can_be_reached(rule, dialect):
    """The least automaton: from any two states some word is refused by one alone."""
    automaton = derived(rule, dialect)
    reached = {automaton.states[0]}
    todo = [automaton.states[0]]
    for state in todo:
        new = {automaton.edges.get((state, symbol)) for symbol in automaton.symbols} - reached
        todo += sorted(filter(None, new))
        reached |= new
    assert set(automaton.states) == reached - {None}
    blocks = dict.fromkeys(automaton.states, 0)
    for _ in automaton.states:
        looks = {
            state: (
                blocks[state],
                tuple(
                    blocks.get(automaton.edges.get((state, symbol), ""), -1)
                    for symbol in automaton.symbols
                ),
            )
            for state in automaton.states
        }
        numbers = {look: at for at, look in enumerate(dict.fromkeys(looks.values()))}
        blocks = {state: numbers[look] for state, look in looks.items()}
    assert len(set(blocks.values())) == len(automaton.states)


def test_every_rule_that_a_trace_shows_has_an_automaton_where_it_is_valid():
    """A monitor in the kernel sees no less than a trace of it; a BUG it need not watch for."""
    for rule in RULES.values():
        if Witness.TRACE in rule.witnesses and rule.events != (Bug,):
            assert any(name == rule.name for name, _ in DERIVABLE), rule.name


def test_the_alphabet_has_every_event_that_a_rule_looks_at():
    """A new kind of event gets a name here, or its rule's automaton would say nothing."""
    there = {type(event) for events in alphabet().values() for event in events}
    wanted = {kind for rule in RULES.values() for kind in rule.events}
    # What a reader cannot tell, and what a machine alone sees, is no event of a kernel; a kernel
    # that calls BUG() has told already.
    assert wanted - there - {Unknown, Undone, Bug} == set()


@pytest.mark.parametrize("rule", ["raw-arch-call", "lost-update", "kernel-bug"])
def test_a_rule_that_no_kernel_shows_has_none(rule):
    """About source text, or about what only a model of the machine sees."""
    with pytest.raises(NoAutomatonError, match=f"shows breaks {rule}"):
        derive(RULES[rule], DIALECTS["counted"])


def test_a_rule_that_a_dialect_allows_has_none():
    """A rule that a dialect allows has no automaton, because there is nothing to break."""
    with pytest.raises(NoAutomatonError, match="off in dialect counted"):
        derive(RULES["nested-section"], DIALECTS["counted"])
