# SPDX-License-Identifier: GPL-2.0-or-later
"""The functions of make that lists of objects and conditionals use.

They work on words with presence conditions.

What is done follows the GNU make manual, "Functions for Transforming Text". Tests of the
compiler (scripts/Makefile.compiler, scripts/Kbuild.include: cc-option and its kin) succeed, as
with a current GCC. Nothing is executed: what a shell would answer is UNKNOWN, and so is what a
function that is not known here would give.
"""

from __future__ import annotations

from posixpath import basename, dirname
from typing import TYPE_CHECKING, Final, Protocol

from lazymmu.kernelc.config.make_words import (
    UNKNOWN,
    Word,
    commas,
    fits,
    presence_of,
    replaced,
    uncertain,
)
from lazymmu.kernelc.presence import ALWAYS, PresenceCondition, both

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["carry_out"]


class MakeEvaluator(Protocol):
    """What a function may ask of the Makefile that calls it (see makefile.py)."""

    def expand(self, text: str) -> list[Word]:
        """Return the words of a text."""
        ...

    def variable(self, name: str) -> list[Word]:
        """Return the words of a variable."""
        ...

    def known(self, name: str) -> bool:
        """Tell whether a variable was given a value."""
        ...

    def bound(self, values: dict[str, list[Word]], text: str) -> list[Word]:
        """Return the words of a text while some variables have other values."""
        ...

    def carry_out_text(self, text: str) -> None:
        """Read text as lines of the Makefile."""
        ...

    def matching(self, pattern: str) -> list[str]:
        """Return the paths of the tree that a pattern of a shell fits."""
        ...

    def charge(self, characters: int) -> None:
        """Count work for the line at hand.

        :raises TooMuchError: that is enough.
        """
        ...

    def unread(self) -> list[Word]:
        """Return the word for what cannot be evaluated at the line at hand."""
        ...


def carry_out(make: MakeEvaluator, name: str, rest: str) -> list[Word]:
    """Return what `$(name rest)` stands for in the Makefile `make`."""
    simple = _BY_WORD.get(name)
    if simple is not None:
        return [(simple(word), presence) for word, presence in make.expand(rest)]
    arguments = commas(rest)
    match name:
        case "strip" | "sort" | "abspath" | "realpath":
            return make.expand(rest)
        case "subst" if len(arguments) == 3:
            return _subst(make, *arguments)
        case "patsubst" if len(arguments) == 3:
            old, new = (_text(make, item) for item in arguments[:2])
            return [(replaced(word, old, new), own) for word, own in make.expand(arguments[2])]
        case "filter" | "filter-out" if len(arguments) == 2:
            return _filter(make, name == "filter", *arguments)
        case "addprefix" | "addsuffix" if len(arguments) == 2:
            added = make.expand(arguments[0]) or [("", ())]
            words = make.expand(arguments[1])
            return [
                (extra + word if name == "addprefix" else word + extra, both(more, own))
                for word, own in words
                for extra, more in (added[:_WAYS] if uncertain(presence_of(added)) else added[:1])
            ]
        case "join" if len(arguments) == 2:
            return _join(*map(make.expand, arguments))
        case "word" | "wordlist" | "firstword" | "lastword" | "words":
            return _counted(make, name, arguments)
        case "findstring" if len(arguments) == 2:
            wanted, found = _text(make, arguments[0]), make.expand(arguments[1])
            if _unknown(found) or UNKNOWN in wanted:
                return make.unread()
            text = " ".join(word for word, _ in found)
            return [(wanted, presence_of(found))] if wanted in text else []
        case "if" | "or" | "and":
            return _choose(make, name, arguments)
        case "foreach" if len(arguments) >= 3:
            return _foreach(make, arguments[0], arguments[1], ",".join(arguments[2:]))
        case "call":
            return _call(make, arguments)
        case "wildcard":
            return _wildcard(make, rest)
        case "eval":
            make.carry_out_text(rest)
            return []
        case "origin":
            return [("file" if make.known(rest.strip()) else "undefined", ())]
        case "error" | "warning" | "info":
            return []
    return make.unread()


def _text(make: MakeEvaluator, text: str) -> str:
    return " ".join(word for word, _ in make.expand(text))


def _subst(make: MakeEvaluator, old: str, new: str, text: str) -> list[Word]:
    """Replace text, which may be or bring blanks, so that words fall apart."""
    old = _text(make, old) if "$" in old else old.strip()
    new = _text(make, new) if "$" in new else new
    return [
        (part, presence)
        for word, presence in make.expand(text)
        for part in _replaced(word, old, new).split()
    ]


def _replaced(word: str, old: str, new: str) -> str:
    """Replace as often as it is; a text that would have no end is not one that can be known."""
    if not old:
        return word + new
    return word.replace(old, new) if word.count(old) * len(new) < 1_000_000 else UNKNOWN


def _unknown(words: list[Word]) -> bool:
    return any(UNKNOWN in word for word, _ in words)


