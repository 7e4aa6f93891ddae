# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a program is: stacks of routines, and nothing of Python's own frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.machine.continuations import Continuations, functions, innermost
from lazymmu.machine.steps import RoutineCall, routine

ASK = "ask"


def step(name):
    """A step that can be told from others; nobody takes it here."""

    def taken(here):
        raise AssertionError("the test answers for the machine")

    taken.__name__ = name
    return taken


@routine("mm/inner.c")
def inner(wanted):
    """Takes a second step when the first one gives what is wanted."""
    got = yield step("first")
    if got == wanted:
        yield step("second")
    return got


@routine("mm/outer.c")
def outer():
    """Calls inner() twice."""
    if (yield inner(1)):
        yield step("after")
    yield inner(2)


@routine("mm/loop.c")
def loop(values):
    """As many steps as there are values."""
    for _value in values:
        yield step("again")


def walk(threads, call, answers):
    """Names of the steps that a program takes when it is given these answers, and its stacks."""
    stack = threads.begin(call)
    names, stacks = [], [stack]
    for answer in answers:
        if not stack:
            break
        names.append(threads.step(stack).__name__)
        stack = threads.after(stack, answer)
        stacks.append(stack)
    return names, stacks


def test_a_program_goes_where_the_answers_send_it():
    """The second step of inner() is taken only after the answer that it wants."""
    names, stacks = walk(Continuations(), outer(), [1, None, None, 0, None])
    assert names == ["first", "second", "after", "first"]
    assert stacks[-1] == ()


def test_a_call_that_returned_leaves_only_its_value():
    """Two ways through a routine that return the same value end at the same place."""
    _, one = walk(Continuations(), outer(), [1, None])
    _, other = walk(Continuations(), outer(), [1, "anything"])
    assert one[-1] == other[-1]
    assert one[-1][-1].sent == (1,)


def test_a_value_that_nobody_looks_at_is_forgotten():
    """A call made with keep=False says nothing about what it returned."""

    @routine("")
    def caller():
        yield RoutineCall(inner(0).function, (0,), keep=False)
        yield step("end")

    places = {walk(Continuations(), caller(), [answer])[1][-1] for answer in (5, 6, 7)}
    assert len(places) == 1


def test_iterators_do_not_hide_where_a_loop_is():
    """Equal elements of a loop are different places; a frame's locals could not tell them apart."""
    _, stacks = walk(Continuations(), loop((2, 2)), [None, None])
    assert len(set(stacks)) == 3
    assert stacks[-1] == ()


def test_the_stack_names_the_kernel_functions_and_where_they_are():
    """What has no source is the machine's own, and is not shown."""

    @routine("")
    def program():
        yield outer()

    _, (stack,) = walk(Continuations(), program(), [])
    assert functions(stack) == ("outer", "inner")
    assert innermost(stack) == "mm/inner.c"


@given(st.lists(st.integers(0, 2), max_size=6))
def test_remembering_changes_nothing(answers):
    """The cached evaluator and the one that runs all anew are at the same place, always."""
    assert walk(Continuations(), outer(), answers) == walk(
        Continuations(cached=False), outer(), answers
    )


def test_arguments_are_by_position():
    """A keyword would make one call look like two."""
    with pytest.raises(TypeError, match="by position"):
        inner(wanted=1)
