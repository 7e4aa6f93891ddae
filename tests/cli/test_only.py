# SPDX-License-Identifier: GPL-2.0-or-later
"""`check --only FINGERPRINT`, and what the exit code makes of the rest."""

from __future__ import annotations

import pytest


def test_only_the_finding_of_that_name_is_told(run, checked, make_finding, make_result):
    """The others are counted with the reason, and do not decide the exit code."""
    one, other = (make_finding(fingerprint=name * 16) for name in "ab")
    checked(make_result(one, other))
    ran = run("check", "tree", "--only", "a" * 16)
    assert ran.code == 1
    assert f"fingerprint {'a' * 16}" in ran.out
    assert "b" * 16 not in ran.out
    assert "not counted: 1 other than --only" in ran.err
    assert run("check", "tree", "--only", "c" * 16, "--allow-loss").code == 0
    assert (
        run("check", "tree", "--only", "a" * 16, "--only", "b" * 16).out.count("fingerprint") == 2
    )


@pytest.mark.parametrize("name", ["", "mm/a.c", "A" * 16, "a" * 15, "a" * 17])
def test_what_is_no_fingerprint_is_refused(run, checked, make_result, name):
    """A mistyped one would be taken for a finding that is gone."""
    calls = checked(make_result())
    ran = run("check", "tree", f"--only={name}")
    assert ran.code == 2
    assert "is not a fingerprint" in ran.err
    assert calls == []


@pytest.mark.parametrize(
    ("word", "code"), [("text", 1), ("breaks-text", 1), ("hurts", 1), ("none", 0)]
)
def test_fail_on_says_what_makes_the_exit_code(run, checked, make_finding, make_result, word, code):
    """With none, findings are told and the command ends as if there were none."""
    checked(make_result(make_finding()))
    ran = run("check", "tree", "--fail-on", word, "--allow-loss")
    assert ran.code == code
    assert ran.out
