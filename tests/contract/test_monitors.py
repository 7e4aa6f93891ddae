# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds of every monitor, whatever happens: it lives, stays small, is pure, may not know."""

from __future__ import annotations

import typing
from dataclasses import fields, is_dataclass
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract import events as ev
from lazymmu.contract.dialects import DIALECTS, Dialect
from lazymmu.contract.eventlist import parse
from lazymmu.contract.monitor import Product, Runtime
from lazymmu.contract.rules import RULES, RuleKind
from lazymmu.contract.section import MAX_DEPTH

_NAMES = {
    "entry": ("p", "q", ev.UNKNOWN_ENTRY),
    "lock": ("ptl", "pml", ev.UNKNOWN_ENTRY),
    "variable": ("v", "w"),
    "key": ("", "p", "ptl"),
    "whose": ("current", "prev"),
    "task": ("",),
}
"""The few values of fields that name something; a witness has as many as its program names."""


def _values(name: str, hint: Any) -> st.SearchStrategy[Any]:
    if name in _NAMES:
        some = st.sampled_from(_NAMES[name])
        return st.none() | some if type(None) in get_args(hint) else some
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) is tuple:
        return st.tuples(*(_values("", part) for part in get_args(hint)))
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.sampled_from((-1, 0, 1, 2, 255))
    if hint is str:
        return st.just("x")
    if hint == ev.Site | None:
        return st.sampled_from((None, ev.Site("mm/m.c", 1), ev.Site("arch/x86/mm/m.c", 1)))
    return st.none() | st.one_of(
        [_values(name, part) for part in get_args(hint) if part is not type(None)]
    )


def _any(kind: type[ev.Event]) -> st.SearchStrategy[ev.Event]:
    hints = typing.get_type_hints(kind, vars(ev))
    return st.builds(kind, **{f.name: _values(f.name, hints[f.name]) for f in fields(kind)})


ANY_EVENT = st.one_of([_any(kind) for kind in ev.EVENTS.values()])
ANY_DIALECT = st.sampled_from(list(DIALECTS.values()))
NEUTRAL = (ev.Exit, ev.UserReturn)


def everything(dialect: Dialect) -> Runtime:
    """All rules of a dialect at once."""
    return Runtime(list(RULES.values()), dialect)


