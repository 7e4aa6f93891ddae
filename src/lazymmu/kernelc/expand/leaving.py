# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a macro's text is part of the function around its use, and not a function of its own.

That is so when it leaves that function, or a loop of it: `return`, a `goto` to a label that is
not its own, `break` and `continue` outside of loops of its own. And when it holds something until a
scope is left that its user opened: guards, variables with a cleanup function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lazymmu.kernelc.expand.c_tokens import Token

__all__ = ["ATTRIBUTE", "FORMS", "TELLING", "woven"]

_JUMPS: Final = frozenset({b"return", b"goto", b"break", b"continue"})

_CLASS: Final = b"class_"
"""What the names of a class's functions are made with: who makes one calls it (ACQUIRE_ERR())."""

FORMS: Final = {
    **dict.fromkeys((b"guard", b"scoped_guard", b"scoped_cond_guard"), _CLASS),
    **dict.fromkeys((b"CLASS", b"CLASS_INIT"), _CLASS),
    b"__free": b"__free_",
    b"__cleanup": b"",
}
"""The forms of include/linux/cleanup.h, and what the functions' names begin with that they call."""

ATTRIBUTE: Final = frozenset({b"cleanup", b"__cleanup__"})
"""GCC's attribute below them."""

HOLDING: Final = ATTRIBUTE.union(FORMS)

TELLING: Final = _JUMPS | HOLDING | {_CLASS}
"""A text without any of these words is not part of the function around it."""

_LOOPS: Final = frozenset({b"for", b"while", b"do"})


def woven(body: Sequence[Token]) -> bool:
    """Tell whether a macro's text, taken alone, is part of the function around its use."""
    labels = {
        one.text
        for before, one, after in zip((None, *body), body, (*body[1:], None), strict=False)
        if one.word and after is not None and after.text == b":"
        and (before is None or before.text in (b";", b"{", b"}", b")", b":"))
    }  # fmt: skip
    open_: list[bytes] = []
    """What each open brace is the body of: a loop, a switch, or neither."""
    waiting, parens, place = b"", 0, 0
    while place < len(body):
        token = body[place]
        text = token.text
        place += 1
        following = body[place].text if place < len(body) else b""
        if text == b"(":
            parens += 1
        elif text == b")":
            parens -= 1
        elif text in _LOOPS or text == b"switch":
            waiting = text
        elif text == b"{":
            open_.append(waiting)
            waiting = b""
        elif text == b"}" and open_:
            open_.pop()
        elif text == b";" and not parens:
            waiting = b""
        elif text in (b"return", _CLASS):
            return True
        elif text == b"goto" and following not in labels and following != b"(":
            # `asm goto (...)` goes to a label that its own user has, or falls through.
            return True
        elif text in (b"break", b"continue"):
            around = {waiting, *open_}
            if around.isdisjoint(_LOOPS) and (text == b"continue" or b"switch" not in around):
                return True
        elif text in HOLDING and not open_ and (following == b"(" or text.startswith(b"__")):
            return True
    return False
