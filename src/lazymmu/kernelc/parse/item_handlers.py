# SPDX-License-Identifier: GPL-2.0-or-later
"""What a file says of items and functions in one call: `INIT_WORK(&later->work, later_free)`.

Any call whose first two arguments are an item and a name is read, within functions, initialisers
and at file level; which of these say who runs an item is for the caller to see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["ItemHandler", "read_item_handlers"]


@dataclass(frozen=True, slots=True)
class ItemHandler:
    """A call about an item: its name, the last word of the item, and the name beside it."""

    call: str
    item: str
    function: str


_CALL: Final = re.compile(
    rb"\b(\w++)[ \t]*+\([ \t\n]*+&?\(?((?>(?:\w++\)?(?:->|\.))*)\w++)\)?[ \t\n]*+,"
    rb"[ \t\n]*+&?([A-Za-z_]\w*+)[ \t\n]*+[,)]"
)
_LAST: Final = re.compile(rb"\w+\Z")


def read_item_handlers(text: bytes) -> tuple[ItemHandler, ...]:
    """Return every call of a file that is handed an item and a name, in their order."""
    found: dict[ItemHandler, None] = {}
    for match in _CALL.finditer(text):
        last = _LAST.search(match[2])
        if last is not None and not match[3].isupper():
            words = (match[1], last[0], match[3])
            found[ItemHandler(*(word.decode("latin-1") for word in words))] = None
    return tuple(found)
