# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails with patches: taken apart, decoded, and put in the order of the series.

A mailbox may hold a cover letter, replies, several versions of a series and copies of one mail, in
any order. What is no patch is left out; of several versions the last one counts, as b4 has it.
"""

from __future__ import annotations

import email.errors
import email.header
import email.parser
import email.policy
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem

if TYPE_CHECKING:
    from email.message import Message

__all__ = ["Mail", "mails", "ordered", "unpacked"]

UNPACKED_LIMIT: Final = 256 << 20
"""Bytes that a packed file of patches may hold."""

MAX_MAILS: Final = 10_000
"""Most mails that are read of one file."""

_FROM: Final = re.compile(rb"(?:\A|\n)(?=From [^\n]*\d{4}[^\n]*\n[!-9;-~]+:[ \t])")
"""Where a mail of a mailbox begins: at a line with a year, before a header."""

_ESCAPED: Final = re.compile(rb"^>(?=>*From )", re.MULTILINE)
_HEADER: Final = re.compile(rb"(?:From [^\n]*\n)?(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n")
_TAG: Final = re.compile(r"\[(?P<words>[^\]]*\b(?:PATCH(?:v\d+)?|RFC)\b[^\]]*)\]", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?<![\w/])(\d{1,4})/(\d{1,4})(?![\w/])")
_VERSION: Final = re.compile(r"(?:^|[\s,])v(\d{1,4})\b|PATCHv(\d{1,4})\b", re.IGNORECASE)
_REPLY: Final = re.compile(r"\s*(?:re|aw|sv|antw|fwd?)\s*(?:\[\d+\])?:", re.IGNORECASE)
_KEPT: Final = ("From", "To", "Cc", "Date", "Subject", "In-Reply-To", "References")
_DIFF: Final = re.compile(rb"^(?:diff --git |--- (?!a*\n))", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, or a plain diff.

    :param subject: without its tags, "" of a plain diff.
    :param number: which of how many it is, by its subject; (0, 0) where that does not say.
    :param version: of the series, 1 unless the subject says another.
    :param reply: whether it answers another mail.
    :param text: its text, decoded, with what was attached.
    :param identity: its Message-ID, "" for none.
    :param headers: what a reply is made of, decoded, in the order of `_KEPT`.
    """

    text: bytes
    subject: str = ""
    number: tuple[int, int] = (0, 0)
    version: int = 1
    reply: bool = False
    identity: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        """A header that is kept, "" where there is none."""
        return dict(self.headers).get(name, "")

    @property
    def title(self) -> str:
        """How messages call it: `1/3 mm: do this`."""
        number = f"{self.number[0]}/{self.number[1]} " if self.number[1] else ""
        return f"{number}{self.subject}".strip()

    @property
    def is_patch(self) -> bool:
        """Whether there is a line that begins a diff."""
        return _DIFF.search(self.text) is not None


