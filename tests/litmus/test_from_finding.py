# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of source as scenarios: what the path does is what a machine then does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import lazymmu
from lazymmu.cli.command import main
from lazymmu.litmus.from_finding import UntoldError, scenario_of
from lazymmu.litmus.run import load
from lazymmu.verbs.given import Input
from lazymmu.witness.finding import Finding, PathEvent, Severity

EXAMPLES = Path(__file__).parents[2] / "examples"
NEW = EXAMPLES / "linux-new"
MINE = "b3555c87329984c6"


@pytest.fixture(scope="module", params=["linux-new", "linux-old"])
def findings(request) -> tuple[Finding, ...]:
    """What there is to find in an example."""
    return lazymmu.check(str(EXAMPLES / request.param)).findings


def told(findings) -> dict[str, tuple[Finding, str]]:
    """The findings that have a scenario, by its name, with its text."""
    found = {}
    for one in findings:
        try:
            text = scenario_of(one)
        except UntoldError:
            continue
        found[load(text, "mine").name] = (one, text)
    return found


def test_every_finding_of_what_a_machine_shows_has_a_scenario(findings):
    """Left are those about the text alone, and those inside of an implementation."""
    known = {one.fingerprint for one, _ in told(findings).values()}
    left = {one.rule for one in findings if one.fingerprint not in known}
    assert left <= {"raw-arch-call", "unpinned-batch", "batch-mixes-mm"}


def test_the_scenario_of_a_finding_breaks_the_same_rule(findings):
    """On an architecture that it is about: but for flushes of the TLB that do nothing there."""
    found = told(findings)
    files = [Input(text.encode(), name) for name, (_, text) in found.items()]
    new = any(one.rule == "unbalanced-pause" for one, _ in found.values())
    answer = lazymmu.verify(
        lazymmu.VerifyRequest(
            files=files,
            arches=["x86", "sparc", "powerpc", "worst-case"],
            releases=["7.1.13" if new else "6.12.8"],
            everything=True,
            jobs=1,
        )
    )
    broken: dict[str, set[str]] = {name: set() for name in found}
    for verdict in answer.verdicts:
        broken[verdict.scenario] |= {one.rule for one in verdict.violations}
    silent = [found[name][0] for name, rules in broken.items() if found[name][0].rule not in rules]
    assert {(one.rule, str(one.severity)) for one in silent} <= {
        ("tlb-flush-in-section", "breaks-text")
    }


def finding(rule: str, *events: PathEvent) -> Finding:
    """A finding that has these events."""
    where = {"file": "mm/a.c", "line": 7, "function": "change"}
    said = {"message": "does what it should not", "fingerprint": "0123456789abcdef"}
    return Finding(rule=rule, severity=Severity.HURTS, events=events, **where, **said)


def test_locks_and_entries_are_those_of_the_path():
    """Two locks, of which one covers no table, and an entry under the other one."""
    text = scenario_of(
        finding(
            "unlock-before-flush",
            PathEvent("Take", "&mm->stats", "", "other", line=1, file="mm/a.c"),
            PathEvent("Take", "ptl", "", "ptl", line=2, file="mm/a.c"),
            PathEvent("Enable", line=3, file="mm/a.c"),
            PathEvent("Write", "pte", "set_pte_at", "pte", "user", line=4, file="mm/a.c"),
            PathEvent("Drop", "ptl", "", "ptl", line=5, file="mm/a.c"),
        )
    )
    scenario = load(text, "mine")
    (entry,) = scenario.entries
    assert (scenario.locks, entry.locks, entry.space) == (("O",), ("L",), "user")
    first, second = scenario.tasks
    assert [line.name for line in first.operations] == [
        "spin_lock",
        "spin_lock",
        "lazy_mmu_mode_enable",
        "set_pte_at",
        "spin_unlock",
        "lazy_mmu_mode_disable",
        "spin_unlock",
    ]
    assert second.operations[0].args == ("L",)
    assert "# mm/a.c:4 set_pte_at()" in text


def test_interrupts_are_off_until_the_outermost_of_a_path_lets_them_in():
    """What keeps them off inside keeps what it finds, and the machine counts none of it."""
    made = finding(
        "sleep-in-section",
        PathEvent("Enable"),
        *[PathEvent("Pin", "irqsave")] * 2,
        PathEvent("Unpin", "irqsave"),
        PathEvent("Write", "p", "set_pte"),
        PathEvent("Unpin", "irqsave"),
        PathEvent("MaySleep"),
    )
    order = ["local_irq_disable", "set_pte", "local_irq_enable", "schedule"]
    assert played(made, order) == order


