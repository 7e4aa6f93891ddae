# SPDX-License-Identifier: GPL-2.0-or-later
"""Static keys of a tree: what each is at first, and whether anything in the tree may change it.

A key that nothing changes is what its definition says. Any other keeps its value while tasks run:
one machine is made for each.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.lift.problem import Unliftable
from lazymmu.lift.values import Opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.lift.values import Value

__all__ = ["StaticKey", "StaticKeys", "combinations", "name_of"]

MOST: Final = 2
"""Keys of one machine that may be either; each doubles the machines."""

_DEFINED: Final = (
    r"\bDEFINE_STATIC_KEY_(?P<value>TRUE|FALSE)(?:_RO)?\s*\(\s*{name}\s*\)"
    r"|\bDEFINE_STATIC_KEY_MAYBE(?:_RO)?\s*\(\s*(?P<config>\w+)\s*,\s*{name}\s*\)"
    r"|\bstruct\s+static_key\s+{name}\s*=\s*STATIC_KEY_INIT_(?P<old>TRUE|FALSE)\b"
)
"""include/linux/jump_label.h"""

_ASKING: Final = (
    r"\bstatic_(?:branch_(?:un)?likely|branch_maybe|key_enabled|key_count|key_true|key_false)"
    r"\s*\(\s*(?:\w+\s*,\s*)?"
)
"""What stands before the address of a key where it is asked for, and left as it is."""

_ASKED: Final = _ASKING + r"&\s*{name}\b"

_PASTED: Final = re.compile(rb"&\s*\(?\s*(\w+(?:\s*##\s*\w+)+)")
"""The address of what a macro makes the name of."""

_BEFORE: Final = re.compile(_ASKING.encode() + rb"\Z")

_NAMED: Final = r"&\s*{name}\b"
"""Its address, in whatever else: what changes a key is handed that."""


@dataclass(frozen=True, slots=True)
class StaticKey:
    """A key.

    :param value: at first; None where the configuration decides.
    :param place: where it is defined.
    :param changed: where it may be changed, "" for nowhere.
    """

    name: str
    value: int | None
    place: str
    changed: str = ""


@dataclass(slots=True)
class StaticKeys:
    """The keys that were asked for.

    :param supposed: what some of those are that may be either.
    :param met: those that were asked for so far, by name.
    """

    view: ConfiguredTree
    supposed: Mapping[str, int] = field(default_factory=dict)
    met: dict[str, StaticKey] = field(default_factory=dict)

    def value(self, name: str) -> int:
        """Return what a key is.

        :raises Unliftable: nothing in what is compiled defines it.
        """
        key = self.met.get(name)
        if key is None:
            key = self.met[name] = self._found(name)
        return self.supposed.get(name, key.value or 0)

    def asked(self, key: Value, refused: Callable[[str], Unliftable]) -> int:
        """Return what the key at an address is.

        :param refused: makes what to raise, of a reason.
        :raises Unliftable: it is no variable by its name, or is defined nowhere.
        """
        name = name_of(key)
        if not name.isidentifier():
            raise refused("of a key that is no variable of its own")
        try:
            return self.value(name)
        except Unliftable as problem:
            raise refused(f"of what is not known: {problem.what}") from None

    def keep(self, names: Collection[str]) -> None:
        """Forget all but these: what is no part of the machine was looked at, and asked."""
        self.met = {name: key for name, key in self.met.items() if name in names}

    def open(self) -> tuple[StaticKey, ...]:
        """Return those that may be either, in the order of their names."""
        found = (key for _, key in sorted(self.met.items()))
        return tuple(key for key in found if key.value is None or key.changed)

    def either(self) -> str:
        """Return what those are taken to be here that may be either, "" where none may."""
        return ", ".join(_words(key.name, self.value(key.name)) for key in self.open())

    def values(self) -> dict[str, int]:
        """Return what each key is that was asked for."""
        return {name: self.value(name) for name in self.met}

    def told(self) -> dict[str, str]:
        """Return of each key that was asked for what it is taken to be, and why."""
        return {name: self._told(key) for name, key in self.met.items()}

    def _told(self, key: StaticKey) -> str:
        is_on = self.supposed.get(key.name, key.value or 0)
        said = f"the key is {'on' if is_on else 'off'}"
        if key.changed:
            return f"{said} while tasks run ({key.place} defines it, {key.changed} may change it)"
        why = "as the configuration has it" if key.value is None else "and nothing changes it"
        return f"{said}, {why} ({key.place})"

    def _found(self, name: str) -> StaticKey:
        defined, asked, named = (
            re.compile(text.format(name=re.escape(name)).encode())
            for text in (_DEFINED, _ASKED, _NAMED)
        )
        key: StaticKey | None = None
        changed = ""
        for rel in self.view.having(name):
            text = self.view.sources.read(rel)
            compiled = self.view.headers.selection(rel).is_compiled
            for match in defined.finditer(text):
                if key is None and compiled(match.start()):
                    key = StaticKey(name, self._first(match), _place(rel, text, match.start()))
            only = {match.end() for match in asked.finditer(text)}
            for match in named.finditer(text):
                if not changed and match.end() not in only and compiled(match.start()):
                    changed = _place(rel, text, match.start())
        if key is None:
            raise Unliftable(f"the static key {name} is defined nowhere")
        return StaticKey(name, key.value, key.place, changed or self._pasted(name))

    def _pasted(self, name: str) -> str:
        """Where a macro may change a key whose name it makes of parts, "" for nowhere."""
        for rel in self.view.having("##"):
            text = self.view.sources.read(rel)
            if not _PASTED.search(text):
                continue
            compiled = self.view.headers.selection(rel).is_compiled
            for raw in self.view.raw_definitions(rel):
                if raw.kind != "macro" or not compiled(raw.start):
                    continue
                for match in _PASTED.finditer(text, raw.body, raw.end):
                    asks = _BEFORE.search(text, raw.body, match.start())
                    own = _defines(text[raw.body : raw.end], match[1])
                    if not (asks or own) and _may_be(name, match[1].decode("latin-1"), raw.params):
                        return _place(rel, text, match.start())
        return ""

    def _first(self, match: re.Match[bytes]) -> int | None:
        if match["config"] is None:
            return int((match["value"] or match["old"]) == b"TRUE")
        name = match["config"].decode().removeprefix("CONFIG_")
        return {"y": 1, "n": 0}.get(self.view.config.value(name))


def combinations(keys: Sequence[StaticKey]) -> Iterator[tuple[dict[str, int], str]]:
    """Yield what keys may be beside what they are defined as, each with its words.

    :raises Unliftable: they are too many.
    """
    if len(keys) > MOST:
        names = ", ".join(key.name for key in keys)
        raise Unliftable(f"{len(keys)} static keys that may be either, and {MOST} at most: {names}")
    for values in itertools.product(*([key.value or 0, 1 - (key.value or 0)] for key in keys)):
        made = {key.name: value for key, value in zip(keys, values, strict=True)}
        other = [key.name for key in keys if made[key.name] != (key.value or 0)]
        if other:
            yield made, ", ".join(_words(name, made[name]) for name in other)


def _words(name: str, value: int) -> str:
    return f"{name} {'on' if value else 'off'}"


def name_of(key: Value) -> str:
    """Return the name of the key at an address, "" for what is no variable by its name."""
    return key.spelling.removesuffix(".key") if isinstance(key, Opaque) else ""


def _may_be(name: str, pasted: str, params: Sequence[str]) -> bool:
    """Tell whether parts that are put together, some of them a macro's parameters, are a name."""
    parts = [part.strip() for part in pasted.split("##")]
    made = "".join(r"\w*" if part in params else re.escape(part) for part in parts)
    return re.fullmatch(made, name) is not None


def _defines(body: bytes, pasted: bytes) -> bool:
    """Tell whether a macro defines a variable by the name that it makes: it is that, and no key."""
    name = rb"\s*##\s*".join(re.escape(part.strip()) for part in pasted.split(b"##"))
    return re.search(rb"[\w*]\s+\**" + name + rb"\s*(?:=[^=]|\[|;)", body) is not None


def _place(rel: str, text: bytes, at: int) -> str:
    line = text.count(b"\n", 0, at) + 1
    return f"{rel}:{line}"