def unpacked(content: bytes) -> bytes:
    """A file as it was before it was packed by gzip, if it was.

    :raises Problem: it is damaged, or holds more than `UNPACKED_LIMIT`.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    found = []
    room = UNPACKED_LIMIT
    while content.startswith(b"\x1f\x8b"):  # files that were packed one by one and joined
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(content, room + 1)
        except zlib.error as error:
            raise Problem(f"damaged gzip data: {error}") from None
        room -= len(part)
        if room < 0:
            raise Problem(f"more than {UNPACKED_LIMIT >> 20} MB when unpacked")
        if not unpacker.eof:
            raise Problem("the gzip data is cut off")
        found.append(part)
        content = unpacker.unused_data
    return b"".join(found)


def mails(content: bytes) -> list[Mail]:
    """The mails of a mailbox, of one mail, or of a file that is none, in the order of the file.

    :raises Problem: there are more than `MAX_MAILS`.
    """
    starts = [match.end() for match in _FROM.finditer(content)]
    if len(starts) > MAX_MAILS:
        raise Problem(f"more than {MAX_MAILS} mails")
    if not starts:
        return [_mail(content) if _HEADER.match(content.lstrip()) else _plain(content)]
    pieces = [content[at:end] for at, end in zip(starts, [*starts[1:], len(content)], strict=True)]
    before = content[: starts[0]]
    whole = [_plain(before)] if before.strip() else []
    return whole + [_mail(_ESCAPED.sub(b"", piece.partition(b"\n")[2])) for piece in pieces]


def ordered(found: list[Mail]) -> list[Mail]:
    """The patches among some mails, in the order in which they are to be applied.

    Where each says which of how many it is, that is the order; else that of the file.

    :raises Problem: one is missing in between.
    """
    patches = [mail for mail in found if mail.is_patch]
    patches = [mail for mail in patches if not mail.reply] or patches
    last = max((mail.version for mail in patches), default=1)
    patches = [mail for mail in patches if mail.version == last]
    seen: dict[tuple[str, str, bytes], Mail] = {}
    for mail in patches:
        # A list and its recipients give copies of one mail, which differ in their headers alone.
        key = (mail.identity, "", b"") if mail.identity else ("", mail.title, mail.text)
        seen.setdefault(key, mail)
    patches = list(seen.values())
    numbers = [mail.number[0] for mail in patches if mail.number[1]]
    whole = {mail.number[1] for mail in patches}
    if len(numbers) != len(patches) or len(whole) != 1 or len(set(numbers)) != len(numbers):
        return patches
    total = whole.pop()
    missing = set(range(min(numbers), max(numbers) + 1)).difference(numbers, {0})
    if missing:
        lacks = ", ".join(f"{number}/{total}" for number in sorted(missing)[:5])
        raise Problem(f"a series that lacks {lacks}")
    return sorted(patches, key=lambda mail: mail.number[0])


def _plain(content: bytes) -> Mail:
    return Mail(_without_cr(content))


def _mail(content: bytes) -> Mail:
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(content.lstrip())
    subject = _decoded(message.get("Subject", ""))
    tag = _TAG.search(subject)
    words = tag["words"] if tag else ""
    number = _NUMBER.search(words)
    version = _VERSION.search(words)
    return Mail(
        text=_without_cr(b"\n".join(_texts(message))),
        subject=_TAG.sub("", subject, count=1).strip() if tag else subject,
        number=(int(number[1]), int(number[2])) if number else (0, 0),
        version=int(version[1] or version[2]) if version else 1,
        reply=_REPLY.match(subject) is not None,
        identity=str(message.get("Message-ID", "")).strip(),
        headers=tuple((name, said) for name in _KEPT if (said := _header(message, name))),
    )


def _header(message: Message, name: str) -> str:
    """A header of a mail, and of those that come several times all."""
    return ", ".join(_decoded(one) for one in message.get_all(name, []))


def _texts(message: Message) -> list[bytes]:
    """The texts of a mail, its own before those that are attached, each decoded."""
    found = []
    for part in message.walk():
        name = (part.get_filename() or "").lower()
        kind = part.get_content_type()
        patch = name.endswith((".patch", ".diff", ".txt")) or kind in {
            "text/x-patch",
            "text/x-diff",
        }
        if part.is_multipart() or not (patch or kind == "text/plain"):
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            found.append(_in_utf8(content, part.get_content_charset() or ""))
    return found


def _in_utf8(content: bytes, charset: str) -> bytes:
    """A text in the encoding of the kernel's source, if it is in another (git am, --utf8)."""
    if charset.lower() in {"", "utf-8", "us-ascii"}:
        return content
    try:
        return content.decode(charset).encode("utf-8")
    except (LookupError, ValueError):
        return content


def _decoded(value: object) -> str:
    """A header as a line of text."""
    parts = []
    try:
        for piece, charset in email.header.decode_header(str(value)):
            text = piece
            if isinstance(piece, bytes):
                text = piece.decode(charset or "latin-1", "replace")
            parts.append(str(text))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return " ".join(str(value).split())
    return " ".join("".join(parts).split())


def _without_cr(text: bytes) -> bytes:
    """A text with plain ends of lines, if all of it was given others on its way."""
    if re.search(rb"^@@ [^\n]*(?<!\r)\n", text, re.MULTILINE):
        return text
    return text.replace(b"\r\n", b"\n")
