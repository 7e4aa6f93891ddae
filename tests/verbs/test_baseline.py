# SPDX-License-Identifier: GPL-2.0-or-later
"""Baselines: what is written is read back; anything else is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.verbs import baseline
from lazymmu.verbs.baseline import BaselineError


def test_a_baseline_gives_back_the_fingerprints_as_often_as_they_were_there(make_finding):
    """Two equal mistakes are two entries."""
    findings = [make_finding(fingerprint=name) for name in ("b", "a", "b")]
    text = baseline.write(findings, [("mm/a.c", "f", "not built")], ["x86"], "6.12.8")
    assert baseline.read(text.encode(), "base.json") == baseline.Baseline(
        ("b", "a", "b"), (("mm/a.c", "f", "not built"),), ("x86",)
    )


def test_a_known_line_that_breaks_another_rule_is_not_in_the_baseline(make_finding):
    """Its name is the same, and nobody has ever seen that it does; less than before is known."""
    plain = make_finding(rule="unlock-before-flush", fingerprint="a")
    more = make_finding(rule="unlock-before-flush", fingerprint="a", also=("section-outside-lock",))
    for then, now, known in ((plain, plain, True), (plain, more, False), (more, plain, True)):
        text = baseline.write([then], [], ["x86"], "6.12.8").encode()
        assert baseline.read(text, "base.json").known([now], lambda *_: True)(now) is known
    whole = json.loads(baseline.write([plain], [], ["x86"], "6.12.8"))
    del whole["findings"][0]["also"]
    older = baseline.read(json.dumps(whole).encode(), "base.json")
    assert older.known([more], lambda *_: True)(more)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "base.json: not a baseline: it is not JSON"),
        ("[" * 100_000, "base.json: not a baseline: it is not JSON"),
        ("[]", "base.json: not a baseline of lazymmu (write one with --write-baseline)"),
        (
            '{"kind": "lazymmu-baseline", "format": 9}',
            "base.json: a baseline of another format; write it anew",
        ),
        (
            '{"kind": "lazymmu-baseline", "format": 1, "findings": {}}',
            "base.json: a broken baseline: `findings` is not a list",
        ),
        (
            '{"kind": "lazymmu-baseline", "format": 1, "findings": [{"fingerprint": 1}]}',
            "base.json: a broken baseline: finding 1 has no fingerprint",
        ),
        (
            '{"kind": "lazymmu-baseline", "format": 1, "findings":'
            ' [{"fingerprint": "a", "also": "b"}]}',
            "base.json: a broken baseline: `also` of finding 1 is not a list of names",
        ),
    ],
)
def test_a_broken_baseline_is_refused_with_one_sentence(text, complaint):
    """A baseline that is half read would hide findings or report old ones."""
    with pytest.raises(BaselineError) as caught:
        baseline.read(text.encode(), "base.json")
    assert str(caught.value) == complaint


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "format", "findings", "fingerprint"]), inner)
    ),
    max_leaves=8,
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(junk):
    """No input brings down the reader."""
    try:
        baseline.read(junk, "base.json")
    except BaselineError as error:
        assert str(error).startswith("base.json: ")


WHOLE = '{"kind": "lazymmu-baseline", "format": 1, "release": "6.6", "findings": [%s]}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            WHOLE.replace('"format": 1', '"format": 1, "format": 1') % "",
            "the key 'format' stands twice",
        ),
        (WHOLE % '{"fingerprint": "a", "fingerprint": "b"}', "the key 'fingerprint' stands twice"),
        (WHOLE.replace("1", "true") % "", "of another format"),
        (WHOLE.replace("1", "1.0") % "", "of another format"),
        (WHOLE.replace("1", '"1"') % "", "of another format"),
        (WHOLE.replace("1", "2") % "", "of another format"),
        (WHOLE.replace("1", "9" * 5000) % "", "it is not JSON"),
        (WHOLE.replace('"6.6"', "NaN") % "", "NaN is no number of JSON"),
        (WHOLE.replace('"6.6"', "-Infinity") % "", "-Infinity is no number of JSON"),
        (WHOLE.replace('"6.6"', "[]") % "", "`release` is not a text"),
        (WHOLE % '{"fingerprint": "a", "file": 1}', "`file` of finding 1 is not a text"),
        (WHOLE % '"a"', "finding 1 has no fingerprint"),
        ("\ufeff" + WHOLE % "", "it begins with a byte order mark"),
        ("[" * 200_000, "it is not JSON"),
        (WHOLE % ("[" * 200_000 + "]" * 200_000), "it is not JSON"),
    ],
)
def test_what_two_readers_could_take_for_two_things_is_refused(text, says):
    """One sentence; no number, depth or mark shows the insides of the reader."""
    with pytest.raises(BaselineError) as caught:
        baseline.read(text.encode(), "base.json")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("coding", ["utf-16", "utf-32", "latin-1"])
def test_a_baseline_is_utf_8(coding):
    """A baseline is read as UTF-8, as it was written."""
    text = (WHOLE % '{"fingerprint": "\xe4"}').encode(coding)
    with pytest.raises(BaselineError, match="it is not text in UTF-8"):
        baseline.read(text, "base.json")


@given(st.binary(max_size=60) | st.text(st.sampled_from('{}[]":,1eN.-\\\u0000'), max_size=60))
def test_no_bytes_show_the_insides_of_the_reader(text):
    """They are a baseline, or one sentence."""
    try:
        baseline.read(text if isinstance(text, bytes) else text.encode(), "base.json")
    except BaselineError as error:
        assert str(error).startswith("base.json: ")
