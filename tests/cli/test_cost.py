# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu cost`: counts in three formats, and one sentence for what cannot be counted."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from lazymmu.cli import main


def test_counts_are_shown_with_sections_without_and_around_all(capsys):
    """One line for each machine and number of entries, and what preemption off means."""
    assert main(["cost", "change_pte_range", "--arch", "x86", "--entries", "1,8,512", "-q"]) == 0
    out = capsys.readouterr().out
    lines = [line.split("  ") for line in out.splitlines() if line.startswith("x86")]
    assert [line[1].strip() for line in lines] == ["user", "user", "user"]
    assert "512 hypercalls, off 512" in out
    assert "17 hypercalls, off 512" in out
    assert "preemption is off for N writes" in out


def test_a_loss_is_said_as_plainly_as_a_win(capsys):
    """Sections that put nothing off on a machine are told to be a loss there."""
    assert main(["cost", "change_pte_range", "--arch", "arm64", "--entries", "8", "-q"]) == 0
    assert "are a loss: nothing is put off in them" in capsys.readouterr().out


def test_numbers_that_cannot_be_counted_leave_the_others(capsys):
    """move_ptes() is counted for one entry, and why not for more is said once a machine."""
    assert main(["cost", "move_ptes", "--arch", "x86", "-q", "--format", "json"]) == 0
    told = capsys.readouterr()
    assert [row["entries"] for row in json.loads(told.out)["rows"]] == [1]
    assert told.err.count("it has no count for more") == 1
    assert main(["cost", "move_ptes", "--arch", "x86", "-q", "--entries", "8"]) == 3


def test_json_and_csv_have_the_same_counts(capsys):
    """A line of csv for each count of the JSON document."""
    assert main(["cost", "zap_pte_range", "--entries", "300", "--format", "json", "-q"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert main(["cost", "zap_pte_range", "--entries", "300", "--format", "csv", "-q"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    counts = {
        (row["arch"], scope): numbers["invalidations"]
        for row in document["rows"]
        for scope, numbers in row["counts"].items()
    }
    assert {(row["arch"], row["scope"]): int(row["invalidations"]) for row in rows} == counts
    assert counts["powerpc", "none"] == 300
    assert counts["powerpc", "range"] == 2


def test_operations_that_can_be_counted_are_listed(capsys):
    """Names of kernel functions, one a line, and none that needs another one before it."""
    assert main(["cost", "--list"]) == 0
    names = capsys.readouterr().out.split()
    assert {"change_pte_range", "set_pte", "vmap_pages_pte_range"} <= set(names)
    assert not {"kunmap_local", "spin_lock", "ptep_get"} & set(names)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name an operation"),
        (["chnge_pte_range"], "did you mean change_pte_range"),
        (["set_pte", "--entries", "0"], "no number of entries"),
        (["set_pte", "--entries", "1,x"], "no number of entries"),
        (["set_pte", "--entries", "99999999999"], "no number of entries"),
        (["set_pte", "--arch", "xtensa"], "no architecture"),
        (["set_pte", "--release", "9.x.1"], "no release or feature"),
        (["set_pte", "--format", "yaml"], "no format"),
    ],
)
def test_what_cannot_be_counted_is_one_sentence(words, said, capsys):
    """Exit code 2, nothing on standard output, no traceback."""
    assert main(["cost", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_release_that_an_architecture_lacks_is_told_and_the_rest_is_counted(capsys):
    """arm64 has no mode in 6.12: said on standard error, and x86 has its counts."""
    words = ["cost", "set_pte", "--release", "6.12", "--arch", "x86,arm64", "--entries", "8"]
    assert main([*words, "-q"]) == 0
    out, err = capsys.readouterr()
    assert "x86 6.12.117" in out
    assert "arm64" in err
    assert main(["cost", "set_pte", "--release", "6.12", "--arch", "arm64", "-q"]) == 3


TRACES = Path(__file__).parents[2] / "examples" / "trace"


def test_a_machine_counts_what_a_recording_of_its_release_shows(capsys):
    """Xen 6.12.107: 157 entries went in 11 hypercalls, on the machine as on the kernel that ran."""
    trace = str(TRACES / "xen-6.12.107.trace.gz")
    assert main(["cost", trace, "--arch", "x86", "--format", "json", "-q"]) == 0
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    (again,) = recording["elsewhere"]
    whole = recording["whole"]
    assert (again["without"], again["with"]) == (whole["put_off"], whole["calls"]) == (157, 11)


def test_two_recordings_are_compared_with_how_sure_that_is(capsys):
    """Each difference has its interval; a recording without entries is told to have none."""
    names = [str(TRACES / f"{name}.trace.gz") for name in ("xen-6.12.107", "xen-7.1.13.latency")]
    assert main(["cost", *names, "-q"]) == 0
    assert "95 %" in capsys.readouterr().out
    assert main(["cost", str(TRACES / "sparc64-7.1.13.trace.gz"), "-q"]) == 3
    assert "is not in the recording" in capsys.readouterr().out


def test_a_scenario_and_another_release_are_counted_beside(capsys):
    """What the nested set_ptes() of 6.12.8 costs, against 6.12.38 without it."""
    words = ["remap_pte_range", "--arch", "x86", "--release", "6.12.8", "--entries", "32"]
    assert main(["cost", *words, "--against", "6.12.38", "--format", "json", "-q"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["counts"]["table"]["hypercalls"], row["against"]["hypercalls"]) == (32, 2)
    assert main(["cost", "--scenario", "flush-then-use", "-q"]) == 0
    assert "flush-then-use" in capsys.readouterr().out
