# SPDX-License-Identifier: GPL-2.0-or-later
"""A series that comes one mail at a time, as b4 hands it to a command for each patch.

What came before is kept in the cache under the thread, and put before the patch that is asked
about now; without a cache each patch stands alone.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from lazymmu.verbs.review.intake import mails_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.snapshot.cache import Cache
    from lazymmu.snapshot.patches.mails import Mail

__all__ = ["with_earlier"]

_KIND: Final = "review-mail"
_MOST: Final = 4 << 20
"""Largest mail that is kept, in bytes."""
_B4: Final = re.compile(r"-v(\d+)-\d+-[0-9a-f]{12}@")
"""What b4 makes Message-IDs of: the series, its version, the patch, a part of its content."""


def with_earlier(
    found: Sequence[Mail], content: bytes, store: Cache | None
) -> tuple[list[Mail], int]:
    """The mails of a series up to the one that is at hand, and its number, 0 for a whole series.

    :param content: the bytes of the one mail.
    """
    patches = [mail for mail in found if mail.is_patch]
    if len(found) != 1 or len(patches) != 1 or store is None:
        return list(found), 0
    (mail,) = patches
    number, total = mail.number
    thread = _thread(mail)
    if total < 2 or not thread or not number:
        return list(found), 0
    key = f"{thread} v{mail.version} of {total}"
    if len(content) <= _MOST:
        store.put(_KIND, f"{key} {number}", base64.b64encode(content).decode())
        store.commit()
    earlier: list[Mail] = []
    for one in range(1, number):
        kept = store.get(_KIND, f"{key} {one}")
        if not isinstance(kept, str):
            return list(found), number
        earlier += mails_of(base64.b64decode(kept))
    return [*earlier, mail], number


def _thread(mail: Mail) -> str:
    """What the mails of one thread have in common: the first that they refer to."""
    for name in ("References", "In-Reply-To"):
        words = mail.header(name).split()
        if words:
            return words[0]
    if _B4.search(mail.identity):
        return _B4.sub(r"-v\1-", mail.identity)
    return mail.identity if mail.number[0] == 1 else ""
