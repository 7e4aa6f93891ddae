# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a macro's text is part of the function around its use, and not a function of its own.

That is so when it leaves that function, or a loop of it: `return`, a `goto` to a label that is
not its own, `break` and `continue` outside of loops of its own. And when it holds something until a
scope is left that its user opened: guards, variables with a cleanup function. Of a macro that does
what is followed, and so is known by a word (`Marks`), the text is also part of it where that hangs
on a condition or is done in a loop, and where it is done around what the user hands it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lazymmu.kernelc.expand.c_tokens import Token

__all__ = ["ATTRIBUTE", "FORMS", "NO_MARKS", "TELLING", "Marks", "steers", "woven"]

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

_STEERING: Final = frozenset({b"if", b"for", b"switch", b"?", b"&&", b"||"})
_ENDS: Final = frozenset({b";", b"{", b"}", b")", b":"})


class Marks(NamedTuple):
    """Words of what is followed, and those of them that are never replaced by their text."""

    words: frozenset[bytes]
    kept: frozenset[bytes]


NO_MARKS: Final = Marks(frozenset(), frozenset())


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


def steers(body: Sequence[Token], params: Collection[bytes], marked: Collection[bytes]) -> bool:
    """Tell whether what a macro does hangs on its user, or is done around what that hands it.

    :param marked: the words of its text that are followed.
    """
    given = {param.removesuffix(b"...") or b"__VA_ARGS__" for param in params}
    if len(marked) > 1 and any(token.text in given for token in body):
        return True
    texts = (b"", *(token.text for token in body), b"")
    for before, text, after in zip(texts, texts[1:], texts[2:], strict=False):
        if text in _STEERING or (text == b"while" and before != b"}"):
            return True
        if text in given and before in _ENDS and after in (b";", b"}"):
            return True
    return False
