# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls of the mode's API in one tree: by name, and where a name is one file's own, by both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from lazymmu.contract.vocabulary import ModeCall
from lazymmu.kernelc.ir.expr import AnyCall, Call, Deref, Field, Name
from lazymmu.kernelc.ir.nodes import spell, strip_casts

STATIC_CALLS: Final = frozenset({"static_call", "static_call_cond", "static_call_mod"})
"""Who calls by a key (include/linux/static_call.h)."""


@dataclass(frozen=True, slots=True)
class ModeApi:
    """What calls do to the mode.

    :param anywhere: calls by name: those of the vocabulary, and those of the tree's own headers and
        external functions that do what these do.
    :param within: calls of static functions and macros of one .c file, by the file and the name.
    :param pointed: places (file, byte offset) at which a constant pointer or a key is given one,
        which is called by the pointer's name then, or by a table's and a member's (`ops->enable`).
    :param homes: the files that define each of the tree's own names of `anywhere`.
    :param another: whether a .c file has something else of its own under a name that the tree gives
        the API.
    """

    anywhere: Mapping[str, ModeCall]
    within: Mapping[tuple[str, str], ModeCall] = field(default_factory=dict)
    pointed: frozenset[tuple[str, int]] = frozenset()
    homes: Mapping[str, Collection[str]] = field(default_factory=dict)
    another: Callable[[str, str], bool] = lambda _name, _file: False

    def of(self, name: str, file: str) -> ModeCall | None:
        """What a call of `name` in `file` does to the mode, None when it is no call of the API."""
        if self.within and (own := self.within.get((file, name))) is not None:
            return own
        found = self.anywhere.get(name)
        return None if found is not None and self.another(name, file) else found

    def of_call(self, call: AnyCall, name: str | None, file: str) -> ModeCall | None:
        """What a call in `file` does to the mode.

        :param name: the function that is called, as far as that is known.
        """
        if name is None and isinstance(call, Call):
            name = called_path(call)
        return None if name is None else self.of(name, file)

    def names(self, word: str, file: str) -> bool:
        """Whether a word of a file is part of how a call of the API is spelled."""
        keys = (*self.anywhere, *(name for where, name in self.within if where == file))
        return any(key.partition("->")[0] == word for key in keys)

    def has(self, name: str, file: str) -> bool:
        """Whether a definition of `name` in `file` is a part of the API."""
        return self.of(name, file) is not None


def by_key(key: str) -> str:
    """How a call by a key is spelled, `static_call(key)()`."""
    return f"{key}->static_call"


def called_path(call: Call) -> str | None:
    """How what is called is spelled: a name, a variable that points, a member of one, a key."""
    if call.name is not None:
        return call.name
    callee = strip_casts(call.callee) if not isinstance(call.callee, str) else Name(call.callee)
    while isinstance(callee, Deref):
        callee = strip_casts(callee.operand)
    match callee:
        case Call(str() as how, (Name(key),)) if how in STATIC_CALLS:
            return by_key(key)
    return spell(callee) if isinstance(callee, (Name, Field)) else None
