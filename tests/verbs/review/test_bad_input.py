# SPDX-License-Identifier: GPL-2.0-or-later
"""Input that is no series, half a series, or two: one sentence, or the rest and what is lost."""

from __future__ import annotations

import gzip
import io
import re

import pytest

from lazymmu.cli import main
from tests.verbs.review.planted import planted

FROM = re.compile(r"(?m)^(?=From [0-9a-f]{40} )")
BINARY = """\
diff --git a/{0} b/{0}
index 1234567..89abcde 100644
Binary files a/{0} and b/{0} differ
"""
OTHER = """\
--- a/net/there.c
+++ b/net/there.c
@@ -1,3 +1,3 @@
 int a;
-int b;
+int c;
 int d;
"""


@pytest.fixture
def sent(old_branch, tmp_path, capsys):
    """Plants the series; reviews some text of it by the command line: code, stdout, stderr."""
    planted(old_branch)
    mailbox = old_branch.mails().decode()
    old_branch.back()

    def review(content, *more):
        file = tmp_path / "sent"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        tree = ("--tree", str(old_branch.tree), "--arch", "x86", "-q")
        code = main(["review", str(file), *tree, *more])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    review.mails = [one for one in FROM.split(mailbox) if one]
    review.tree = old_branch
    return review


def refused(answer, why):
    """Nothing is printed but one sentence, and the code is that of a failure."""
    code, out, err = answer
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert re.search(why, err), err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "there is nothing in it"),
        (b"\n \n", "there is nothing in it"),
        (b"no patch, but a letter\n", "there is no diff in it"),
        (bytes(range(256)) * 20, "there is no diff in it"),
        (b"From: a <a@example.org>\nSubject: [PATCH 0/2] hello\n\nblurb\n", "no diff in it"),
        (b"\x1f\x8b damaged", "damaged gzip data"),
        (gzip.compress(OTHER.encode())[:-9], "cut off"),
        (OTHER, "does not apply to .*: net/there.c is not there"),
        (OTHER.replace(" int d;\n", ""), "is cut off"),
        (BINARY.format("mm/right_loops.c"), "changed as a binary file"),
    ],
    ids=[
        "empty",
        "blank",
        "letter",
        "bytes",
        "cover",
        "gzip",
        "half-gzip",
        "other",
        "cut",
        "binary",
    ],
)
def test_what_is_no_series_for_the_tree_is_refused_in_a_sentence(sent, content, why):
    """An empty file, a letter, noise, half of anything, a patch for another tree."""
    refused(sent(content), why)


