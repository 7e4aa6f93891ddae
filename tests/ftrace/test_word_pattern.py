# SPDX-License-Identifier: GPL-2.0-or-later
"""A pattern of words matches these words, and nothing else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.ftrace.word_pattern import either

# With an end that is in none of them, no word begins another.
WORDS = st.lists(st.text("abc.*", max_size=5).map(lambda word: word.encode() + b":"), max_size=12)


@given(WORDS, st.text("abc.*:", max_size=7).map(str.encode))
def test_the_pattern_matches_what_begins_with_one_of_the_words(words: list[bytes], text: bytes):
    """The words are matched whatever they share, and whatever else stands in them."""
    found = re.compile(either(words)).match(text)
    assert (found is not None) == text.startswith(tuple(words))
    assert found is None or found[0] in words


def test_what_words_share_is_looked_at_once():
    """What words share stands once in their pattern, so that a family costs no more than one."""
    assert either([b"xen_mc_batch:", b"xen_mc_issue:"]) == rb"xen_mc_(?:batch:|issue:)"


def test_no_words_match_nothing():
    """A pattern of no words matches nothing, not even an empty text."""
    assert re.compile(either([])).match(b"") is None
