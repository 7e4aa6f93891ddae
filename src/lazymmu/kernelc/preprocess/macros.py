# SPDX-License-Identifier: GPL-2.0-or-later
"""The macros that are defined at one point of a walk, over the kernel's configuration.

A configuration symbol that a user may choose ("free") counts as on, so that the code it guards is
seen; what is defined or undefined because of it has its presence condition (see presence.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from lazymmu.kernelc.preprocess.directives import plain
from lazymmu.kernelc.preprocess.if_bounds import Work
from lazymmu.kernelc.presence import ALWAYS, PresenceCondition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["Macro", "Macros", "Options", "Scoped"]


class Options(Protocol):
    """What the kernel's configuration says (see kconfig.Config)."""

    def value(self, symbol: str) -> str:
        """Return "y", "n" or "free" for a symbol without its CONFIG_ prefix."""
        ...

    def number(self, symbol: str) -> int | None:
        """Return the value of an int or hex symbol, None when it is none or has no default."""
        ...


class Macro(NamedTuple):
    """One live `#define`: its text behind the name, its place, and its presence condition."""

    text: str
    file: str
    start: int
    presence: PresenceCondition

    @property
    def parameters(self) -> tuple[str, ...] | None:
        """Names of the parameters of a function-like macro, None for an object-like one."""
        if not self.text.startswith("("):
            return None
        names = self.text[1 : self.text.find(")")].replace("\\\n", " ").split(",")
        return tuple(name.strip() for name in names if name.strip())

    @property
    def value(self) -> str:
        """Replacement text with comments and line continuations taken out."""
        if not self.text.startswith("("):
            return plain(self.text)
        return plain(self.text[self.text.find(")") + 1 :])


_Entry = tuple[str | None, str, int, PresenceCondition]
"""A definition as a table holds it: text (None: not yet read), file, offset, its condition."""


class Macros:
    """The macros defined at one point of a walk, over the configuration.

    A table may stand on a `base`: what it defines and undefines itself then hides the base
    without changing it, which is how one .c file is looked at with the walk's final table.
    """

    __slots__ = ("_base", "_load", "_own", "beyond", "options", "work")

    def __init__(
        self,
        values: Mapping[str, str] | None = None,
        options: Options | None = None,
        *,
        base: Macros | None = None,
        load: Callable[[str, int], str] | None = None,
    ) -> None:
        """Start with object-like macros `values` (name to text) over `options` and `base`.

        `load` finds the text of a macro that was entered without one, by file and offset.
        """
        self._own: dict[str, _Entry | None] = {}
        self._base: Macros | None = base
        self._load = load
        self.beyond = False
        """Whether a condition was met that is too much to be evaluated; it does not hold then."""
        self.work: Work = base.work if base is not None else Work()
        self.options: Options | None = options
        if options is None and base is not None:
            self.options = base.options
        for name, value in (values or {}).items():
            self._own[name] = (f" {value}", "", -1, ALWAYS)

    def get(self, name: str) -> Macro | None:
        """Return the definition of `name`, None when it has none."""
        if name in self._own:
            known = self._own[name]
            if known is None:
                return None
            if known[0] is None:
                text = self._load(known[1], known[2]) if self._load is not None else ""
                known = self._own[name] = (text, *known[1:])
            return Macro._make(known)
        return self._base.get(name) if self._base is not None else None

    def where(self, name: str) -> tuple[str, int] | None:
        """Return the file and offset of the definition of `name`, None when it has none."""
        if name in self._own:
            known = self._own[name]
            return None if known is None else (known[1], known[2])
        return self._base.where(name) if self._base is not None else None

    def define(
        self, name: str, text: str | None, file: str, start: int, presence: PresenceCondition
    ) -> None:
        """Carry out a `#define`, whose text behind the name is `text`."""
        self._own[name] = (text, file, start, presence)

    def enter(
        self,
        names: Sequence[str],
        files: Iterable[str],
        starts: Iterable[int],
        presences: Iterable[PresenceCondition],
    ) -> None:
        """Enter macros, a great many, whose texts are found when they are asked for."""
        nothing = [None] * len(names)
        entries = zip(nothing, files, starts, presences, strict=True)
        self._own.update(zip(names, entries, strict=True))

    def undefine(self, name: str) -> None:
        """Carry out an `#undef`; a configuration symbol becomes undefined too."""
        self._own[name] = None

    def places(self) -> Iterable[tuple[str, str, int, PresenceCondition]]:
        """Yield what this table itself defines: (name, file, offset, presence condition)."""
        for name, known in self._own.items():
            if known is not None:
                yield name, known[1], known[2], known[3]

    def removed(self) -> Iterable[str]:
        """Yield the names that this table itself undefines."""
        return (name for name, known in self._own.items() if known is None)

    def defined(self, name: str) -> tuple[bool, PresenceCondition]:
        """Tell whether `name` is defined, and under which presence condition that is so."""
        known = self._own.get(name)
        if known is not None:
            return True, known[3]
        if name in self._own:
            return False, ALWAYS
        if self._base is not None:
            return self._base.defined(name)
        if name.startswith("CONFIG_") and self.options is not None:
            value = self.options.value(name[7:])
            if value == "free":
                return True, (name,)
            return value == "y" or self.options.number(name[7:]) is not None, ALWAYS
        return False, ALWAYS


class Scoped(Macros):
    """A table that keeps what local headers change of what others defined, to take it back.

    While `local` names a file, its defines and undefines of names that have a definition (or
    that Kconfig decides) are noted in `changes`.
    """

    __slots__ = ("changes", "local")

    def __init__(
        self,
        values: Mapping[str, str],
        options: Options | None,
        load: Callable[[str, int], str] | None = None,
    ) -> None:
        """Start like Macros, with no file local."""
        super().__init__(values, options, load=load)
        self.local = ""
        self.changes: list[tuple[str, str, _Entry | None, bool]] = []

    def define(
        self, name: str, text: str | None, file: str, start: int, presence: PresenceCondition
    ) -> None:
        """Carry out a `#define`; see Macros."""
        if self.local and (name in self._own or name.startswith("CONFIG_")):
            self.changes.append((name, self.local, self._own.get(name), name in self._own))
        self._own[name] = (text, file, start, presence)

    def undefine(self, name: str) -> None:
        """Carry out an `#undef`; see Macros."""
        if self.local:
            self.changes.append((name, self.local, self._own.get(name), name in self._own))
        self._own[name] = None

    def restore(self) -> dict[str, tuple[str, str, int]]:
        """Take back the changes; return by name who made them, and where it is defined now.

        That is a file, who made the change or one that was read after it, and the offset, which is
        -1 for a name that was undefined.
        """
        made: dict[str, tuple[str, str, int]] = {}
        while self.changes:
            name, file, before, known = self.changes.pop()
            if name not in made:
                now = self._own.get(name)
                made[name] = (file, *(now[1:3] if now is not None else (file, -1)))
            if known:
                self._own[name] = before
            else:
                self._own.pop(name, None)
        return made
