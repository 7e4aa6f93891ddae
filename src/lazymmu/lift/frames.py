# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of lifted code that are running: where each is, and what its variables hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.lift.problem import Unliftable

if TYPE_CHECKING:
    from lazymmu.lift.code import Code, Instruction
    from lazymmu.lift.values import Value
    from lazymmu.lift.words import LiftWord

__all__ = ["ANSWER", "Called", "CodeFrame", "Position", "place_of", "restored"]

ANSWER: Final = "?"
"""What the names of answers begin with that a run was given, and that count until its end."""


class Position(NamedTuple):
    """Where a function is: its code, the next instruction, its variables that still matter.

    :param to: the variable of the caller that receives what it returns.
    """

    code: Code
    at: int
    env: tuple[tuple[str, Value], ...]
    to: str


@dataclass(slots=True)
class CodeFrame:
    """A function that is running."""

    code: Code
    at: int
    env: dict[str, Value]
    to: str = ""


class Called(NamedTuple):
    """A word that is called: where, by which instruction, with what."""

    frame: CodeFrame
    one: Instruction
    word: LiftWord
    args: tuple[Value, ...]

    @property
    def code(self) -> Code:
        """Return the function that calls it."""
        return self.frame.code

    @property
    def shown(self) -> str:
        """Return the call and its place, for reports."""
        return f"{self.one.what}() at {self.code.file}:{self.one.line}"

    def arg(self, number: int) -> Value:
        """Return an argument; without it, what calls cannot be lifted."""
        if number >= len(self.args):
            raise self.refused("lacks an argument")
        return self.args[number]

    def refused(self, why: str) -> Unliftable:
        """Return what to raise when the call is not understood."""
        return Unliftable(f"{self.one.what}() {why}", self.code.file, self.one.line)


def place_of(frames: list[CodeFrame]) -> tuple[Position, ...]:
    """Return the frames as a value, without what does not matter any more."""
    return tuple(_kept(frame, last=frame is frames[-1]) for frame in frames)


def _kept(frame: CodeFrame, *, last: bool) -> Position:
    code = frame.code
    matters = code.matters.get((frame.at, last))
    if matters is None:
        matters = code.matters[frame.at, last] = _Mattering(code, frame.at, last=last)
    env = [item for item in frame.env.items() if matters[item[0]]]
    env.sort()
    return Position(code, frame.at, tuple(env), frame.to)


class _Mattering(dict[str, bool]):
    """Whether a variable still matters at an instruction, each name once looked at."""

    __slots__ = ("_kept", "_live")

    def __init__(self, code: Code, at: int, *, last: bool) -> None:
        self._live = code.live[at] if last else code.live[at] | {""}
        self._kept = code.kept

    def __missing__(self, name: str) -> bool:
        found = (
            name in self._live or name.partition(".")[0] in self._kept or name.startswith(ANSWER)
        )
        self[name] = found
        return found


def restored(places: tuple[Position, ...]) -> list[CodeFrame]:
    """Return frames that go on where `place_of` has kept them."""
    return [CodeFrame(place.code, place.at, dict(place.env), place.to) for place in places]
