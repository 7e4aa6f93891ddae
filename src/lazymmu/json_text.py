# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON read and written.

Read strictly: what two readers could take for two different things is no JSON here. Written as
nothing but printable ASCII, so that it is safe to look at. A leaf: it imports none of ours.
"""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["NO_JSON", "NotStrictError", "dump", "load"]


NO_JSON: Final = "it is not JSON"
"""What is said of a text that is none at all, or that no reader can follow."""


class NotStrictError(ValueError):
    """A text is not what `load` reads; the text of the error is a phrase: "it is not JSON"."""


def dump(value: object, *, indent: int = 2) -> str:
    """`value` as JSON text with a newline at its end; all but printable ASCII is escaped."""
    # json.dumps(ensure_ascii=True) escapes all control characters but this one.
    return json.dumps(value, indent=indent, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def load(text: bytes | str) -> object:
    """The value of a JSON text (RFC 8259) in UTF-8.

    :raises NotStrictError: and nothing else, for a text that is none, with a byte order mark, with
        a key that stands twice in an object (readers differ in which they take), NaN or Infinity, a
        number of more digits than Python reads, and nesting deeper than it follows.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError:
        raise NotStrictError("it is not text in UTF-8") from None
    if decoded.startswith("\ufeff"):
        raise NotStrictError("it begins with a byte order mark")
    try:
        value: object = json.loads(decoded, object_pairs_hook=_once, parse_constant=_no_constant)
    except NotStrictError:
        raise
    except (ValueError, RecursionError):
        raise NotStrictError(NO_JSON) from None
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for key, value in pairs:
        if key in whole:
            raise NotStrictError(f"the key {key!r} stands twice in an object")
        whole[key] = value
    return whole


def _no_constant(name: str) -> object:
    raise NotStrictError(f"{name} is no number of JSON")
