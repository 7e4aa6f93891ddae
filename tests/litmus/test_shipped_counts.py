# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped scenarios: how large they are, and that all engines count the same."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from lazymmu.litmus.judge import judge
from lazymmu.litmus.run import RunLimits, library, runs, verify
from tools import litmus_counts

SCENARIOS = library()
KNOWN = litmus_counts.read(litmus_counts.FILE.read_text(encoding="utf-8"))
NAMES = [scenario.name for scenario in SCENARIOS if scenario.machine.size == "small"]
FASTER = ["numpy"] + ["numba"] * (find_spec("numba") is not None)


def of(name, **given):
    """The runs of one scenario."""
    return runs((one for one in SCENARIOS if one.name == name), **given)


@pytest.mark.parametrize("name", NAMES)
def test_every_run_is_as_expected_and_as_large_as_it_was(name):
    """States, transitions and the shortest ways of all expected runs, counted again."""
    for run in of(name):
        verdict = verify(run, RunLimits(engine="numpy"))
        judged = judge(run.scenario, verdict)
        assert judged.met, (run.arch, run.release, judged.sentences)
        assert litmus_counts.count(verdict) == KNOWN[litmus_counts.key(run)], (
            run.arch,
            run.release,
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_engine_counts_what_the_fast_ones_count(name):
    """It shares no cache with them, not even of places in programs.

    Of each scenario the runs of the short table; of one that is not in it the smallest run.
    """
    chosen = of(name, also=False) or [
        min(of(name), key=lambda run: KNOWN[litmus_counts.key(run)].states)
    ]
    for run in chosen:
        plain = litmus_counts.count(verify(run, RunLimits(engine="python")))
        assert plain == KNOWN[litmus_counts.key(run)], (run.arch, run.release)
        for engine in FASTER:
            assert litmus_counts.count(verify(run, RunLimits(engine=engine))) == plain, (
                run.arch,
                engine,
            )


def test_the_file_of_counts_is_about_the_runs_that_there_are():
    """`python -m tools.litmus_counts --write` makes it anew."""
    assert list(KNOWN) == [litmus_counts.key(run) for run in litmus_counts.counted()]


def test_what_is_read_is_what_was_written():
    """The file is made from what it says."""
    assert litmus_counts.render(KNOWN) == litmus_counts.FILE.read_text(encoding="utf-8")


def test_what_differs_from_the_file_is_said(monkeypatch, tmp_path, capsys):
    """Whoever changes a machine wants to see what that did."""
    few = of("free-after-leave", arches={"x86"})
    monkeypatch.setattr(litmus_counts, "counted", lambda: few)
    monkeypatch.setattr(litmus_counts, "FILE", tmp_path / "counts.toml")
    assert litmus_counts.main(["--write"]) == 0
    assert litmus_counts.main([]) == 0
    text = litmus_counts.FILE.read_text(encoding="utf-8").replace("states = ", "states = 1", 1)
    litmus_counts.FILE.write_text(text, encoding="utf-8")
    assert litmus_counts.main(["--engine", "numpy"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("free-after-leave x86 ")
    assert said.count("\n") == 1


def test_nearly_all_have_less_than_five_thousand_states():
    """And none of them more than the plain engine manages in CI."""
    states = sorted(one.states for one in KNOWN.values())
    assert states[-1] < 100_000
    assert states[len(states) * 19 // 20] < 5_000
