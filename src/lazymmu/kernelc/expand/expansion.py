# SPDX-License-Identifier: GPL-2.0-or-later
"""Macro expansion (C11, 6.10.3, with GCC's named variable arguments), of the macros one asks for.

Elsewhere macros are read as functions of their arguments, which is what they are for; what is
expanded is what a function cannot be: a macro that makes functions, declares what its user holds,
or leaves its user. Each token keeps the place in the source that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from lazymmu.kernelc.expand.c_tokens import Token, tokens

__all__ = ["Expander", "ExpansionError", "MacroText", "Wanted"]

_MOST: Final = 200_000
"""Tokens that one text may come to; the most that a guard of 7.3 comes to are some hundred."""

_WORD: Final = re.compile(rb"[A-Za-z_]\w*+")

_VARIABLE: Final = b"__VA_ARGS__"
_OPTIONAL: Final = b"__VA_OPT__"
_COUNTER: Final = b"__COUNTER__"
_UNIQUE: Final = b"__UNIQUE_ID"
"""A name that no other has (include/linux/compiler.h), also in a tree that does not define it."""


class ExpansionError(Exception):
    """A text that is not expanded, for the reason that is the message."""


class MacroText:
    """A macro as its `#define` has it: parameters, None for an object-like one, and text.

    :param place: the file and offset of that.
    """

    __slots__ = ("_body", "name", "params", "place", "text")

    def __init__(
        self, name: bytes, params: tuple[bytes, ...] | None, text: bytes, place: tuple[str, int]
    ) -> None:
        """Take all four."""
        self.name = name
        self.params = params
        self.text = text
        self.place = place
        self._body: tuple[Token, ...] | None = None

    @classmethod
    def of(
        cls, name: str, params: Sequence[str] | None, text: bytes, place: tuple[str, int] = ("", 0)
    ) -> MacroText:
        """Read a macro; `text` is its replacement text."""
        names = None if params is None else tuple(param.encode("latin-1") for param in params)
        return cls(name.encode("latin-1"), names, text, place)

    @property
    def body(self) -> tuple[Token, ...]:
        """The tokens of its text."""
        if self._body is None:
            plain = self.text.replace(b"\\\r\n", b"  \n").replace(b"\\\n", b" \n")
            self._body = tuple(tokens(plain))
        return self._body

    @property
    def words(self) -> set[bytes]:
        """The words of its text that are none of its parameters, nor its name."""
        text = self.text
        # Most macros have no comment, and no need to be taken apart.
        plain = b"/*" not in text and b"//" not in text
        words = set(_WORD.findall(text)) if plain else {t.text for t in self.body if t.word}
        return words.difference(self.params or (), (self.name,))

    @property
    def variable(self) -> bytes:
        """The name of its variable arguments, "" when it has none."""
        last = self.params[-1] if self.params else b""
        if not last.endswith(b"..."):
            return b""
        return last.removesuffix(b"...").strip() or _VARIABLE


Wanted = Callable[[Token, int], MacroText | None]
"""The macro that a word is a use of, None to leave it; with how many braces are open there."""


class Expander:
    """Expands the macros of one text."""

    def __init__(self, wanted: Wanted, named: Callable[[bytes], MacroText | None]) -> None:
        """Expand what is wanted.

        :param named: the macro of a name, for arguments that come to one word.
        """
        self._wanted = wanted
        self._named = named
        self._counter = 0
        self._made = 0

    def run(self, source: Sequence[Token]) -> list[Token]:
        """Return the tokens that a text comes to.

        :raises ExpansionError: they are too many.
        """
        return self._run(source, self._wanted)

    def _run(self, source: Sequence[Token], wanted: Wanted) -> list[Token]:
        out: list[Token] = []
        work = list(reversed(source))
        braces = 0
        while work:
            token = work.pop()
            self._made += 1
            if self._made > _MOST:
                raise ExpansionError(f"its macros come to more than {_MOST} tokens")
            if token.text == b"{":
                braces += 1
            elif token.text == b"}":
                braces -= 1
            elif token.text == _COUNTER:
                self._counter += 1
                token = replace(token, text=str(self._counter).encode())
            elif token.word and token.text not in token.hidden:
                macro = wanted(token, braces)
                body = self._use(macro, token, work) if macro is not None else None
                if body is not None:
                    work += reversed(body)
                    continue
            out.append(token)
        return out

    def _use(self, macro: MacroText, token: Token, work: list[Token]) -> list[Token] | None:
        """The text of one use, its arguments taken from `work`; None when it is none."""
        hidden = token.hidden | {token.text}
        if macro.params is None:
            return self._filled(macro, {}, token, hidden)
        if not work or work[-1].text != b"(":
            return None
        args = _arguments(work)
        if args is None:
            return None
        given = _bound(macro, args)
        return self._filled(macro, given, token, hidden) if given is not None else None

    def _filled(
        self,
        macro: MacroText,
        given: dict[bytes, list[Token]],
        use: Token,
        hidden: frozenset[bytes],
    ) -> list[Token]:
        """A macro's text with its arguments."""
        out: list[Token] = []
        ready: dict[bytes, list[Token]] = {}
        body = [Token(t.text, t.space, use.at, False, hidden) for t in macro.body]
        place = 0
        while place < len(body):
            token = body[place]
            place += 1
            pasted = place < len(body) and body[place].text == b"##"
            if token.text == b"#" and place < len(body) and body[place].text in given:
                out.append(replace(token, text=b'""'))
                place += 1
            elif token.text == b"##" and out and place < len(body):
                right = body[place]
                place += 1
                inside = given.get(right.text)
                if inside is None:
                    inside = [right]
                elif right.text == macro.variable and out[-1].text == b",":
                    # GCC: the comma goes when there are no arguments, else nothing is pasted.
                    if inside:
                        out += inside
                    else:
                        out.pop()
                    continue
                _paste(out, inside)
            elif token.text == _OPTIONAL and place < len(body) and body[place].text == b"(":
                rest = body[place:][::-1]
                inner = _arguments(rest) or []
                place = len(body) - len(rest)
                if given.get(macro.variable):
                    for number, part in enumerate(inner):
                        out += ([replace(token, text=b",")] if number else []) + part
            elif token.text in given:
                arg = given[token.text]
                whole = arg if pasted else ready.setdefault(token.text, [])
                if not whole and not pasted:
                    whole += self._argument(arg)
                if pasted and not whole:
                    # Nothing is pasted to what follows.
                    out.append(replace(token, text=b""))
                else:
                    out += [replace(t, space=token.space or t.space) for t in whole[:1]] + whole[1:]
            else:
                out.append(token)
        out = [token for token in out if token.text]
        return [replace(token, space=use.space) for token in out[:1]] + out[1:]

    def _argument(self, arg: list[Token]) -> list[Token]:
        """An argument, its macros replaced if that comes to one word: the making of a name."""
        if len(arg) < 2 and not (arg and arg[0].text == _COUNTER):
            return arg
        if not arg[0].word:
            return arg
        if arg[0].text == _UNIQUE and self._named(_UNIQUE) is None:
            self._counter += 1
            made = b"".join(t.text for t in arg[2:-1] if t.word)
            return [replace(arg[0], text=b"__unique_" + made + b"_%d" % self._counter)]
        found = self._run(arg, lambda token, _: self._named(token.text))
        return found if len(found) == 1 else arg