def size(value: object) -> int:
    """How many parts a state has, all the way down."""
    if is_dataclass(value) and not isinstance(value, type):
        return 1 + sum(size(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, (tuple, frozenset)):
        return 1 + sum(size(part) for part in value)
    return 1


def numbers(value: object) -> list[int]:
    """Every number in a state."""
    if is_dataclass(value) and not isinstance(value, type):
        return [n for field in fields(value) for n in numbers(getattr(value, field.name))]
    if isinstance(value, (tuple, frozenset)):
        return [n for part in value for n in numbers(part)]
    return [value] if isinstance(value, int) else []


@given(st.lists(ANY_EVENT, max_size=60), ANY_DIALECT)
def test_no_events_break_a_monitor_or_leave_it_speechless(
    happened: list[ev.Event], dialect: Dialect
) -> None:
    """Any event in any order has an answer, and every violation a message."""
    runtime = everything(dialect)
    product = runtime.start()
    for event in happened:
        product, found = runtime.step(product, event)
        for violation in found:
            assert violation.event is event
            message = RULES[violation.rule].message(violation)
            assert message[0].islower()
            assert not message.endswith(".")


@given(st.lists(ANY_EVENT, min_size=1, max_size=12), ANY_DIALECT, st.integers(1, 30))
def test_a_state_stays_small_however_long_it_runs(
    happened: list[ev.Event], dialect: Dialect, times: int
) -> None:
    """Numbers saturate, collections hold what has a name: a machine can be searched to its end."""
    stays_small(happened * times, dialect)


@pytest.mark.parametrize("name", RULES)
def test_a_state_stays_small_however_often_a_rule_is_broken(name: str) -> None:
    """As above, with events that mean something to the rule, and no end of the task."""
    for dialect in DIALECTS.values():
        stays_small([e for e in bad(name) if not isinstance(e, NEUTRAL)] * 20, dialect)


def bad(name: str) -> list[ev.Event]:
    """The events of a rule's bad example."""
    return list(parse(RULES[name].examples.bad.events).events)


def stays_small(happened: list[ev.Event], dialect: Dialect) -> None:
    """Run all rules over events of any tasks, as if they were one task's."""
    runtime = everything(dialect)
    product = runtime.start()
    for event in happened:
        product, _ = runtime.step(product, event)
        hash(product)
        assert size(product) < 400
        assert max(map(abs, numbers(product))) <= MAX_DEPTH


_BY_ITSELF = {
    "raw-arch-call",
    "batch-mixes-mm",
    *(name for name, rule in RULES.items() if rule.kind is RuleKind.HARM and rule.check),
}
"""Rules that an event breaks by itself, or with the calls that led to it: nothing to forget."""


def _tells(event: ev.Event) -> bool:
    """Whether an event says by itself what state a task is in."""
    return isinstance(event, ev.Observed) and (event.counters is not None or event.at == "start")


@given(
    st.lists(ANY_EVENT, max_size=25),
    st.lists(ANY_EVENT.filter(lambda event: not isinstance(event, NEUTRAL)), max_size=25),
    ANY_DIALECT,
)
def test_after_the_unknown_nothing_is_said_until_a_neutral_point(
    before: list[ev.Event], after: list[ev.Event], dialect: Dialect
) -> None:
    """Lost events never become findings, whatever was known before them."""
    runtime = everything(dialect)
    product = runtime.start()
    for event in before:
        product, _ = runtime.step(product, event)
    product, found = runtime.step(product, ev.Unknown("all"))
    assert not found
    for event in after:
        if _tells(event):
            continue
        product, found = runtime.step(product, event)
        assert {violation.rule for violation in found} <= _BY_ITSELF


@pytest.mark.parametrize("name", sorted(RULES.keys() - _BY_ITSELF))
def test_what_breaks_a_rule_breaks_none_after_the_unknown(name: str) -> None:
    """The same at each place of the rule's bad example, up to the line that breaks it."""
    example = RULES[name].examples.bad
    runtime = Runtime([RULES[name]], DIALECTS[example.dialect])
    listed = parse(example.events)
    culprit = next(at for at, line in enumerate(listed.lines) if name in line.expect)
    told = listed.events[culprit]
    events = [event for event in listed.events[:culprit] if event.task == told.task]
    for lost in range(len(events) + 1):
        product = runtime.start()
        for event in (*events[:lost], ev.Unknown("all"), *events[lost:]):
            product, _ = runtime.step(product, event)
        assert _tells(told) or isinstance(told, NEUTRAL) or not runtime.step(product, told)[1]


@pytest.mark.parametrize("neutral", [ev.Exit(), ev.UserReturn()])
@given(happened=st.lists(ANY_EVENT, max_size=25), dialect=ANY_DIALECT)
def test_a_neutral_point_makes_the_state_known(
    neutral: ev.Event, happened: list[ev.Event], dialect: Dialect
) -> None:
    """From there on all that happens is judged again."""
    runtime = everything(dialect)
    product = runtime.start()
    for event in (*happened, ev.Unknown("all"), neutral):
        product, _ = runtime.step(product, event)
    assert product.task == runtime.start().task


@given(st.lists(ANY_EVENT, max_size=30), ANY_EVENT, ANY_DIALECT)
def test_a_step_is_a_function(happened: list[ev.Event], event: ev.Event, dialect: Dialect) -> None:
    """The same product and event give the same answer, in any runtime, and change neither."""
    runtime, other = everything(dialect), everything(dialect)
    product = runtime.start()
    for each in happened:
        product, _ = runtime.step(product, each)
    shown, number = repr(product), hash(product)
    first = runtime.step(product, event)
    assert runtime.step(product, event) == first == other.step(product, event)
    assert (repr(product), hash(product)) == (shown, number)


@given(st.lists(ANY_EVENT, max_size=30), ANY_DIALECT, st.sampled_from(sorted(RULES)))
def test_a_rule_alone_says_what_it_says_among_others(
    happened: list[ev.Event], dialect: Dialect, name: str
) -> None:
    """No rule's answer depends on which others run: a witness may choose."""
    alone, among = Runtime([RULES[name]], dialect), everything(dialect)
    mine: Product = alone.start()
    theirs: Product = among.start()
    for event in happened:
        mine, said = alone.step(mine, event)
        theirs, all_said = among.step(theirs, event)
        assert said == tuple(v for v in all_said if v.rule == name)
