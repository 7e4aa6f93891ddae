# SPDX-License-Identifier: GPL-2.0-or-later
"""What tells the value of a part of an analysis from others, wherever its lines are now."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from lazymmu.contract.site import Site
from lazymmu.kernelc.definition import Definition
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.witness.finding import Step
from lazymmu.witness.source.interproc.direct_calls import CallBelow
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.path.path_state import WalkOutcome
from lazymmu.witness.source.path.path_trace import PathTrace

if TYPE_CHECKING:
    from lazymmu.kernelc.reads import Item
    from lazymmu.witness.source.interproc.direct_calls import OwnPart
    from lazymmu.witness.source.line_tokens import LineTokens

__all__ = ["PartDigests"]

_PLACES = {"walked": 1, "entered": 1, "shifted": 1, "counting": 1}
"""Kinds of items whose tuples are places: file, line and name; by where those begin."""


class PartDigests:
    """Digests of values whose lines are told by what they say."""

    def __init__(self, lines: LineTokens) -> None:
        """Tell lines by `lines`."""
        self._lines = lines

    def of_value(self, kind: str, file: str, value: object) -> str:
        """Return what tells the value of a part of some kind, which is about a file."""
        if kind == "actions" and isinstance(value, list):
            return self.digest([(self._line(file, line), action) for line, action in value])
        return self.digest(self._plain(value))

    def of_own_part(self, own: OwnPart, broken: bool) -> str:
        """Return what tells the own part of a function; there are thousands of them."""
        told: list[object] = [broken]
        for item in own:
            step = item.step if isinstance(item, CallBelow) else item.steps[0]
            line = self._lines.text(step.file, step.line)
            if isinstance(item, CallBelow):
                at = item.definition
                below = at.file, at.name, item.binding, item.may_sleep, item.ambiguous, item.tests
                told.append((step.column, step.note, line, *below, sorted(item.needs)))
            else:
                chain = item.kind, item.what, item.ambiguous, item.detail, item.tests
                told.append((step.column, step.note, line, *chain, sorted(item.conditions)))
        return self.digest(told)

    def of_item(self, item: Item) -> str:
        """Return what tells something that was read, or that came about, from others."""
        kind = str(item[0])
        if kind == "unresolved":
            _, name, file, line, function = item
            return self.digest([kind, name, self._line(str(file), line), function])
        if kind in ("asked", "shape"):
            _, file, line, name, *binding = item
            return self.digest([kind, self._line(str(file), line), name, self._plain(binding)])
        if kind in _PLACES:
            return self.digest([kind, *(self._place(part) for part in item[1:])])
        return self.digest(self._plain(item))

    def _place(self, part: object) -> object:
        match part:
            case (str(file), int(line), str(name)):
                return self._line(file, line), name
        return self._plain(part)

    def _line(self, file: str, line: Any) -> object:
        return file, self._lines.of(file, line)

    @staticmethod
    def digest(plain: object) -> str:
        """Return what tells plain values."""
        return hashlib.blake2b(repr(plain).encode(), digest_size=10).hexdigest()

    def _plain(self, value: object) -> object:
        match value:
            case None | str() | int() | bytes():
                return value
            case enum.Enum():
                return value.value
            case Step() | Site():
                told = self._line(value.file, value.line)
                more = value.note if isinstance(value, Step) else ""
                return told, value.column, value.function, more
            case Definition():
                return self._line(value.file, value.line), value.name, value.kind
            case Function():
                return value.file, value.name
            case PathTrace():
                return [
                    (note.mark, self._plain(note.step), self._plain(note.about), note.huge,
                     sorted(note.conditions), self._plain(note.event))
                    for note in value
                ]  # fmt: skip
            case WalkOutcome():
                return self._outcome(value)
            case ModeApi():
                pointed = sorted(file for file, _ in value.pointed)
                return self._plain([value.anywhere, value.within]), pointed
            case Mapping():
                return [(self._plain(k), self._plain(v)) for k, v in value.items()]
            case AbstractSet():
                return sorted(repr(self._plain(item)) for item in value)
        if dataclasses.is_dataclass(value):
            held = (getattr(value, field.name) for field in dataclasses.fields(value))
            return [type(value).__name__, *map(self._plain, held)]
        if isinstance(value, (tuple, list)):
            return [self._plain(item) for item in value]
        raise TypeError(f"nothing that can be told: {type(value)}")

    def _outcome(self, value: WalkOutcome) -> object:
        exits = [
            (self._plain(how), [self._plain(n.step) for n in trail or () if n.mark == "begin"])
            for how, trail in value.exits.items()
        ]
        reports = [self._plain(raw) for raw in value.raw_reports.values()]
        return exits, reports, sorted(value.spaces), value.blurred
