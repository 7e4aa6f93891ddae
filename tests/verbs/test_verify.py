# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu.verify(VerifyRequest(...))`: searches, files, replays and ports, without a command."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.report.verify import json
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.witness.finding import Severity
from lazymmu.witness.machine.verdict import SearchOutcome

NAME = "xen-preempted-at-depth-two"
FILE = """\
litmus two
"A section inside a section."
machine: cpus 1, preempt full
entries: p pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    lazy_mmu_mode_enable
    set_pte p A
    lazy_mmu_mode_disable
    lazy_mmu_mode_disable
finally: p = B
"""


def ask(**given):
    """The answer, made in this process."""
    return lazymmu.verify(lazymmu.VerifyRequest(**({"jobs": 1} | given)))


def test_a_scenario_by_name_has_its_verdicts_and_findings():
    """Each with who is hurt, and the way there."""
    answer = ask(scenarios=NAME)
    assert {verdict.scenario for verdict in answer.verdicts} == {NAME}
    assert answer.exit_code() is ExitCode.FOUND
    assert {one.severity for one in answer.findings} == {Severity.HURTS}
    assert all(one.path and one.trace for one in answer.findings)
    assert len(answer.done) == len(answer.judged) == answer.wanted


def test_architectures_and_releases_narrow_the_runs():
    """A series stands for its newest release."""
    answer = ask(scenarios=[NAME], arches=["x86"], releases=["6.12"])
    assert {(one.arch, one.release.rpartition(".")[0]) for one in answer.verdicts} == {
        ("x86", "6.12")
    }


def test_a_file_is_held_to_what_it_expects():
    """It expects nothing, and so to hold; it does not."""
    file = lazymmu.Input(FILE.encode(), "two.litmus")
    answer = ask(files=[file], arches=["x86"], releases=["6.12"])
    assert [one.met for one in answer.judged] == [False]
    assert answer.exit_code() is ExitCode.FOUND


def test_a_result_is_taken_again():
    """Step by step, without a search."""
    first = ask(scenarios=[NAME], arches=["x86"], releases=["6.12"])
    text = json.of_runs(first.done, first.judged)
    second = ask(replay=lazymmu.Input(text.encode(), "before.json"))
    assert second.findings == first.findings
    assert {verdict.reason for verdict in second.verdicts} == {"replayed"}
    assert second.exit_code() is ExitCode.FOUND
    nothing = ask(replay=lazymmu.Input(text.encode(), "before.json"), scenarios=["no-such"])
    assert nothing.exit_code() is ExitCode.INCONCLUSIVE


def test_a_replayed_rule_that_is_none_is_not_believed():
    """A result that was changed by hand names what no rule and no wrong end is."""
    first = ask(scenarios=[NAME], arches=["x86"], releases=["6.12"])
    text = json.of_runs(first.done, first.judged).replace('"kernel-bug"', '"preemption"')
    with pytest.raises(lazymmu.Problem, match="the last step does not break preemption"):
        ask(replay=lazymmu.Input(text.encode(), "before.json"))


def test_counterexamples_are_told_as_traces_when_asked():
    """With why not, where none can be."""
    answer = ask(scenarios=[NAME], arches=["x86"], releases=["6.12"], traces=True)
    ((*_, last),) = answer.traces
    assert last[0] is answer.verdicts[0]
    assert ask(scenarios=[NAME], arches=["x86"], releases=["6.12"]).traces == ()


def test_bounds_end_a_search():
    """And the answer is open then."""
    answer = ask(scenarios=[NAME], arches=["x86"], releases=["6.12"], max_states=2)
    assert [one.verdict for one in answer.verdicts] == [SearchOutcome.INCONCLUSIVE]
    assert answer.exit_code() is ExitCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"scenarios": ["xen-preempted"]}, "there is no scenario 'xen-preempted'"),
        ({"arches": ["x68"]}, "there is no architecture 'x68'"),
        ({"releases": ["99"]}, "there is no release or feature '99'"),
        ({"rule": "no-rule"}, "there is no rule that machines show 'no-rule'"),
        ({"files": ["/nonexistent"]}, "cannot read /nonexistent"),
        ({"files": [lazymmu.Input(b"litmus ?", "a")]}, "a:1:"),
        ({"replay": lazymmu.Input(b"[]", "r")}, "r: this is no output of lazymmu verify"),
        ({"port": "/nonexistent.py"}, "/nonexistent.py"),
    ],
)
def test_what_cannot_be_is_one_sentence(given, sentence):
    """No traceback of ours, and nothing is searched."""
    with pytest.raises(lazymmu.Problem) as raised:
        ask(**given)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_nothing_is_printed(capfd):
    """Where the words go is the caller's matter."""
    ask(scenarios=[NAME], arches=["x86"], releases=["6.12"])
    assert capfd.readouterr() == ("", "")