def test_interrupts_that_are_let_in_are_let_in_whatever_was_kept():
    """local_irq_enable() does not ask who put them off, and what was kept is set again later."""
    made = finding(
        "sleep-in-section",
        PathEvent("Enable"),
        PathEvent("Pin", "irqsave"),
        PathEvent("Pin", "irq"),
        PathEvent("Unpin", "irq"),
        PathEvent("Write", "p", "set_pte"),
        PathEvent("Unpin", "irqsave"),
        PathEvent("MaySleep"),
    )
    order = ["local_irq_disable", "local_irq_enable", "set_pte", "schedule"]
    assert played(made, order) == order


def played(made, names):
    """The operations of a finding's scenario that have one of these names, in order."""
    lines = [line.name for line in load(scenario_of(made), "mine").tasks[0].operations]
    return [name for name in lines if name in names]


def test_a_lock_that_the_caller_has_taken_is_taken_first():
    """What is dropped and was not taken on the path is the caller's."""
    text = scenario_of(
        finding(
            "unlock-before-flush",
            PathEvent("Enable"),
            PathEvent("Write", "pte", "set_pte_at", "pte", "user"),
            PathEvent("Drop", "ptl", "", "ptl"),
        )
    )
    first = load(text, "mine").tasks[0].operations[0]
    assert (first.name, first.args) == ("spin_lock", ("L",))


def test_what_may_sleep_on_the_way_to_another_mistake_does_not():
    """Only a path whose mistake is that it may sleep does; what is freed on a line is so once."""
    free, sleep = PathEvent("Free", "pte", "", "page", line=4), PathEvent("MaySleep", line=4)
    way = (PathEvent("Enable"), PathEvent("Write", "pte", "pte_clear", "pte", "kernel"))
    other = finding(
        "unlock-before-flush", *way, free, free, sleep, PathEvent("Drop", "l", "", "ptl")
    )
    assert scenario_of(other).count("free_page") == 1
    assert "schedule" not in scenario_of(other)
    assert "schedule" in scenario_of(finding("sleep-in-section", *way, sleep))


def test_an_accessor_that_no_machine_has_is_played_by_one_that_does_alike():
    """An immediate exchange of a huge page's entry, under the name that the tree has for it."""
    text = scenario_of(
        finding(
            "free-before-flush",
            PathEvent("Enable"),
            PathEvent("Write", "pmd", "pmdp_collapse_flush", "pmd", "user", immediate=True),
            PathEvent("Free", "pmd", "", "page"),
        )
    )
    assert "pmdp_huge_get_and_clear p" in text
    assert "pmdp_collapse_flush()" in text


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (finding("raw-arch-call", PathEvent("Enable")), "no machine shows raw-arch-call"),
        (finding("stale-read"), "nothing is known"),
        (finding("unpinned-batch", PathEvent("PerCpu", "batch")), "implementation itself"),
    ],
)
def test_what_cannot_be_told_as_a_scenario_says_why(given, why):
    """A rule about the text, a path of which nothing is known, a path inside of a hook."""
    with pytest.raises(UntoldError, match=why):
        scenario_of(given)


def test_a_message_of_a_stranger_is_kept_inside_its_quotes():
    """Quotes and ends of lines in a message or a name are none of the file's."""
    odd = replace(finding("stale-read", PathEvent("Enable")), message='a "b"\nrule x', file='m"\n')
    assert load(scenario_of(odd), "mine").rules == ("stale-read",)


def test_the_command_line_prints_the_scenario_of_one_finding(tmp_path, capsys):
    """`check --only --as-scenario` prints what `litmus --tree` then runs, and finds again."""
    asked = ["check", str(NEW), "--no-cache", "-q"]
    assert main([*asked, "--as-scenario", "--only", MINE]) == 1
    file = tmp_path / "mine.litmus"
    file.write_text(capsys.readouterr().out)
    again = ["litmus", "--tree", str(NEW), "--arch", "x86", "--no-cache", "--jobs", "1", str(file)]
    assert main(again) == 1
    assert f"unlock-before-flush-{MINE}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 2, "there are 2"),
        (["--only", "0" * 16], 2, "none is left"),
        (["--only", "0bb6f38853ba4047"], 3, "cannot be told as a scenario: no machine shows"),
        (["--only", MINE, "--format", "json"], 2, "a format of its own"),
    ],
)
def test_what_is_not_one_finding_is_no_scenario(capsys, options, code, said):
    """Several, none, one that cannot be told, and a format beside it are told in a sentence."""
    path = ["--path", "mm/wrong_layer.c"] if not options else []
    assert main(["check", str(NEW), "--no-cache", "-q", "--as-scenario", *path, *options]) == code
    assert said in capsys.readouterr().err
