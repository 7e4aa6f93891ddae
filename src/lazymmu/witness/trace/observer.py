# SPDX-License-Identifier: GPL-2.0-or-later
"""Who looks on while a trace is judged: what it is told of each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.runs import Run

__all__ = ["ObservedLine", "TraceObserver"]


class ObservedLine:
    """One line, before the monitors have it.

    columns: of the line; cpu: its number; stamp, text: as printed; what: "enter", "leave", "flush"
    of a section; "hook-enter", "hook-leave", "hook-flush" when a context switch does it;
    "switch-begin", "switch-end", "update", "immediate"; "" for all else; name, caller: of a
    function, "" of other lines, caller also the function that a probed instruction is in; depth:
    sections that the line's task is in; known: the trace saw them all begin; number: of the line;
    frames: of a stack, innermost first.
    """

    __slots__ = (
        "caller",
        "columns",
        "cpu",
        "depth",
        "frames",
        "known",
        "name",
        "number",
        "stamp",
        "text",
        "what",
    )

    def __init__(
        self,
        number: int,
        columns: Columns,
        cpu: int,
        stamp: bytes,
        text: bytes,
        what: str,
        name: str,
        caller: str,
        depth: int,
        *,
        known: bool,
        frames: tuple[str, ...] = (),
    ) -> None:
        """See the class."""
        self.number = number
        self.columns = columns
        self.cpu = cpu
        self.stamp = stamp
        self.text = text
        self.what = what
        self.name = name
        self.caller = caller
        self.depth = depth
        self.known = known
        self.frames = frames


class TraceObserver:
    """Counts what a trace shows, for a summary.  It judges nothing.

    needles: what else a line that it wants contains.
    """

    needles: tuple[bytes, ...] = ()

    def take(self, lines: Lines, runs: Iterable[Run]) -> Iterable[Run]:
        """The runs of a block without the lines of use to the observer alone, which it takes.

        They come in the order of the trace, so that the rest is told by `add()` in between; what is
        taken counts as passed over.
        """
        del lines
        return runs

    def quiet(self, pid: bytes) -> bool:
        """Whether of a task's lines hooks, whole sections and switches may be told in short.

        pid: as printed, b"" for all tasks.
        """
        del pid
        return False

    def hook(self, cpu: int, stamp: bytes, *, begins: bool) -> None:
        """In short: a context switch's hooks begin or end."""
        raise NotImplementedError

    def section(self, columns: Columns, cpu: int, begin: tuple[bytes, bytes], stamp: bytes) -> None:
        """In short: a section begins (time and text) and ends at once."""
        raise NotImplementedError

    def switch(self, cpu: int, stamp: bytes) -> None:
        """In short: a context switch, of tasks that are in no section."""
        raise NotImplementedError

    def finish(self) -> None:
        """There are no more lines."""

    def add(self, line: ObservedLine) -> None:
        """One of the lines that were left."""
        raise NotImplementedError