def test_standard_input_with_nothing_in_it_is_refused(sent, monkeypatch, capsys):
    """A pipe from a command that failed is no series, and no clean one either."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    code = main(["review", "-", "--tree", str(sent.tree.tree)])
    said = capsys.readouterr()
    refused((code, said.out, said.err), "<stdin>: there is nothing in it")


def test_half_a_mail_is_refused_by_the_name_of_its_patch(sent):
    """Cut in the middle of a hunk, as a connection that broke leaves it."""
    whole, half = "".join(sent.mails[:2]), sent.mails[2]
    refused(sent(whole + half[: len(half) * 2 // 3]), "3/5 shadow.*is cut off")


def test_a_series_that_ends_early_is_reviewed_as_far_as_it_goes(sent):
    """What is there is told under its own number, and what is missing is said."""
    code, out, err = sent("".join(sent.mails[:2]))
    assert code == 1
    assert "\n2/5 mm: age entries at once  N1\n" in out
    assert "by 1/5 and 2/5 together" in out
    assert "the series lacks 3/5, 4/5, 5/5, which are not reviewed" in err


def test_a_series_that_ends_early_without_a_finding_is_not_clean(sent):
    """Nothing was found in what is there, and that is not the series."""
    code, _, err = sent(sent.mails[0] + sent.mails[1][:200])
    assert code == 3
    assert "the series lacks 2/5" in err


def test_a_series_with_a_hole_is_refused(sent):
    """What stands after the hole was written on top of what is missing."""
    refused(sent(sent.mails[0] + sent.mails[3]), "lacks 2/5, 3/5")


def test_a_hunk_that_the_diffstat_counts_and_nobody_finds_is_said(sent):
    """A mail that is cut between two hunks is still half a mail."""
    more = re.sub(r"(\d+) insertions", lambda one: f"{int(one[1]) + 7} insertions", sent.mails[2])
    assert more != sent.mails[2]
    code, _, err = sent(more)
    assert code == 3
    assert '3/5 shadow: fill it outside of the mode" may be cut off: by its diffstat' in err
    assert "the patches before it are not known, so it stands alone" in err


def test_two_series_in_one_mailbox_are_refused(sent):
    """One review is of one series, and which of two is meant is not guessed."""
    other = "".join(
        one.replace("/5] ", "/3] ").replace("age", "warm").replace("<", "<other-")
        for one in sent.mails[:3]
    )
    refused(sent("".join(sent.mails) + other), 'holds two series, with "1/5 .*" and "1/3 ')


def test_two_series_of_the_same_length_are_refused(sent):
    """They are told apart by what their patches are called."""
    first, second = sent.mails[0], sent.mails[2]
    second = second.replace("PATCH 3/5", "PATCH 1/5").replace("<", "<other-")
    refused(sent(first + second), "holds two series")


def test_a_copy_of_the_series_is_no_second_one(sent):
    """A list and its recipients deliver each mail twice."""
    code, out, err = sent("".join(sent.mails) * 2)
    assert (code, err) == (1, "")
    assert "5/5 mm: move wrong_nesting.c" in out


def test_a_patch_that_does_not_apply_on_those_before_it_is_named(sent):
    """It is said which of the series, which hunk, and what was looked for."""
    broken = re.sub(r"(?m)^-(\t*)return 0;", r"-\1return 7;", "".join(sent.mails), count=1)
    refused(sent(broken), "does not apply to .*: patch 3/5 shadow.*hunk")


def test_a_picture_in_a_series_changes_nothing_of_the_review(sent):
    """A binary file that no C reads is passed over, and the rest is reviewed."""
    code, out, _ = sent(sent.mails[0] + sent.mails[1] + BINARY.format("logo.gif").replace(
        "index 1234567..89abcde 100644", "new file mode 100644\nindex 0000000..89abcde"
    ).replace("Binary files a/logo.gif", "Binary files /dev/null"))  # fmt: skip
    assert code == 1
    assert "N1" in out


@pytest.mark.parametrize("range_", ["base..base", "main..base", "main..main"])
def test_an_empty_range_is_refused(sent, range_, capsys):
    """Nothing to review is no answer that it is right."""
    code = main(["review", range_, "--tree", str(sent.tree.tree)])
    said = capsys.readouterr()
    refused((code, said.out, said.err), "an empty range")


def test_a_range_with_merges_is_refused(sent, capsys):
    """Its patches would have no order; the sentence says what to do."""
    branch = sent.tree
    branch.git(branch.tree, "checkout", "-q", "-b", "side", "base")
    branch.edit("mm/shadow.c", "\n", "\n\n")
    branch.commit("mm: a line")
    branch.git(branch.tree, "merge", "-q", "-m", "merge", "main~3")
    code = main(["review", "base..side", "--tree", str(branch.tree)])
    said = capsys.readouterr()
    refused((code, said.out, said.err), "of its 4 commits 1 merge branches")


def test_a_range_whose_commits_change_nothing_is_refused(sent, capsys):
    """Commits without a diff are no patches."""
    branch = sent.tree
    branch.git(branch.tree, "commit", "-q", "--allow-empty", "-m", "nothing")
    code = main(["review", "base..HEAD", "--tree", str(branch.tree)])
    said = capsys.readouterr()
    refused((code, said.out, said.err), "no commit of it changes a file")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--onto", "nowhere"), "has no revision 'nowhere'"),
        (("--stable", "nowhere"), "--stable nowhere: neither a tree nor a revision"),
        (("--mail", "9"), "--mail 9: there is no such patch among the 5"),
        (("--mail", "1"), "there is nothing to say of 1/5"),
        (("--show", "N9"), "there is no such problem; there are N1, F1"),
    ],
)
def test_what_an_option_names_has_to_be_there(sent, more, why):
    """A patch, a problem, a revision, a tree: what is not there is said by name."""
    refused(sent("".join(sent.mails), *more), why)


def test_a_folder_without_a_patch_is_refused(sent, tmp_path, capsys):
    """Nothing was read, so nothing is said of it."""
    (tmp_path / "folder").mkdir()
    code = main(["review", str(tmp_path / "folder"), "--tree", str(sent.tree.tree)])
    said = capsys.readouterr()
    refused((code, said.out, said.err), "there is no patch in this folder")
