# SPDX-License-Identifier: GPL-2.0-or-later
"""Counterexamples in the terminal: stepped through by keys, one after the other."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from lazymmu import VerifyRequest, verify
from lazymmu.cli.stepper import Stepper, ways_of

SCENARIOS = ("pagemap-scan-unlocks-first", "hash-stuck-active")


@pytest.fixture(scope="module")
def ways():
    """Counterexamples of two scenarios."""
    return ways_of(verify(VerifyRequest(scenarios=SCENARIOS, jobs=1)).done)


def stepped(ways, *keys, size=(140, 45)):
    """The stepper after some keys, with what it then says of the step at hand."""

    async def drive():
        app = Stepper(ways)
        async with app.run_test(size=size) as pilot:
            for key in keys:
                await pilot.press(key)
            await pilot.pause()
            said = "\n".join(str(app.query_one(part).content) for part in ("#head", "#what"))
            return app.shown, app.step, said

    return asyncio.run(drive())


def test_arrow_keys_step_and_stop_at_both_ends(ways):
    """From before the first step to the one that breaks the rule."""
    last = len(ways[0].steps)
    assert stepped(ways)[1] == 0
    assert stepped(ways, "right", "right", "right", "left")[1] == 2
    assert stepped(ways, "left")[1] == 0
    assert stepped(ways, "end")[1] == last
    assert stepped(ways, "end", "right")[1] == last
    assert stepped(ways, "down", "down", "home")[1] == 0


def test_the_step_at_hand_is_told_with_its_functions_and_where_they_are(ways):
    """As on a page: who, what, and the place in the kernel."""
    _, number, said = stepped(ways, *["right"] * 6)
    step = ways[0].steps[number - 1]
    assert number == 6
    assert f"Step 6 of {len(ways[0].steps)}" in said
    assert step.place in said
    for stack, source in step.calls:
        assert all(f"{name}()" in said for name in stack)
        assert source in said


def test_other_counterexamples_are_a_key_away(ways):
    """The next, the one before, and round again."""
    assert stepped(ways, "right", "n")[:2] == (ways[1], 0)
    assert stepped(ways, "p")[0] is ways[-1]
    assert stepped(ways, *["n"] * len(ways))[0] is ways[0]


def test_hostile_names_are_text_in_the_terminal(ways):
    """Neither escapes nor the markup of the widgets' own language act."""
    bad = "[bold]x[/bold]\x1b[31m\u202e"
    step = replace(ways[0].steps[0], happened=bad, note=bad)
    way = replace(ways[0], scenario=bad, sentence=bad, steps=(step, *ways[0].steps[1:]))
    _, _, said = stepped([way], "right")
    assert said.count("[bold]x[/bold]\\x1b[31m\\u202e") == 4


def test_stepping_needs_a_terminal_and_says_so_in_one_sentence(run):
    """A pipe gets no half of a screen; and formats are for files."""
    ran = run("verify", "--scenario", SCENARIOS[0], "--step")
    assert ran.code == 2
    assert "--step needs a terminal" in ran.err
    for option in (("--format", "json"), ("--html", "x.html"), ("--output", "x"), ("--list",)):
        ran = run("verify", "--scenario", SCENARIOS[0], "--step", *option)
        assert ran.code == 2
        assert "no format and no file" in ran.err
