# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu explain`: rules, architectures and the contract, for people."""

from __future__ import annotations

import pytest

from lazymmu.cli.options import ARCHES
from lazymmu.contract.deferral import ROWS
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.rules import RULES
from lazymmu.kernelc.arch_profile import PROFILES


def test_without_arguments_every_rule_is_named(run):
    """Without arguments explain lists every rule to choose from."""
    ran = run("explain")
    assert (ran.code, ran.err) == (0, "")
    for name in RULES:
        assert f"{name}: " in ran.out


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_printed_whole(run, name):
    """Sentence, reason, source, and the examples; no line needs a wide terminal."""
    ran = run("explain", name)
    assert ran.code == 0
    words = " ".join(ran.out.split())
    assert " ".join(RULES[name].sentence.split()) in words
    assert " ".join(RULES[name].why.split()) in words
    assert max(map(len, ran.out.splitlines())) <= 100


def test_an_architecture_is_printed_in_each_of_its_states(run):
    """One release's sparc pins the task, another's does not."""
    ran = run("explain", "--arch", "sparc,arm64")
    assert ran.code == 0
    for arch in ("sparc", "arm64"):
        for row in ROWS[arch]:
            assert f"({row.name})" in ran.out
    assert not any(f"({row.name})" in ran.out for row in ROWS["x86"])


def test_the_contract_of_a_dialect_is_a_comment_in_c(run):
    """The text that pgtable.h should have; the newest unless told otherwise."""
    newest = run("explain", "--contract").out
    assert newest.startswith("/*\n")
    assert newest == run("explain", "--contract", "--dialect", list(DIALECTS)[-1]).out
    assert newest != run("explain", "--contract", "--dialect", "ptl-held").out


def test_things_asked_for_together_follow_each_other(run):
    """A rule and the architecture that it hurts, in one go."""
    out = run("explain", "nested-section", "--arch", "x86", "--contract").out
    assert out.index("nested-section") < out.index("x86: ") < out.index("/*\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nested"], "there is no rule 'nested'; did you mean nested-section?"),
        (["--arch", "s391"], "there is no architecture 's391'; did you mean s390?"),
        (["--dialect", "new"], "there is no dialect 'new'"),
    ],
)
def test_what_does_not_exist_is_one_sentence(run, arguments, sentence):
    """A rule, architecture or dialect that does not exist is one sentence with those that do."""
    ran = run("explain", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert sentence in ran.err


def test_the_architectures_of_the_options_are_those_that_are_known():
    """The options name them before anything is imported; they must not fall behind."""
    assert set(ARCHES) == set(ROWS) == set(PROFILES)
