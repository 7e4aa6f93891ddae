# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu verify`: which runs, which answers, which exit codes; the searches are made up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from lazymmu.litmus import run as running
from lazymmu.litmus import shipped
from lazymmu.witness.machine.verdict import SearchOutcome, TraceStep, Verdict
from tests import made

NAME = "xen-preempted-at-depth-two"
STEP = TraceStep(0, "T0", ("lazy_mmu_mode_enable",), "enable", action="cpu0 goes on")


@pytest.fixture
def answers(monkeypatch):
    """Lets every search come to the verdict of a function of the run; returns what was asked."""

    def make(answer):
        asked = []

        def verify(run, limits, _progress=None):
            asked.append((run, limits))
            return answer(
                Verdict(
                    run.scenario.name,
                    run.arch,
                    run.release,
                    run.feature,
                    SearchOutcome.HOLDS,
                    states=5,
                )
            )

        monkeypatch.setattr(running, "verify", verify)
        return asked

    return make


def holds(verdict: Verdict) -> Verdict:
    """The answer that all is well."""
    return verdict


def violated(verdict: Verdict) -> Verdict:
    """The answer that it is not, on x86."""
    if verdict.arch != "x86":
        return verdict
    broken = made.broken("kernel-bug", "somebody is hurt", 1, 1, (STEP,))
    return replace(verdict, verdict=SearchOutcome.VIOLATED, violations=(broken,))


def test_without_arguments_it_is_the_short_table_of_small_scenarios(run, answers):
    """The first thing that anybody runs: without what stands below `also`."""
    asked = answers(holds)
    ran = run("verify", "--jobs", 1)
    assert ran.code == 0
    assert {one.scenario.name for one, _ in asked} == {
        scenario.name
        for scenario in running.library()
        if scenario.machine.size == "small" and not all(one.also for one in scenario.expect)
    }
    assert not any(
        one.scenario.expected(one.arch, one.feature, one.release).also for one, _ in asked
    )
    assert ran.out.startswith("scenario\n  on ")
    assert f"; {len(asked)} runs: {len(asked)} hold, {5 * len(asked)} states" in ran.err
    assert max(map(len, ran.out.splitlines())) <= 100


@pytest.mark.parametrize(
    "choice", [("--arch", "x86"), ("--release", "7.3.4"), ("--rule", "lost-update")]
)
def test_whoever_chooses_sees_what_else_is_expected(run, answers, choice):
    """The short table would leave gaps in an answer."""
    asked = answers(holds)
    run("verify", "--jobs", 1, *choice)
    assert any(one.scenario.expected(one.arch, one.feature, one.release).also for one, _ in asked)


def test_a_counterexample_ends_with_1_and_is_told_with_a_scenario(run, answers):
    """The table alone says which rule; with a scenario one sees how."""
    answers(violated)
    ran = run("verify", "--jobs", 1, "--quiet")
    assert ran.code == 1
    assert "CPU0" not in ran.out
    ran = run("verify", "--jobs", 1, "--scenario", NAME)
    assert ran.code == 1
    assert f"{NAME}: violated on x86 (" in ran.out
    assert "Harm: somebody is hurt" in ran.out
    assert "lazy_mmu_mode_enable()" in ran.out


def test_exit_zero_makes_a_counterexample_no_failure(run, answers):
    """For `make run`, where counterexamples are the point."""
    answers(violated)
    assert run("verify", "--jobs", 1, "--quiet", "--exit-zero").code == 0


@pytest.mark.parametrize(
    "answer", [SearchOutcome.INCONCLUSIVE, SearchOutcome.NEVER_OCCURS, SearchOutcome.NOT_APPLICABLE]
)
def test_no_answer_ends_with_3(run, answers, answer):
    """Hitting a bound is never the same as holding."""
    answers(lambda verdict: replace(verdict, verdict=answer, reason="deadline", never=("x",)))
    assert run("verify", "--jobs", 1, "--scenario", NAME).code == 3


def test_architectures_and_releases_choose_the_runs(run, answers):
    """Who asks for one release gets that one."""
    asked = answers(holds)
    run("verify", "--jobs", 1, "--scenario", NAME, "--arch", "x86", "--release", "6.12.38,7.3.4")
    assert [(one.arch, one.release) for one, _ in asked] == [("x86", "6.12.38"), ("x86", "7.3.4")]


def test_a_rule_chooses_its_scenarios_and_is_watched_alone(run, answers):
    """What is asked about one rule is answered about that rule."""
    asked = answers(holds)
    run("verify", "--jobs", 1, "--rule", "lost-update")
    names = {one.scenario.name for one, _ in asked}
    assert "unlock-before-leave" in names
    assert NAME not in names
    assert {one.scenario.watch for one, _ in asked} == {("lost-update",)}