def _paste(out: list[Token], inside: list[Token]) -> None:
    """Make one word of the last token and the first that follows."""
    if not inside:
        return
    left = out.pop()
    out.append(replace(left, text=left.text + inside[0].text))
    out += inside[1:]


def _arguments(work: list[Token]) -> list[list[Token]] | None:
    """Take the parentheses that `work` ends with, and what they hold; None if they never end."""
    args: list[list[Token]] = [[]]
    depth = 0
    for number in range(len(work) - 1, -1, -1):
        token = work[number]
        if token.text == b"(":
            depth += 1
            if depth == 1:
                continue
        elif token.text == b")":
            depth -= 1
            if depth == 0:
                del work[number:]
                return args
        if token.text == b"," and depth == 1:
            args.append([])
        else:
            args[-1].append(token)
    return None


def _bound(macro: MacroText, args: list[list[Token]]) -> dict[bytes, list[Token]] | None:
    """The arguments by parameter; None when they are not as many as the parameters."""
    params = macro.params or ()
    if not params:
        return {} if args == [[]] else None
    variable = macro.variable
    fixed = params[:-1] if variable else params
    if len(args) < len(fixed) or (len(args) > len(fixed) and not variable):
        return None
    given = dict(zip(fixed, args, strict=False))
    if variable:
        rest: list[Token] = []
        for number, arg in enumerate(args[len(fixed) :]):
            if number:
                rest.append(Token(b",", b"", arg[0].at if arg else 0, own=False))
            rest += arg
        given[variable] = rest
    return given
