# SPDX-License-Identifier: GPL-2.0-or-later
"""Suppressions: judged findings, with reasons; anything misread would hide something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.verbs import suppressions
from lazymmu.verbs.suppressions import SuppressionError

RULES = ("nested-section", "sleep-in-section")


def read(text: str):
    """The entries of a file named s.toml."""
    return suppressions.read(text.encode(), "s.toml", RULES)


def test_an_entry_holds_where_everything_that_it_names_does(make_finding):
    """Rule, function and a file with wildcards narrow each other down."""
    (entry,) = read(
        """
        [[suppress]]
        rule = "nested-section"
        file = "mm/in*.c"
        function = "inner_pte_range"
        reason = "judged"
        """
    )
    assert entry.holds(make_finding())
    assert not entry.holds(make_finding(rule="sleep-in-section"))
    assert not entry.holds(make_finding(function="other"))
    assert not entry.holds(make_finding(file="fs/inner.c"))


def test_a_fingerprint_is_enough(make_finding):
    """The fingerprint in JSON output names one cause."""
    (entry,) = read('[[suppress]]\nfingerprint = "f1"\nreason = "judged"')
    assert entry.holds(make_finding(fingerprint="f1"))
    assert not entry.holds(make_finding(fingerprint="f2"))


def test_an_entry_that_matches_nothing_is_stale_and_says_which_it_is(make_finding):
    """What was suppressed and is gone should leave the file, too."""
    entries = read(
        """
        [[suppress]]
        rule = "nested-section"
        function = "inner_pte_range"
        reason = "judged"
        [[suppress]]
        rule = "nested-section"
        function = "gone"
        reason = "judged"
        """
    )
    (entry,) = suppressions.stale(entries, [make_finding()])
    assert str(entry) == "suppression 2 (nested-section, gone())"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("suppress = 1", "s.toml: `suppress` is not a list; entries begin with [[suppress]]"),
        ("suppress = [1]", "s.toml: suppression 1 is not a table; entries begin with [[suppress]]"),
        ("[[ignore]]", "s.toml: unknown key `ignore`; entries begin with [[suppress]]"),
        ('[[suppress]]\nfingerprint = "f"', "s.toml: suppression 1 gives no `reason`"),
        (
            '[[suppress]]\nfingerprint = "f"\nreason = " "',
            "s.toml: suppression 1: `reason` is not a text with something in it",
        ),
        (
            '[[suppress]]\nrule = "nested"\nfile = "a.c"\nreason = "r"',
            "s.toml: suppression 1: there is no rule `nested`",
        ),
        (
            '[[suppress]]\nrule = "nested-section"\nreason = "r"',
            "s.toml: suppression 1 needs a `fingerprint`, or a `rule` with `file` or `function`",
        ),
        (
            '[[suppress]]\nfingerprint = "f"\nreason = "r"\nline = "3"',
            "s.toml: suppression 1: unknown key `line`;"
            " there are rule, file, function, fingerprint, reason",
        ),
    ],
)
def test_what_is_no_suppression_is_refused_with_one_sentence(text, complaint):
    """A misspelt key must not silently widen or void an entry."""
    with pytest.raises(SuppressionError) as caught:
        read(text)
    assert str(caught.value) == complaint


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(junk):
    """No input brings down the reader."""
    try:
        suppressions.read(junk, "s.toml", RULES)
    except SuppressionError as error:
        assert str(error).startswith("s.toml: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = " + "9" * 5000, "it holds a number that cannot be read"),
        ("a = " + "[" * 100_000, "it is nested too deeply"),
        ("a = " + "{a = " * 50_000, "it is nested too deeply"),
        ("\xff", "it is not text in UTF-8"),
        ("\ufeff[[suppress]]", "Invalid statement"),
        ("a = 1\na = 2", "Cannot overwrite a value"),
        ("a" + ".a" * 50_000 + " = 1", "a key of 100 parts"),
        ("x = 1\n[a" + ' . "b"' * 50_000 + "]", "a key of 100 parts"),
        ("#" * (5 << 20), "it holds more than 4 MiB"),
    ],
)
def test_a_hostile_file_is_one_sentence_at_once(text, says):
    """Whatever the library makes of it; nothing takes the square of its length."""
    coded = text.encode("latin-1" if text == "\xff" else "utf-8")
    with pytest.raises(SuppressionError) as caught:
        suppressions.read(coded, "s.toml", RULES)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
