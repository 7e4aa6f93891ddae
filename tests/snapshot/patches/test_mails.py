# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails with patches: any encoding, any order, and what is no patch left out."""

from __future__ import annotations

import base64
import contextlib
import gzip
import quopri
from collections.abc import Iterable
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.problem import Problem
from lazymmu.snapshot.patches import mails as module
from lazymmu.snapshot.patches.mails import mails, ordered, unpacked
from lazymmu.snapshot.patches.series import read_series


def diff(old: str, new: str) -> str:
    """A diff of one line of mm/a.c."""
    return f"--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1 @@\n-{old}\n+{new}\n"


def mail(subject: str, body: str, *headers: str) -> bytes:
    """A mail as a list archive writes it."""
    head = "".join(f"{line}\n" for line in ("From: a <a@example.org>", *headers))
    return (
        f"From mboxrd@z Thu Jan  1 00:00:00 1970\n{head}Subject: {subject}\n\n"
        f"Why.\n\n---\n{body}-- \n2.45\n\n"
    ).encode()


FIRST = mail("[PATCH 1/2] mm: first", diff("1", "2"))
SECOND = mail("[PATCH 2/2] mm: second", diff("2", "3"))
COVER = mail("[PATCH 0/2] two things", " mm/a.c | 2 +-\n")
WORDS = ("first", "second")
BOTH = ["1/2 mm: first", "2/2 mm: second"]


def titles(*pieces: bytes) -> list[str]:
    """The patches of a mailbox, in their order."""
    return [patch.title for patch in read_series(b"".join(pieces))]


OLD_FIRST = mail("[PATCH 1/2] mm: old", diff("8", "9"))
V2 = [mail(f"[PATCH v2 {n}/2] mm: {w}", diff(str(n), str(n + 1))) for n, w in enumerate(WORDS, 1)]
JOINED = mail("[PATCHv2 1/2] mm: first", diff("1", "2"))
RFC = [mail(f"[RFC PATCH net 0{n}/02] mm: {w}", diff("1", "2")) for n, w in enumerate(WORDS, 1)]
QUOTED = mail("Re: [PATCH 1/2] mm: first", "> " + diff("1", "2").replace("\n", "\n> "))
BETTER = mail("Re: [PATCH 1/2] mm: first", "Better:\n" + diff("1", "9"))


@pytest.mark.parametrize(
    "pieces",
    [
        (FIRST, SECOND),
        (COVER, FIRST, SECOND),
        (SECOND, COVER, FIRST),
        (SECOND, FIRST, FIRST),
        (FIRST, QUOTED, SECOND),
        (FIRST, BETTER, SECOND),
        (OLD_FIRST, *V2),
        (V2[1], JOINED),
        tuple(RFC[::-1]),
    ],
)
def test_a_series_is_in_its_order_whatever_the_mailbox_has(pieces):
    """Covers, replies, older versions and copies are left out; the subjects number the rest."""
    numbers, words = zip(*(title.split(" ", 1) for title in titles(*pieces)), strict=True)
    assert [int(number.partition("/")[0]) for number in numbers] == [1, 2]
    assert words == ("mm: first", "mm: second")


def test_without_numbers_the_order_is_that_of_the_mailbox():
    """Nothing else says which is first."""
    assert titles(mail("[PATCH] b", diff("1", "2")), mail("[PATCH] a", diff("2", "3"))) == [
        "b",
        "a",
    ]


def test_a_series_with_a_hole_is_refused():
    """What does not apply then would be anybody's guess."""
    third = mail("[PATCH 3/3] c", diff("3", "4"))
    with pytest.raises(Problem, match="lacks 2/3"):
        titles(mail("[PATCH 1/3] a", diff("1", "2")), third)
    assert titles(third) == ["3/3 c"]


LONG = "caf\u00e9 = yes; /* " + "x" * 90 + " */ a=b"


