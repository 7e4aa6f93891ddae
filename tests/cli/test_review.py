# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu review` as maintainers run it: one series, in each form in which series are sent."""

from __future__ import annotations

import io
import json
import quopri
import re
from pathlib import Path

import pytest

from tests.verbs.review.planted import Branch, planted_otherwise

BROUGHT = [
    [],
    ["N1 nested-section cool_table"],
    ["F1 sleep-in-section fill_shadow", "F2 unlock-before-flush fill_shadow"],
    ["M1 unlock-before-flush lock_down_table", "M2 unlock-before-flush clear_guarded"],
    [
        "M3 unbalanced-section insert_pages",
        "M4 unbalanced-section check_pages",
        "M5 unbalanced-section protect_some",
        "M6 unbalanced-section protect_some",
        "M7 unbalanced-section age_some",
        "M8 unbalanced-section probe_run",
    ],
]


class Sent:
    """A planted series, and a way to have it reviewed with one store for all forms."""

    def __init__(self, branch, run):
        self.tree = branch.tree
        self.series = branch.mails()
        parts = re.split(rb"(?m)^(?=From [0-9a-f]{40} )", self.series)
        self.mails = [one for one in parts if one.strip()]
        self._store = branch.tree.parent / "store"
        self.run = run

    def __call__(self, *arguments):
        return self.run(
            "review", *arguments, "--tree", self.tree, "--arch", "x86",
            "--cache-dir", self._store, "-q",
        )  # fmt: skip

    def told(self, *arguments):
        """What JSON says of a series, with exit code 1: something is new."""
        ran = self(*arguments, "--format", "json")
        assert ran.code == 1, ran.err
        return json.loads(ran.out)


@pytest.fixture
def sent(tmp_path: Path, git, run) -> Sent:
    """The series of five, planted on the old example, which is checked out without it."""
    branch = Branch.of("linux-old", tmp_path, git)
    planted_otherwise(branch)
    series = Sent(branch, run)
    branch.back()
    return series


def brought(told):
    """What each patch of an answer does."""
    kinds = ("new", "postponed", "fixed", "moved")
    return [
        [f"{one['id']} {one['rule']} {one['function']}" for kind in kinds for one in patch[kind]]
        for patch in told["patches"]
    ]


def quoted_printable(mail):
    """A mail as one that is not ASCII is sent."""
    head, _, body = mail.partition(b"\n\n")
    more = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"
    return head + b"\n" + more + b"\n\n" + quopri.encodestring(body) + b"\n"


def test_a_series_is_told_alike_in_each_form(sent, tmp_path, monkeypatch):
    """In order or not, encoded, as a range, from a pipe: the same ids for the same patches."""
    file = tmp_path / "series.mbox"
    answers = []
    for content in (
        sent.series,
        b"".join(sent.mails[::-1]),
        b"".join(map(quoted_printable, [sent.mails[at] for at in (2, 0, 4, 1, 3)])),
    ):
        file.write_bytes(content)
        answers.append(sent.told(file))
    answers.append(sent.told("base..main"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sent.series)))
    answers.append(sent.told("-"))
    for answer in answers:
        assert brought(answer) == BROUGHT
        assert answer["patches"][1]["new"][0]["together"] == [1, 2]
        first = [part["patches"] for part in answer["split"]["groups"] if part["first"]]
        assert first == [[3]]


def test_patches_that_come_one_at_a_time_stand_on_those_before(sent, monkeypatch):
    """As b4 hands them to a command: each is told alone, and of the series when all of it is there.

    What an earlier patch brings makes no later one fail.
    """
    for number, mail in enumerate(sent.mails, 1):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(mail)))
        ran = sent("-", "--format", "json")
        told = json.loads(ran.out)
        assert brought(told) == [BROUGHT[number - 1]]
        assert ran.code == (1 if number == 2 else 0)
        assert [one["patch"] for one in told["stable"]["tags"]] == ([3] if number == 3 else [])
        assert bool(told["split"]["groups"]) == (number == 5)


def test_a_fix_by_itself_goes_to_a_tree_that_has_the_problem(sent, tmp_path):
    """Patch 3 mends what the stable tree has, applies there alone, and brings nothing."""
    file = tmp_path / "series.mbox"
    file.write_bytes(sent.series)
    told = sent.told(file, "--stable", sent.tree)
    assert [(one["patch"], one["verdict"], one["has"]) for one in told["stable"]["trees"]] == [
        (3, "yes", ["F1", "F2"])
    ]


def test_a_reply_is_written_as_people_write_one(sent, tmp_path):
    """To the patch, under its hunk, in 72 columns, with the way there and how to reproduce it."""
    file = tmp_path / "series.mbox"
    file.write_bytes(sent.series)
    ran = sent(file, "--mail", "2")
    identity = re.search(rb"(?im)^Message-ID: (.*)$", sent.mails[1])[1].decode()
    assert f"In-Reply-To: {identity}" in ran.out
    assert "Subject: Re: [PATCH 2/5] mm: use it where entries cool" in ran.out
    assert "> +\t\t\ttouch_run(vma, addr, pte, 1);" in ran.out
    own = [line for line in ran.out.partition("\n\n")[2].splitlines() if line[:1] != ">"]
    assert max(map(len, own)) <= 72
    assert "v7.0" in ran.out
    assert sum("lazymmu" in line for line in own) <= 2


def test_a_reply_quotes_a_hunk_as_it_was_sent(sent, tmp_path):
    """Tabs, and each line where it stood: what is quoted can be searched for in the patch."""
    file = tmp_path / "series.mbox"
    file.write_bytes(sent.series)
    out = sent(file, "--mail", "2").out
    quoted = [line[2:] for line in out.splitlines() if line.startswith("> ")]
    body = sent.mails[1].decode().splitlines()
    where = body.index(quoted[3])
    assert body[where : where + len(quoted) - 3] == quoted[3:]
