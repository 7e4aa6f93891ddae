# SPDX-License-Identifier: GPL-2.0-or-later
"""Who looks on while a trace is judged: what it is told of each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.ftrace.block import Lines
    from lazymmu.ftrace.lines import Columns
    from lazymmu.ftrace.runs import Run

__all__ = ["ObservedLine", "TraceObserver"]


class ObservedLine:
    """One line, before the monitors have it.

    :param columns: of the line.
    :param cpu: its number.
    :param stamp: as printed.
    :param text: likewise.
    :param what: "enter", "leave", "flush" of a section; "hook-enter", "hook-leave", "hook-flush"
        when a context switch does it; "switch-begin", "switch-end", "update", "immediate"; "" for
        all else.
    :param name: of a function, "" of other lines, caller also the function that a probed
        instruction is in.
    :param caller: likewise.
    :param depth: sections that the line's task is in.
    :param known: the trace saw them all begin.
    :param number: of the line.
    :param frames: of a stack, innermost first.
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

    :param needles: what else a line that it wants contains.
    """

    needles: tuple[bytes, ...] = ()

    in_short: Mapping[bytes, object] | None = None
    """Tasks, by `task_key()`, whose lines are told one by one.  Of all others hooks, sections and
    switches are told in short.  None: of nobody are they."""

    def take(self, lines: Lines) -> Iterable[Run] | None:
        """The runs of a block without the lines of use to the observer alone, which it takes.

        They come in the order of the trace, so that the rest is told by `add()` in between; what is
        taken counts as passed over.  None: it takes nothing.
        """
        del lines
        return None

    def hook(self, cpu: int, *, begins: bool) -> None:
        """In short: a context switch's hooks begin or end."""
        raise NotImplementedError

    def section(
        self, columns: Columns, key: bytes, cpu: int, begin: tuple[bytes, bytes], stamp: bytes
    ) -> None:
        """In short: a section begins (time and text) and ends at once; key: the columns' bytes."""
        raise NotImplementedError

    def begins(
        self,
        columns: Columns,
        key: bytes,
        task: bytes,
        cpu: int,
        begin: tuple[bytes, bytes],
        *,
        known: bool,
    ) -> None:
        """In short: a section begins in a task that is in none.

        :param columns: of its line, and their bytes.
        :param key: likewise.
        :param task: by `task_key()`.
        :param cpu: its number.
        :param begin: time and text.
        :param known: for sure.
        """
        raise NotImplementedError

    def ends(self, task: bytes, cpu: int, stamp: bytes) -> None:
        """In short: a section ends, of a task whose lines are told one by one."""
        raise NotImplementedError

    def switch(self, cpu: int) -> None:
        """In short: a context switch, of tasks that are in no section."""
        raise NotImplementedError

    def finish(self, first: bytes, last: bytes) -> None:
        """There are no more lines; the times of the first and the last that were looked at."""

    def add(self, line: ObservedLine) -> None:
        """One of the lines that were left."""
        raise NotImplementedError