def _filter(make: MakeEvaluator, keep: bool, patterns: str, text: str) -> list[Word]:
    wanted = make.expand(patterns)
    words = make.expand(text)
    make.charge(len(wanted) * len(words))
    if _unknown(wanted):
        presence = presence_of(wanted)
        return [(word, both(own, presence)) for word, own in words]
    return [
        item
        for item in words
        if UNKNOWN in item[0] or any(fits(item[0], pattern) for pattern, _ in wanted) == keep
    ]


def _join(left: list[Word], right: list[Word]) -> list[Word]:
    longest = max(len(left), len(right))
    empty: Word = ("", ())
    pairs = zip(
        left + [empty] * (longest - len(left)),
        right + [empty] * (longest - len(right)),
        strict=True,
    )
    return [(a[0] + b[0], both(a[1], b[1])) for a, b in pairs]


def _counted(make: MakeEvaluator, name: str, arguments: list[str]) -> list[Word]:
    """word, wordlist, firstword, lastword and words."""
    words = make.expand(arguments[-1])
    if _unknown(words) or (uncertain(presence_of(words)) and name not in ("firstword", "lastword")):
        return make.unread()
    match name:
        case "words":
            return [(str(len(words)), presence_of(words))]
        case "firstword" | "lastword":
            if uncertain(presence_of(words)):
                return words
            return words[:1] if name == "firstword" else words[-1:]
    try:
        numbers = [int(_text(make, item)) for item in arguments[:-1]]
    except ValueError:
        return make.unread()
    if not numbers or numbers[0] < 1:
        return make.unread()
    return words[numbers[0] - 1 : numbers[-1]]


def _choose(make: MakeEvaluator, name: str, arguments: list[str]) -> list[Word]:
    """if, or and and."""
    if name == "if":
        test = make.expand(arguments[0])
        presence = presence_of(test)
        chosen = arguments[1:2] if test else [",".join(arguments[2:])]
        if uncertain(presence):
            chosen = [*arguments[1:2], ",".join(arguments[2:])]
        words = [item for text in chosen for item in make.expand(text)]
        return [(word, both(presence, own)) for word, own in words]
    words = []
    before: PresenceCondition = ALWAYS
    for argument in arguments:
        words = make.expand(argument)
        if bool(words) == (name == "or") and not uncertain(presence_of(words)):
            break
        before = both(before, presence_of(words))
        if uncertain(presence_of(words)):
            return words
    return words


def _foreach(make: MakeEvaluator, variable: str, words: str, text: str) -> list[Word]:
    name = _text(make, variable).strip()
    found: list[Word] = []
    for item in make.expand(words):
        if len(found) > _WORDS:
            return found
        made = make.bound({name: [item]}, text)
        found += [(word, both(item[1], own)) for word, own in made]
    return found


def _call(make: MakeEvaluator, arguments: list[str]) -> list[Word]:
    name = _text(make, arguments[0]).strip()
    if name in _SUCCEED:
        return make.expand(arguments[_SUCCEED[name]]) if len(arguments) > _SUCCEED[name] else []
    if name in _ANSWERS:
        answer = _ANSWERS[name]
        return [(answer, ())] if answer else []
    if name == "cc-disable-warning":
        return [(f"-Wno-{word}", own) for word, own in make.expand(",".join(arguments[1:]))]
    if not make.known(name):
        return make.unread()
    values = {str(index): make.expand(text) for index, text in enumerate(arguments)}
    values.update({str(index): [] for index in range(len(arguments), 10)})
    return make.bound(values, f"$({name})")


def _wildcard(make: MakeEvaluator, rest: str) -> list[Word]:
    found: list[Word] = []
    for pattern, presence in make.expand(rest):
        if UNKNOWN in pattern:
            found += make.unread()
        else:
            found += [(path, presence) for path in make.matching(pattern)]
    return found


def _directory(word: str) -> str:
    return f"{dirname(word)}/" if "/" in word else "./"


def _suffix(word: str) -> str:
    dot = word.rfind(".")
    return word[dot:] if dot > word.rfind("/") else ""


def _without_suffix(word: str) -> str:
    return word[: len(word) - len(_suffix(word))]


_WORDS: Final = 5_000
_WAYS: Final = 64
"""As many words as a list may have, and as many other forms as one word (see makefile.py)."""

_BY_WORD: Final[dict[str, Callable[[str], str]]] = {
    "basename": _without_suffix,
    "notdir": basename,
    "dir": _directory,
    "suffix": _suffix,
}

_SUCCEED: Final = {
    "cc-option": 1,
    "as-option": 1,
    "ld-option": 1,
    "hostcc-option": 1,
    "as-instr": 2,
    "try-run": 2,
}
"""Tests of the tools by which argument they give when they succeed."""

_ANSWERS: Final = {
    "cc-option-yn": "y",
    "gcc-min-version": "y",
    "clang-min-version": "",
    "cc-ifversion": "",
    "ld-ifversion": "",
    "cc-cross-prefix": "",
}
