# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of contents, as git gives them: the same bytes have the same name, wherever they are."""

from __future__ import annotations

import hashlib
from typing import Final

__all__ = ["SHA1", "SHA256", "blob_id", "fingerprint", "is_of_file"]

SHA1, SHA256 = "sha1", "sha256"
"""The two formats of names that a repository may have (extensions.objectFormat)."""

_NAME: Final = 40
"""Length of a name in `SHA1`."""


def blob_id(content: bytes | bytearray | memoryview, form: str = SHA1) -> str:
    """The name that git gives to a file of this content.

    :param form: `SHA1` or `SHA256`. One of the two everywhere, unless it is to be compared with
        what a repository of the other says.
    """
    digest = hashlib.new(form, b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def is_of_file(name: str) -> bool:
    """Whether an id names a file's content, as `blob_id` gives it.

    Those of directories are longer, those of what is not there, or cannot be read, are shorter.
    """
    return len(name) == _NAME


def fingerprint(content: bytes) -> int:
    """A number for some content, for this program alone: it costs less than the name."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=16).digest())
