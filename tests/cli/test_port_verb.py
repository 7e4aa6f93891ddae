# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu port`: from a name to a design that breaks nothing of its own."""

from __future__ import annotations

import inspect
import re

import pytest

from lazymmu.contract.rules import RULES
from lazymmu.machine.arch import template
from lazymmu.report.port.questions import QUESTIONS
from lazymmu.verbs.port_try import OWN_RULES

SEARCH = ("--jobs", "1", "--quiet")
FEW = (
    "--scenario",
    "page-unmapped-in-hardirq,nested-disable-flushes,section-migrates,gathered-after-leave,"
    "changes-outside-section,kernel-section-inside-section,sleep-inside-section,"
    "section-inside-section,huge-entries-in-section,immediate-changes-in-section,"
    "gathered-in-section,free-after-leave,tables-linked-in-section,section-keeps-its-cpu",
)

MISTAKES = {
    "irq-deferred": ("lazy = here.lazy_active", "lazy = bool(here.current.enable_count)"),
    "flush-is-nop": ('yield self._flush("api")', "yield self._nothing()"),
    "mode-left-on-cpu": (
        'yield self._flush("leave")\n        yield self._unpin()',
        "yield self._unpin()",
    ),
    "stale-translation-used": ('yield self._flush("full")', "yield self._nothing()"),
    "kernel-bug": (
        "here.this_cpu.batch = here.this_cpu.batch | {entry}",
        "here.this_cpu.batch = here.this_cpu.batch | {entry}\n            "
        'here.bug_on(len(here.this_cpu.batch) > 1, "the batch is full")',
    ),
}
"""What one may forget in a design, by the rule that says so: the template's text, and ours."""

NOTHING = """
    @atomic
    def _nothing(self, here: StepContext) -> None:
        here.preempt_disable(said=True)
        here.preempt_enable(said=True)
"""


@pytest.fixture
def design(tmp_path):
    """The template with something else in it, as a file."""

    def write(*pairs):
        source = inspect.getsource(template)
        for old, new in zip(pairs[::2], pairs[1::2], strict=True):
            assert old in source
            source = source.replace(old, new)
        path = tmp_path / "mine.py"
        path.write_text(source + NOTHING)
        return path

    return write


def test_a_new_port_works_as_it_is_written(run, tmp_path):
    """Under its new name the template breaks no rule of its own: each later FAIL is news."""
    done = run("port", "new", "riscv", "--folder", tmp_path)
    assert done.code == 0
    source = (tmp_path / "riscv.py").read_text()
    assert "class Riscv(Arch)" in source
    assert "arch/riscv/" in source
    tried = run("port", "try", tmp_path / "riscv.py", *SEARCH)
    assert (tried.code, tried.err) == (0, "")
    assert "FAIL" not in tried.out
    assert f"{len(OWN_RULES)} of {len(OWN_RULES)} kept" in tried.out


@pytest.mark.parametrize("there", ["riscv.py", "riscv.md"])
def test_a_file_that_is_there_is_never_overwritten(run, tmp_path, there):
    """Not even half of it: if one of the two files is there, the other is not written."""
    (tmp_path / there).write_text("mine")
    done = run("port", "new", "riscv", "--folder", tmp_path)
    assert done.code == 2
    assert "is there already" in done.err
    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]


def test_a_link_that_leads_nowhere_is_not_written_through(run, tmp_path):
    """A name that is taken is taken, whatever it leads to."""
    (tmp_path / "riscv.md").symlink_to(tmp_path / "elsewhere")
    assert run("port", "new", "riscv", "--folder", tmp_path).code == 2
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["../x", "Riscv", "", "a b", "x" * 60, "x\x1b[31m"])
def test_what_cannot_be_a_name_is_one_sentence(run, tmp_path, name):
    """Nothing is written outside, and nothing of it reaches the terminal."""
    done = run("port", "new", name, "--folder", tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "\x1b" not in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rule", MISTAKES)
def test_a_design_that_forgets_something_fails_by_a_rule_of_its_own(run, design, rule):
    """With the scenario, the shortest way and how to see it; exit code 1."""
    path = design(*MISTAKES[rule])
    done = run("port", "try", path, *FEW, *SEARCH)
    assert done.code == 1, done.out
    assert re.search(rf"FAIL  {rule}: \S+, \d+ preemptions?,\s+\d+ steps?", done.out), done.out
    assert f"lazymmu port try {path} --show {rule}" in done.out


def test_the_way_is_shown_and_no_caller_breaks_anything_on_it(run, design):
    """What `--show` prints is the implementation's own doing alone."""
    path = design(*MISTAKES["irq-deferred"])
    done = run("port", "try", path, "--show", "irq-deferred", *FEW, *SEARCH)
    assert done.code == 1
    assert "irq-deferred" in done.out
    assert done.out.startswith("page-unmapped-in-hardirq: ")
    callers = [name for name, rule in RULES.items() if rule.party == "caller"]
    assert not any(f"rule {name}" in done.out for name in callers)


def test_callers_mistakes_are_counted_and_end_with_zero(run, design):
    """Beside the other architectures, by obligation; they say nothing against the design."""
    done = run("port", "try", design(), *FEW, *SEARCH)
    assert done.code == 0
    assert re.search(r"hurt/scenarios +yours +x86 +powerpc +sparc +arm64\n", done.out)
    assert re.search(r"  sleep-in-section +1/1 +0/1 +1/1", done.out)


def test_every_rule_of_implementations_is_asked_about():
    """A question names the rule that tells when its answer is not what the code does."""
    named = {rule for question in QUESTIONS for rule in question.told_by}
    mine = {name for name, rule in RULES.items() if rule.party == "implementation"}
    informing = {name for name, rule in RULES.items() if rule.kind == "information"}
    assert mine - informing <= named
    assert named <= set(OWN_RULES)


def test_the_questions_say_what_follows_and_who_answered_how(run):
    """All architectures of the table are among them, with their newest implementation."""
    done = run("port", "questions")
    assert done.code == 0
    assert done.out.count("there: ") == len(QUESTIONS)
    for arch in ("x86", "powerpc", "sparc", "arm64"):
        assert arch in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_file_that_is_no_port_is_one_sentence_here_too(run, tmp_path):
    """As for `verify --port`: exit code 2 with file and line."""
    path = tmp_path / "broken.py"
    path.write_text("import lazymmu\nlazymmu.none\n")
    done = run("port", "try", path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"lazymmu: {path}:2: AttributeError: ")
