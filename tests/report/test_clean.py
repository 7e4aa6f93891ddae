# SPDX-License-Identifier: GPL-2.0-or-later
"""What a stranger's text looks like when it is shown."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.json_text import dump
from lazymmu.report.common.words import clean as clean_of_formats
from lazymmu.terminal import LONGEST, clean, clean_lines, message_of

HOSTILE = st.text(st.characters(), max_size=80)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mm/a.c: fine, até mais, 漢字", "mm/a.c: fine, até mais, 漢字"),
        ("\x1b[31m\a\x7f\x9b", r"\x1b[31m\x07\x7f\x9b"),
        ("a\nb\tc\rd", r"a\x0ab\x09c\x0dd"),
        ("\u202eevil\u2066\u200b\u00ad\ufeff", r"\u202eevil\u2066\u200b\xad\ufeff"),
        ("\u2028\u2029\u00a0\u3000", r"\u2028\u2029\xa0\u3000"),
        ("\U000e0041\udcff\ue000", r"\U000e0041\udcff\ue000"),
        ("a\u034fb\u3164c\ufe0f\U000e0100", r"a\u034fb\u3164c\ufe0f\U000e0100"),
        (r"\x1b", r"\x1b"),
    ],
)
def test_what_acts_on_a_terminal_is_spelt_out_and_what_is_seen_stays(text, shown):
    """As Python spells it in a string."""
    assert clean(text) == shown


@given(HOSTILE)
def test_nothing_that_acts_is_left_and_cleaning_twice_is_cleaning_once(text):
    """Whatever the text is: on one line, and nothing of the categories that are not seen."""
    shown = clean(text)
    assert not any(
        unicodedata.category(character)[0] in "CZ" for character in shown if character != " "
    )
    assert clean(shown) == shown
    assert clean_lines(shown) == shown


@given(HOSTILE)
def test_a_report_keeps_its_lines_and_nothing_else_that_acts(text):
    """Newlines and tabs are the layout's."""
    shown = clean_lines(text)
    assert shown.count("\n") == text.count("\n")
    assert shown.replace("\n", "").replace("\t", "").isprintable()


@pytest.mark.parametrize("one", ["n", "\x1b", "\u202e"])
@pytest.mark.parametrize("length", [LONGEST, 5000, 3_000_000])
def test_a_long_name_is_shortened_in_the_middle(one, length):
    """Its beginning and its end are what one knows it by; by how much is said."""
    shown = clean("BEGIN" + one * length + "END")
    assert len(shown) <= LONGEST
    assert shown.startswith("BEGIN")
    assert shown.endswith("END")
    assert " characters left out ..." in shown


def test_what_fits_is_not_shortened():
    """A text that fits up to its last character is not shortened."""
    assert clean("n" * LONGEST) == "n" * LONGEST


def test_there_is_one_way_to_clean():
    """The formats' name for it is no other function."""
    assert clean_of_formats is clean


@given(HOSTILE)
def test_json_is_printable_ascii_and_says_the_same(text):
    """A program reads it back; a person may look at it."""
    written = dump({text: [text]})
    assert written.isascii()
    assert written.replace("\n", "").isprintable()
    assert json.loads(written) == {text: [text]}


def test_an_exception_that_cannot_say_what_it_is_does_not_end_the_program():
    """Its own code may fail in any way, too."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise SystemExit(0)

    assert message_of(Mute()) == "its message cannot be had (SystemExit)"
    assert message_of(ValueError("no")) == "no"