def test_another_machine_can_be_asked_for(run, answers):
    """CPUs, tasks and preemption are the user's to change."""
    asked = answers(holds)
    options = ("--cpus", 3, "--tasks", 4, "--preempt", "lazy")
    run("verify", "--jobs", 1, "--scenario", NAME, *options)
    for one, _ in asked:
        assert (one.scenario.machine.cpus, one.scenario.machine.preempt) == (3, "lazy")
        assert len(one.scenario.tasks) == 4


def test_limits_and_the_engine_reach_the_search(run, answers):
    """Nobody waits for what he forbade."""
    asked = answers(holds)
    limits = ("--bound", 0, "--max-states", 9, "--seconds", 7, "--max-memory", 2)
    run("verify", "--jobs", 1, "--scenario", NAME, "--engine", "python", *limits)
    assert {limits for _, limits in asked} == {running.RunLimits("python", 0, 9, 2 << 20, 7)}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scenario", NAME[:-1]], f"did you mean {NAME}?"),
        (["--arch", "spark"], "there is no architecture 'spark'; did you mean sparc?"),
        (
            ["--release", "xen-tusk"],
            "there is no release or feature 'xen-tusk'; did you mean xen-task",
        ),
        (["--rule", "lost-updates"], "did you mean lost-update?"),
        (["--rule", "raw-arch-call"], "there is no rule that machines show 'raw-arch-call'"),
        (["--replay", "/nowhere"], "cannot read /nowhere: No such file or directory"),
        (["--cpus", "4"], "argument --cpus: '4' is not one of them; there are 1, 2, 3"),
        (["--rt", "--preempt", "full"], "not allowed with argument"),
        (["--bound", "-1"], "-1 is less than 0"),
    ],
)
def test_a_wrong_name_is_one_sentence_with_the_nearest(run, arguments, says):
    """A wrong name is one sentence with the nearest right one, since names are hard to remember."""
    ran = run("verify", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_nothing_to_run_is_said_and_ends_with_3(run, answers):
    """An empty table would look like success."""
    answers(holds)
    ran = run("verify", "--scenario", NAME, "--arch", "sparc")
    assert (ran.code, ran.out) == (3, "")
    assert "--all runs all of them" in ran.err


def test_the_list_names_scenarios_and_implementations(run):
    """What one can ask for can be seen, and for programs as JSON."""
    ran = run("verify", "--list")
    assert ran.code == 0
    for word in (*shipped.names(), "xen-nesting-count", "6.12.8"):
        assert word in ran.out
    value = json.loads(run("verify", "--list", "--format", "json").out)
    assert [row["name"] for row in value["scenarios"]] == shipped.names()


def test_ktap_is_about_expectations(run, answers):
    """A violation that the scenario expects is a test that passed."""
    answers(violated)
    ran = run("verify", "--jobs", 1, "--scenario", NAME, "--release", "6.12.8", "--format", "ktap")
    assert "\n  ok 1 x86 xen-nesting-count 6.12.8\n" in ran.out


def test_json_can_be_replayed_without_a_search(run, monkeypatch, tmp_path):
    """What was found once is shown again, on the machine itself."""
    file = tmp_path / "result.json"
    options = ("--scenario", NAME, "--release", "6.12.8", "--engine", "python", "--cpus", 2)
    ran = run("verify", *options, "--format", "json", "--output", file)
    assert ran.code == 1
    (result,) = json.loads(file.read_text())["results"]
    assert (result["rule"], result["preemptions"]) == ("kernel-bug", 1)
    monkeypatch.delattr(running, "verify")
    ran = run("verify", "--replay", file)
    assert ran.code == 1
    assert f"Shortest way: 1 preemption, {result['steps']} steps.\n" in ran.out
    assert "PREEMPTED" in ran.out
    again = json.loads(run("verify", "--replay", file, "--format", "json").out)
    assert again["results"][0]["trace"] == result["trace"]
    assert run("verify", "--replay", file, "--scenario", "another").code == 3


def test_a_result_that_the_machine_does_not_repeat_is_refused(run, tmp_path):
    """It was written by another version, or changed by hand."""
    file = tmp_path / "result.json"
    options = ("--scenario", NAME, "--release", "6.12.8", "--engine", "python")
    run("verify", *options, "--format", "json", "--output", file)
    file.write_text(file.read_text().replace('"cpu0 goes on"', '"cpu0 flies off"'))
    ran = run("verify", "--replay", file)
    assert (ran.code, ran.out) == (2, "")
    assert "step 1, cpu0 flies off, is none of this machine's" in ran.err
    assert ran.err.count("\n") == 1


def test_several_processes_give_the_results_in_the_order_of_one(run):
    """Who is ready first is nobody's business."""
    options = ("--scenario", NAME, "--engine", "python", "--format", "json", "--quiet")
    one, two = (
        json.loads(run("verify", "--jobs", jobs, *options).out)["results"] for jobs in (1, 2)
    )
    for result in (*one, *two):
        del result["seconds"]
    assert one == two
    assert len(one) > 2


def test_an_interrupted_search_ends_with_3_and_what_was_done(run, answers):
    """The searches before it are printed, and no other begins."""

    def interrupted(verdict):
        return replace(verdict, verdict=SearchOutcome.INCONCLUSIVE, reason="interrupt")

    asked = answers(interrupted)
    ran = run("verify", "--jobs", 1, "--scenario", NAME)
    assert ran.code == 3
    assert len(asked) == 1
    assert "inconclusive: interrupted (5 states seen)" in ran.out
    assert "lazymmu: interrupted: 1 of " in ran.err


def test_ctrl_c_between_searches_ends_with_3_and_what_was_done(run, answers):
    """It may come at any time."""
    count = iter(range(9))

    def second(verdict):
        if next(count) == 1:
            raise KeyboardInterrupt
        return verdict

    answers(second)
    ran = run("verify", "--jobs", 1, "--scenario", NAME)
    assert ran.code == 3
    assert ran.out.count("holds (5 states)") == 1


SLOW = r"""
import os, sys, time
from lazymmu.cli import main
from lazymmu.litmus import run as running
from lazymmu.witness.machine.verdict import SearchOutcome, Verdict

def verify(run, limits, progress=None):
    os.write(1, b"searching\n")  # in one piece: others write as well
    try:
        while True:
            progress(None)
            time.sleep(0.01)
    except KeyboardInterrupt:
        pass
    answer = SearchOutcome.INCONCLUSIVE
    return Verdict(run.scenario.name, run.arch, run.release, "", answer, reason="interrupt")

running.verify = verify
sys.exit(main(["verify", "--jobs", "2", "--scenario", sys.argv[1]]))
"""


def test_ctrl_c_ends_the_searches_of_all_processes(tmp_path):
    """A terminal sends it to all of them; each ends its search, and nothing is left behind."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, NAME],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for _ in ("alone, until it is late", "with others"):
            assert process.stdout.readline() == "searching\n"
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert process.returncode == 3, err
    assert "Traceback" not in err
    assert "inconclusive: interrupted" in out
    assert "lazymmu: interrupted: " in err


def open_(verdict: Verdict) -> Verdict:
    """The answer that a bound was hit."""
    return replace(verdict, verdict=SearchOutcome.INCONCLUSIVE, reason="max_states")


def skipped(verdict: Verdict) -> Verdict:
    """The answer that there is nothing to ask."""
    return replace(verdict, verdict=SearchOutcome.NOT_APPLICABLE, reason="no such kernel")


def broken_off(verdict: Verdict) -> Verdict:
    """The answer of a search that Ctrl-C ended before it began."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("answer", "all_of_them", "code"),
    [
        (violated, False, 0),
        (holds, False, 1),
        (open_, False, 1),
        (skipped, True, 3),
        (broken_off, False, 3),
    ],
)
def test_ktap_ends_as_its_lines_say(run, answers, answer, all_of_them, code):
    """A job is red if and only if one of its lines is."""
    answers(answer)
    # No scenario expects anything of it, so that it may not apply.
    which = ("--arch", "x86-native") if all_of_them else ("--release", "6.12.8")
    names = ("leave-before-unlock", "--all") if all_of_them else (NAME,)
    ran = run("verify", "--jobs", 1, "--scenario", *names, *which, "--format", "ktap")
    assert ran.code == code
    assert ("not ok" in ran.out) == (code == 1)
    assert "\n# Totals: " in ran.out
    assert run("verify", "--jobs", 1, "--scenario", *names, *which, "--format", "ktap",
               "--exit-zero").code == (0 if code == 1 else code)  # fmt: skip


def test_one_scenario_on_everything_is_a_matrix(run):
    """A line for each release, a column for each architecture; a dot where there is no mode."""
    done = run("verify", "--scenario", "entered-by-switch-and-task", "--all", "--exit-zero")
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines()[1:17]}
    heads = rows["release"]
    assert rows["7.0"][heads.index("x86")] == "BROKEN"
    assert rows["7.1.13"][heads.index("x86")] == "holds"
    assert rows["6.12.8"][heads.index("arm64")] == "."


def test_a_run_that_cannot_be_says_why(run):
    """An architecture that had no mode in the release that is named."""
    named = ("--scenario", "section-inside-section", "--arch", "arm64", "--release", "6.1")
    done = run("verify", *named)
    assert done.code == 3
    assert "arm64 has no lazy MMU mode that is known in 6.1; in 6.16-rc1, 6.17.8" in done.err