def encoded(how: str) -> bytes:
    """A mail whose patch has bytes and lines that need an encoding."""
    text = diff("1", LONG)
    body = f"Why.\n\n---\n{text}"
    head = "From: a <a@example.org>\nSubject: [PATCH] x\nMIME-Version: 1.0\n"
    kind = "Content-Type: text/plain; charset={}\nContent-Transfer-Encoding: {}\n\n"
    match how:
        case "8bit":
            return (head + kind.format("utf-8", how) + body).encode()
        case "latin-1":
            return (head + kind.format("iso-8859-1", "8bit") + body).encode("latin-1")
        case "quoted-printable":
            return (head + kind.format("utf-8", how)).encode() + quopri.encodestring(body.encode())
        case "base64":
            return (head + kind.format("utf-8", how)).encode() + base64.encodebytes(body.encode())
        case "crlf":
            return (head + kind.format("utf-8", "8bit") + body).replace("\n", "\r\n").encode()
        case "base64-crlf":
            packed = base64.encodebytes(body.replace("\n", "\r\n").encode())
            return (head + kind.format("utf-8", "base64")).encode() + packed
        case "gzip":
            return gzip.compress(encoded("8bit"))
        case "twice-gzip":
            return gzip.compress(b"From x Thu Jan  1 00:00:00 1970\n") + gzip.compress(
                encoded("8bit")
            )
        case "attached" | "attached-as-bytes":
            message = EmailMessage()
            message["From"], message["Subject"] = "a <a@example.org>", "[PATCH] x"
            message.set_content("It is attached.\n")
            if how == "attached":
                message.add_attachment(text, subtype="x-patch", filename="x.patch")
            else:
                message.add_attachment(
                    text.encode(), maintype="application", subtype="octet-stream", filename="x.diff"
                )
            return message.as_bytes()
        case "html-too":
            message = EmailMessage()
            message["From"], message["Subject"] = "a <a@example.org>", "[PATCH] x"
            message.set_content(body)
            message.add_alternative(f"<pre>{text}</pre>", subtype="html")
            return message.as_bytes()
    return text.encode()


@pytest.mark.parametrize(
    "how",
    [
        "plain", "8bit", "latin-1", "quoted-printable", "base64", "crlf", "base64-crlf", "gzip",
        "twice-gzip", "attached", "attached-as-bytes", "html-too",
    ],
)  # fmt: skip
def test_a_patch_survives_every_way_of_sending_it(how):
    """The lines are what somebody wrote, in UTF-8 and with plain ends."""
    (patch,) = read_series(encoded(how))
    (hunk,) = patch.files[0].hunks
    assert hunk.new == (f"{LONG}\n".encode(),)


def test_ends_of_lines_that_the_patched_file_has_are_kept():
    """Only the changed lines have them then, and not the lines of the diff itself."""
    text = b"--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1 @@\n-1\r\n+2\r\n"
    ((one,),) = (patch.files for patch in read_series(text))
    assert one.hunks[0].new == (b"2\r\n",)


def test_a_line_of_a_message_that_begins_like_a_mail_does_not_divide_it():
    """Archives escape it; others leave it, and no header follows."""
    text = FIRST.replace(b"Why.", b"Why.\n>From here on it is slow, since 2019\nFrom now: 2020\n")
    assert titles(text, SECOND) == BOTH


def test_a_subject_may_be_folded_and_encoded():
    """As long and non-English ones are."""
    subject = "=?utf-8?q?=5BPATCH_1/2=5D_mm=3A?=\n =?utf-8?q?_caf=C3=A9?="
    assert titles(mail(subject, diff("1", "2"))) == ["1/2 mm: caf\u00e9"]


@pytest.mark.parametrize("cut", [1, 12, -4])
def test_damaged_packed_data_is_one_sentence(cut):
    """What is cut off is no patch, even if its beginning is."""
    whole = gzip.compress(FIRST + SECOND)
    with pytest.raises(Problem):
        read_series(whole[:cut] if cut != 12 else whole[:10] + b"\xff" * 20)


def test_packed_data_is_bounded(monkeypatch):
    """A few bytes may unpack to more than there is memory."""
    monkeypatch.setattr(module, "UNPACKED_LIMIT", 1000)
    assert len(unpacked(gzip.compress(b"x" * 1000))) == 1000
    with pytest.raises(Problem, match="more than"):
        unpacked(gzip.compress(b"x" * 1001))


@given(st.permutations(range(1, 6)), st.integers(1, 3))
def test_any_order_of_any_version_comes_out_sorted(order: Iterable[int], version: int) -> None:
    """The numbers of the subjects decide, and no other thing does."""
    word = f"PATCH v{version}" if version > 1 else "PATCH"
    box = b"".join(mail(f"[{word} {n}/5] p{n}", diff(str(n), str(n + 1))) for n in order)
    assert titles(box) == [f"{n}/5 p{n}" for n in range(1, 6)]


@given(st.binary(max_size=300), st.sampled_from([FIRST, COVER, b"", encoded("base64")]))
def test_any_bytes_are_mails_of_some_kind(noise: bytes, before: bytes) -> None:
    """Reading them never fails; what they mean is another question."""
    assert mails(before + noise)
    with contextlib.suppress(Problem):
        ordered(mails(before + noise))
