# SPDX-License-Identifier: GPL-2.0-or-later
"""What tells one walk of the headers from others: what it saw, whatever it was computed from.

Two walks are one where the same headers were visited in the same order, with the same directives,
of which the same are live under the same conditions, and leave the same macros; where the same .c
files are built, and each sees the same local headers. So a .c file may come to include another
header that was visited before, a Makefile may build what nobody looks at, and the walk is the same.

Of a .c file nothing else counts here: whoever reads it reads its directives too (file_parts.py).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lazymmu.kernelc.walk_parts import WalkParts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["walk_identity"]


def walk_identity(state: Mapping[str, object], *also: object) -> str:
    """Return what tells a walk from others.

    :param state: the walk as `plain_state` tells it.
    :param also: for what machine, and under which configuration.
    :raises KeyError, TypeError, ValueError: the state is none.
    """
    walk = WalkParts.of(state)
    headers = frozenset(walk.headers)
    whole = hashlib.blake2b(digest_size=16)
    for part in (
        also,
        [(rel, walk.digests.get(rel), walk.includes.get(rel)) for rel in walk.headers],
        list(walk.live()),
        list(walk.macros()),
        state["values"],
        state["removed"],
        walk.built(),
        list(walk.overrides()),
        [item for item in walk.local().items() if item[0] not in headers],
        state["loops"],
    ):
        whole.update(repr(part).encode("utf-8", "surrogatepass"))
        whole.update(b"\0")
    return whole.hexdigest()
