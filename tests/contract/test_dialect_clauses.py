# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of a tree is read as people write it: in their words, with their line breaks."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract.dialect_clauses import (
    clauses,
    forbids_interrupts,
    forbids_nesting,
    forbids_sleeping,
    ignores_interrupts,
    permits_nesting,
    promises_no_lock,
)
from lazymmu.contract.dialects import Interrupts, Nesting, detect

FORBIDDEN = (
    "Nesting is not permitted.",
    "Nesting is not allowed",
    "Nesting of lazy MMU sections is not supported.",
    "nesting not supported",
    "Nesting: not supported.",
    "Nesting isn't allowed.",
    "Nesting of the calls is currently not permitted.",
    "Sections may not be nested.",
    "The mode must not be nested; the inner end would leave it.",
    "It cannot be nested.",
    "Lazy MMU mode can't nest.",
    "Sections must never nest",
    "Sections do not nest.",
    "This mode does not support nesting.",
    "Nesting is forbidden.",
    "Nested sections are prohibited.",
    "It is illegal to nest sections.",
    "Never nest two sections.",
    "Calls to it shouldn't be nested.",
    "Entering the mode recursively is not allowed.",
    "Sections are not allowed to nest.",
    "The calls are not re-entrant.",
    "The pair is non-nestable.",
)

ALLOWED = (
    "Nesting is permitted: <code> may itself use an enable()/disable() pair.",
    "Nesting is allowed.",
    "Sections may be nested.",
    "Sections can nest.",
    "The mode may nest",
    "It may safely be nested.",
    "Calls may be safely nested to any depth.",
    "Nesting is supported, and the mode may not be left in between.",
    "The mode supports nesting.",
    "The API allows nesting.",
    "It is legal to nest sections.",
    "These calls nest.",
    "Sections are nestable.",
    "Sections are allowed to nest.",
    "Nesting is permitted. A nested call has no functional effect; pauses must not be nested.",
)

SILENT = (
    "The mode delays writes until it is left.",
    "pause() leaves the mode regardless of the nesting level.",
    "pause()/resume() pairs may nest.",
    "Pausing is not supported in a nested section.",
)


def comment(text: str, width: int, style: str) -> str:
    """A kernel comment of that width."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    if style == "//":
        return "".join(f"// {line}\n" for line in lines)
    return "/*\n" + "".join(f" * {line}\n" for line in lines) + " */\n"


@pytest.mark.parametrize(
    ("said", "nesting"),
    [
        *((one, Nesting.FORBIDDEN) for one in FORBIDDEN),
        *((one, Nesting.ALLOWED) for one in ALLOWED),
        *((one, Nesting.SILENT) for one in SILENT),
    ],
)
@pytest.mark.parametrize("style", ["/*", "//"])
def test_what_is_said_of_nesting_decides_however_it_is_wrapped(
    said: str, nesting: Nesting, style: str
) -> None:
    """Any line may end between any two words."""
    for width in range(10, 80):
        assert detect(comment(said, width, style), set()).nesting is nesting, width


@pytest.mark.parametrize(
    ("said", "interrupts"),
    [
        ("The mode cannot be used in interrupt context.", Interrupts.FORBIDDEN),
        ("It must not be entered from an interrupt handler.", Interrupts.FORBIDDEN),
        ("Never use it in hard interrupt context.", Interrupts.FORBIDDEN),
        ("Use in interrupts is forbidden in interrupt context.", Interrupts.FORBIDDEN),
        ("The mode is disabled in interrupt context.", Interrupts.NO_OP),
        ("Calls have no effect in interrupt context.", Interrupts.NO_OP),
        ("In interrupt context all calls are no-ops.", Interrupts.NO_OP),
        ("Calls from interrupts are rare.", Interrupts.SILENT),
    ],
)
def test_what_is_said_of_interrupts_decides(said: str, interrupts: Interrupts) -> None:
    """That calls do nothing there is more than that they are forbidden."""
    for width in range(10, 80, 7):
        assert detect(comment(said, width, "/*"), set()).interrupts is interrupts


@pytest.mark.parametrize(
    ("said", "asked", "answer"),
    [
        ("Generic code may not sleep in it.", forbids_sleeping, True),
        ("Code must never sleep while it is on.", forbids_sleeping, True),
        ("Sleeping is not allowed.", forbids_sleeping, True),
        ("It may sleep.", forbids_sleeping, False),
        ("No lock is guaranteed to be held.", promises_no_lock, True),
        ("No page table locks are required.", promises_no_lock, True),
        ("Locks are not necessarily held.", promises_no_lock, True),
        ("It is entered under the page table locks.", promises_no_lock, False),
    ],
)
def test_what_is_said_of_sleep_and_locks_decides(said: str, asked: object, answer: bool) -> None:
    """The same for the other clauses."""
    assert callable(asked)
    assert asked(clauses(comment(said, 24, "/*"))) is answer


@given(st.text(alphabet="nest ing not may be is allowed.;:()*/\n-'", max_size=300))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    """It is somebody's comment: whatever it says, there is an answer, and one alone."""
    said = clauses(text)
    assert forbids_nesting(said) in (True, False)
    assert permits_nesting(said) in (True, False)
    assert ignores_interrupts(said) in (True, False)
    assert forbids_interrupts(said) in (True, False)
