# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings by a clock that counts (x86-tsc, counter): no verb takes a count for a time."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from lazymmu.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples" / "trace"
SECONDS = re.compile(r"\d(?:\.\d+)? (?:s|ms|us|ns)\b")
PEOPLE = [
    ["cost"],
    ["trace", "--summary"],
    ["trace", "--format", "html"],
    ["cost", "--format", "html"],
]


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """A recording that ships, its times written as counts."""
    text = gzip.decompress((EXAMPLES / "xen-6.12.107.trace.gz").read_bytes())
    made = re.sub(rb"(?m)^(.{30,60}? )( *\d+)\.(\d{6}): ", rb"\1\2\3: ", text)
    assert made != text
    path = tmp_path_factory.mktemp("counted") / "counted.trace"
    path.write_bytes(made)
    return path


def said(capsys, *words):
    """What is printed."""
    assert main([*map(str, words), "--quiet"]) in (0, 1, 3)
    return capsys.readouterr().out


def visible(text):
    """What is told of times, without script and style."""
    return re.sub(r"(?s)<(script|style)\b.*?</\1>", "", text)


@pytest.mark.parametrize("words", PEOPLE, ids=" ".join)
def test_no_time_is_told_in_seconds(words, counted, capsys):
    """Times are said to be counts; the same recording by the usual clock has seconds."""
    recording = EXAMPLES / "xen-6.12.107.trace.gz"
    verb, *more = words
    plain = visible(said(capsys, verb, recording, *more))
    assert SECONDS.search(plain)
    text = visible(said(capsys, verb, counted, *more))
    assert not SECONDS.search(text), SECONDS.search(text)
    assert re.search(r"times are counts of the trace(?:'|&#39;)s clock", text)


def test_programs_are_told_that_times_are_counts(counted, capsys):
    """JSON says so; CSV, which has a column of nanoseconds, leaves it empty."""
    made = json.loads(said(capsys, "cost", counted, "--format", "json"))
    assert [one["counts"] for one in made["recordings"]] == [True]
    head, *rows = said(capsys, "cost", counted, "--format", "csv").splitlines()
    assert head.endswith(",nanoseconds")
    assert rows
    assert all(row.endswith(",") for row in rows)


def test_two_recordings_are_not_compared_by_the_second(counted, capsys):
    """How many sections there are in a second, a clock without a unit cannot tell."""
    text = said(capsys, "cost", counted, counted)
    assert "entries put off by a section" in text
    assert "in a second" not in text


def test_a_timeline_says_what_its_microseconds_are(counted, capsys, tmp_path):
    """Its format has no other unit."""
    out = tmp_path / "out.json"
    said(capsys, "trace", counted, "--timeline", out)
    made = json.loads(out.read_text())
    assert "one count of the trace's clock" in made["otherData"]["clock"]
    labels = [one for one in made["traceEvents"] if one["name"] == "process_labels"]
    assert len(labels) == 3
    said(capsys, "trace", EXAMPLES / "xen-6.12.107.trace.gz", "--timeline", out)
    assert "clock" not in json.loads(out.read_text())["otherData"]


def test_a_page_s_timeline_is_drawn_in_counts(counted, capsys):
    """The script is told, as it has the unit of its axis to say."""
    page = said(capsys, "trace", counted, "--format", "html")
    data = re.search(r'(?s)id="lazymmu-timeline"[^>]*>(.*?)</script>', page)
    assert data is not None
    assert [one["counts"] for one in json.loads(data[1])["traces"]] == [True]


def test_a_plot_has_counts_on_its_axis(counted, capsys, tmp_path):
    """The axis of lengths counts as the clock does, and has no microseconds."""
    pytest.importorskip("matplotlib")
    out = tmp_path / "out.svg"
    said(capsys, "trace", counted, "--plot", out)
    text = out.read_text()
    assert "in counts of the trace's clock" in text
    assert not re.search(r">[^<]*\d (?:s|ms|us|ns)\b", text)
