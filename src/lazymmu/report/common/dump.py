# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON as every format writes it: nothing but printable ASCII, so that it is safe to look at."""

from __future__ import annotations

import json

__all__ = ["dump"]


def dump(value: object, *, indent: int = 2) -> str:
    """`value` as JSON text with a newline at its end; all but printable ASCII is escaped."""
    # json.dumps(ensure_ascii=True) escapes all control characters but this one.
    return json.dumps(value, indent=indent, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"
