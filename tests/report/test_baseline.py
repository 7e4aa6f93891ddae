# SPDX-License-Identifier: GPL-2.0-or-later
"""Baselines: what is written is read back; anything else is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.report import baseline
from lazymmu.report.baseline import BaselineError


def test_a_baseline_gives_back_the_fingerprints_as_often_as_they_were_there(make_finding):
    """Two equal mistakes are two entries."""
    findings = [make_finding(fingerprint=name) for name in ("b", "a", "b")]
    text = baseline.write(findings, [("mm/a.c", "f", "not built")], "6.12.8")
    assert baseline.read(text.encode(), "base.json") == baseline.Baseline(
        ("b", "a", "b"), (("mm/a.c", "f", "not built"),)
    )


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
