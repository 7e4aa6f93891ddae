# SPDX-License-Identifier: GPL-2.0-or-later
"""Event lists: what is written is read back, and what is no event is refused with its place."""

from __future__ import annotations

import typing
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract import events as ev
from lazymmu.contract.dialects import NO_NESTING
from lazymmu.contract.eventlist import EventListError, judge, parse, render, replay
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES

TEXT = """\
# A comment, and a blank line.

dialect no-nesting      # the dialect
T0: call remap_one root
T0: take ptl cls=ptl how=try
T0: enable
T0: write pte pte user operation=set_pte_at at=mm/demo.c:12:2 in=remap_one
T0: read pte operation=ptep_get     # expect: stale-read
T1: may_sleep "kmalloc() with a # in it" certain condition=GFP_KERNEL
return remap_one root=yes task=T0 cpu=3 seq=7
"""


def test_a_list_is_read() -> None:
    """Names, values in order, options, flags, quotes, sites, tasks, expectations."""
    listed = parse(TEXT, "demo.events")
    assert listed.dialect == "no-nesting"
    assert [line.number for line in listed.lines] == [4, 5, 6, 7, 8, 9, 10]
    assert listed.events[3] == ev.Write(
        "pte",
        "pte",
        "user",
        operation="set_pte_at",
        task="T0",
        site=ev.Site("mm/demo.c", 12, 2, "remap_one"),
    )
    assert listed.lines[4].expect == ("stale-read",)
    assert listed.events[5] == ev.MaySleep(
        "kmalloc() with a # in it", certain=True, condition="GFP_KERNEL", task="T1"
    )
    assert listed.events[6] == ev.FunctionReturn("remap_one", root=True, task="T0", cpu=3, seq=7)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("enabel", "1:1: no event is called `enabel`"),
        ("T0:", "1:1: a task without an event"),
        ("layer=arch enable", "1:1: a line begins with the name of an event"),
        ("take", "1:1: `take` needs its lock"),
        ("T0: pin hard", "1:9: `kind` is one of preempt, migrate, irq, irqsave, bh"),
        ("enable colour=red", "1:8: this event has no `colour`"),
        ("enable arch layer=arch", "1:13: `layer` is given twice"),
        ("exit now", "1:6: unexpected positional value `now`"),
        ('read "open', "1:6: neither a word, a value nor a comment"),
        (r'read "\q"', "1:6: no JSON string"),
        ("read p at=here", "1:8: `here` is not FILE:LINE or FILE:LINE:COLUMN"),
        ("read p in=f", "1:8: `in` without `at`"),
        ("read p cpu=one", "1:8: `cpu` is a number"),
        ("read p cpu=99999999999999999999", "1:8: `cpu` is a number"),
        ("observed", "1:1: `observed` needs its at"),
        ("observed enable 1", "1:17: `mode` is one of on, off, unknown"),
        ("observed enable counters=1", "1:17: `counters` is two numbers, as in 1,0"),
        ("observed exit at=a:1 at=a:2", "1:22: `at` is given twice"),
        ("may_sleep x certain=perhaps", "1:13: `certain` is yes or no"),
        ("# expect: stale-read", "1:1: `expect:` on a line without an event"),
        ("enable # expect: Stale Read", "1:8: `Stale Read` is no rule's name"),
        ("dialect", "1:1: `dialect NAME` stands once, at the top"),
        ("enable\ndialect counted", "2:1: `dialect NAME` stands once, at the top"),
    ],
)
def test_what_is_no_event_is_refused_with_its_place(line: str, message: str) -> None:
    """One sentence with line and column, as a compiler would say it."""
    with pytest.raises(EventListError) as caught:
        parse(line, "x.events")
    assert str(caught.value) == f"x.events:{message}"


def test_lines_that_break_rules_are_found() -> None:
    """`judge()` says which line breaks which rule; `replay()` gives the violations alone."""
    runtime = Runtime([RULES["stale-read"], RULES["sleep-in-section"]], NO_NESTING)
    listed = parse(TEXT)
    judged = judge(listed, runtime)
    assert [(line.number, violation.rule) for line, violation in judged] == [(8, "stale-read")]
    assert [v.rule for v in replay(listed.events, runtime)] == ["stale-read"]


def test_an_observation_has_a_moment_and_may_have_a_place() -> None:
    """The moment has no name, because `at=` is the place of every event."""
    listed = parse("T0: observed switch-in on 1,0 pending at=a.c:3")
    seen = ev.Observed("switch-in", "on", (1, 0), pending=True, task="T0", site=ev.Site("a.c", 3))
    assert listed.events == (seen,)
    assert render([seen]) == "T0: observed switch-in mode=on counters=1,0 pending at=a.c:3\n"


def test_each_task_has_a_state_of_its_own() -> None:
    """One task's section is not another's."""
    runtime = Runtime([RULES["sleep-in-section"]], NO_NESTING)
    text = "A: enable\nB: may_sleep x\nA: may_sleep x"
    assert [line.number for line, _ in judge(parse(text), runtime)] == [3]


def _strategy(kind: Any) -> st.SearchStrategy[Any]:
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        return st.tuples(*map(_strategy, get_args(kind)))
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(-(10**9), 10**9)
    if kind in (str, ev.Identity):
        return st.text()
    options = [part for part in get_args(kind) if part is not type(None)]
    return st.none() | st.one_of([_strategy(part) for part in options])


_SITES = st.none() | st.builds(
    ev.Site,
    st.from_regex(r"[a-z0-9_/.-]+\.[ch]", fullmatch=True),
    st.integers(1, 10**6),
    st.integers(0, 500),
    st.text(),
)


def _events() -> st.SearchStrategy[ev.Event]:
    kinds = []
    for kind in ev.EVENTS.values():
        hints = typing.get_type_hints(kind, vars(ev))
        values = {
            field.name: _SITES if field.name == "site" else _strategy(hints[field.name])
            for field in fields(kind)
        }
        kinds.append(st.builds(kind, **values))
    return st.one_of(kinds)


@given(st.lists(_events(), max_size=8))
def test_what_is_written_is_read_back(happened: list[ev.Event]) -> None:
    """Every event of every kind, with any text in it, survives the text form."""
    assert parse(render(happened)).events == tuple(happened)


@given(st.text())
def test_any_text_is_a_list_or_is_refused(text: str) -> None:
    """Nothing but the one error ever comes out of the reader."""
    try:
        parse(text)
    except EventListError as error:
        assert "\n" not in str(error)


@given(st.lists(st.sampled_from(["enable", "T0:", "read", "p", "=", '"', "#", "at=", "a:1", "\\"])))
def test_any_words_are_a_list_or_are_refused(words: list[str]) -> None:
    """Any words, nearly right lines too, are a list of events or are refused."""
    try:
        parse(" ".join(words))
    except EventListError as error:
        assert str(error).startswith("<events>:")


def test_every_event_has_a_name() -> None:
    """The tables of names cover all events, both ways."""
    kinds = {kind for kind in vars(ev).values() if isinstance(kind, type)}
    events = {kind for kind in kinds if issubclass(kind, ev.Event) and kind is not ev.Event}
    assert set(ev.EVENTS.values()) == events
    assert {ev.NAMES[kind]: kind for kind in ev.NAMES} == ev.EVENTS
