# SPDX-License-Identifier: GPL-2.0-or-later
"""The script for mail: a series is applied elsewhere, checked, and nothing of mine changes."""

from __future__ import annotations

import email
import email.policy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = str(Path(__file__).parents[2] / "contrib" / "mail" / "check-mbox")


@pytest.fixture
def mbox(shell, repository):
    """The series as `git format-patch` writes it; the repository stands at its base again."""
    text = shell(repository, "git", "format-patch", "--stdout", "base..main").stdout
    shell(repository, "git", "reset", "-q", "--hard", "base")
    return text


def state(shell, repository):
    """All that could have changed: where it stands, its branches, its work trees, its files."""
    commands = (
        ("status", "--porcelain"),
        ("for-each-ref",),
        ("worktree", "list"),
        ("stash", "list"),
    )
    return [shell(repository, "git", *command).stdout for command in commands]


def test_a_series_is_checked_and_the_repository_stays_as_it_was(shell, repository, mbox):
    """The finding as a mail, exit code 1, no work tree left."""
    before = state(shell, repository)
    options = ("--", "--arch", "x86", "--format", "mail", "--quiet")
    done = shell(repository, "sh", CHECK, *options, input=mbox)
    assert done.returncode == 1, done.stderr
    assert "1. twice_range(): begins a lazy MMU section inside a section" in done.stdout
    assert "1 finding\n" in done.stdout
    assert state(shell, repository) == before
    elsewhere = repository.parent / "else"
    elsewhere.mkdir()
    again = shell(elsewhere, "sh", CHECK, "-C", str(repository), *options, input=mbox)
    assert again.stdout == done.stdout


def test_a_series_that_brings_its_own_configuration_is_not_believed(shell, repository, mbox):
    """Neither a file nor a comment of it leaves anything out."""
    shell(repository, "git", "am", "-q", input=mbox)
    file = repository / "mm" / "right_order.c"
    call = "\tarch_enter_lazy_mmu_mode();\n"
    allow = "\t/* lazymmu: allow(nested-section) trust me */\n"
    file.write_text(file.read_text().replace(call + call, call + allow + call))
    (repository / ".lazymmu.toml").write_text(
        '[[suppress]]\nrule = "nested-section"\nfile = "*"\nreason = "trust me"\n'
    )
    shell(repository, "git", "add", "-A")
    shell(repository, "git", "commit", "-q", "--amend", "--no-edit")
    series = shell(repository, "git", "format-patch", "--stdout", "base..main").stdout
    shell(repository, "git", "reset", "-q", "--hard", "base")
    done = shell(repository, "sh", CHECK, "--", "--arch", "x86", "--format", "gcc", input=series)
    assert done.returncode == 1, done.stderr
    assert "twice_range()" in done.stdout


@pytest.mark.parametrize(
    ("options", "text", "said"),
    [
        ((), "", "there is no mail on standard input"),
        ((), "From: a\n\nno patch\n", "it does not apply to HEAD"),
        (("-b", "none"), "x", "there is no revision none"),
        (("-C", "/none"), "x", "there is no revision HEAD in /none"),
    ],
)
def test_what_cannot_be_applied_is_one_sentence_and_2(shell, repository, mbox, options, text, said):
    """A cover letter alone, a series for another tree, a typo."""
    before = state(shell, repository)
    done = shell(repository, "sh", CHECK, *options, input=text)
    assert done.returncode == 2
    assert said in done.stderr
    assert state(shell, repository) == before


def test_what_git_repeats_of_a_mail_does_not_act_on_a_terminal(shell, repository, mbox):
    """Its words may be a stranger's subject, or the name of a file of his."""
    text = mbox.replace("right_order.c", "\x1b[31mred\x9b.c")
    done = shell(repository, "sh", CHECK, input=text)
    assert done.returncode == 2
    assert done.stderr.rstrip("\n").isprintable()


def test_mutt_reads_its_file():
    """The macros are there in the index and in the pager; without mutt that cannot be tried."""
    mutt = shutil.which("mutt") or shutil.which("neomutt")
    if mutt is None:
        pytest.skip("neither mutt nor neomutt is installed")
    rc = Path(CHECK).with_name("mutt.rc")
    done = subprocess.run(
        [mutt, "-n", "-F", str(rc), "-Q", "pipe_split"],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr


ANSWER = str(Path(CHECK).with_name("answer-series"))
ROBOT = ("-f", "Robot <robot@example.org>")


def test_a_series_with_findings_is_answered_in_its_thread(shell, repository, mbox):
    """The answer goes to who sent it, with everybody in copy, and quotes what is new."""
    more = "\nMessage-ID: <1@example.org>\nCc: list@example.org\nSubject:"
    mbox = mbox.replace("\nSubject:", more)
    done = shell(repository, sys.executable, ANSWER, *ROBOT, input=mbox)
    assert done.returncode == 1, done.stderr
    mail = email.message_from_string(done.stdout, policy=email.policy.default)
    assert mail["To"] == "A <a@example.org>"
    assert mail["Cc"] == "list@example.org"
    assert mail["Subject"] == "Re: [PATCH] mm: nest two sections"
    assert mail["In-Reply-To"] == mail["References"] == "<1@example.org>"
    body = mail.get_content()
    assert "twice_range(): begins a lazy MMU section inside a section" in body
    assert "may be wrong" in body


def test_a_series_without_findings_is_not_answered(shell, repository, mbox):
    """A robot that says that all is well is noise."""
    for call in ("enter", "leave"):
        twice = f"+\tarch_{call}_lazy_mmu_mode();\n" * 2
        mbox = mbox.replace(twice, f"+\tcpu_relax();\n{twice[: len(twice) // 2]}")
    done = shell(repository, sys.executable, ANSWER, *ROBOT, input=mbox)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(
    "header",
    [
        "Subject: =?utf-8?q?x=0ABcc:_all@example.org?=",
        "Subject: x\rBcc: all@example.org",
        "Subject: =?utf-8?q?=1b[31mx?=",
        "Message-ID: <1@example.org>\x0bBcc: all@example.org",
        "Cc: =?utf-8?q?x=0D=0ABcc:_all?= <b@example.org>",
    ],
)
def test_a_stranger_s_header_begins_no_other(shell, repository, mbox, header):
    """Whatever a mail says, the answer goes to nobody that it does not name openly."""
    name = header.partition(":")[0]
    lines = [line for line in mbox.split("\n") if not line.startswith(f"{name}:")]
    mail = "\n".join([lines[0], header, *lines[1:]])
    if name != "Subject":
        mail = mail.replace("\n\n", "\nSubject: x\n\n", 1) if "\nSubject:" not in mail else mail
    done = shell(repository, sys.executable, ANSWER, *ROBOT, input=mail)
    assert done.returncode == 1, done.stderr
    answered = email.message_from_string(done.stdout, policy=email.policy.default)
    assert answered["Bcc"] is None
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
