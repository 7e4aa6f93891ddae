# SPDX-License-Identifier: GPL-2.0-or-later
"""One recording's own corner of tracefs: an instance and events, made and taken away again.

The main buffer is never written to. `dynamic_events` is only ever appended to: opened in any other
way it would lose everybody's events (kernel/trace/trace_dynevent.c, dyn_event_open()).
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from lazymmu.tracing.tracefs import TracingError, group_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["OwnInstance", "take_away"]


class OwnInstance:
    """An instance and the events that were made for it.

    folder: of the instance; events: the names, GROUP/NAME, that the kernel has taken.
    """

    def __init__(self, tracefs: Path, process: int) -> None:
        """Name everything by the process, so that what is left of a dead one is known as such."""
        self.tracefs = tracefs
        self.folder = tracefs / "instances" / name_of(process)
        self.group = group_of(process)
        self.events: list[str] = []

    def begin(self) -> None:
        """Make the instance.

        :raises TracingError: that cannot be done.
        """
        try:
            self.folder.mkdir()
        except OSError as error:
            raise TracingError(f"cannot make {self.folder}: {_why(error)}") from None

    def make(self, name: str, line: str) -> str:
        """Make an event; the reason why the kernel refused it, or ""."""
        whole = f"{self.group}/{name}"
        # Noted before it is there: it may come between the two.
        self.events.append(whole)
        reason = _write(self.tracefs / "dynamic_events", line, os.O_APPEND)
        if reason:
            self.events.remove(whole)
        return reason

    def set(self, file: str, text: str, *, append: bool = False) -> str:
        """Write into a file of the instance; the reason why it could not be done, or ""."""
        flags = os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
        return _write(self.folder / file, text, flags)

    def set_event_file(self, name: str, file: str, text: str) -> str:
        """Write into a file of an event of ours; the reason why it could not be done, or ""."""
        return _write(self.folder / "events" / self.group / name / file, text, 0)

    def end(self) -> tuple[str, ...]:
        """Take everything away; sentences about what could not be."""
        if not self.folder.exists():
            return take_away(self.tracefs, None, self.events)
        self.set("tracing_on", "0")
        self.set("current_tracer", "nop")
        self.set("set_event", "")
        return take_away(self.tracefs, self.folder, self.events)


def take_away(tracefs: Path, instance: Path | None, events: Sequence[str]) -> tuple[str, ...]:
    """Remove an instance and events; sentences about what could not be removed."""
    return tuple(_take_away(tracefs, instance, events))


def _take_away(tracefs: Path, instance: Path | None, events: Sequence[str]) -> Iterator[str]:
    if instance is not None:
        try:
            _remove(instance)
        except OSError as error:
            yield f"cannot remove {instance}: {_why(error)}; try again: rmdir {instance}"
    for name in reversed(events):
        reason = _write(tracefs / "dynamic_events", f"-:{name}", os.O_APPEND)
        if reason:
            yield f"cannot remove the event {name}: {reason}"


def _remove(instance: Path) -> None:
    try:
        instance.rmdir()
    except OSError as error:
        # tracefs takes its files along; another file system keeps those that were written here.
        if error.errno != errno.ENOTEMPTY:
            raise
        for path in instance.iterdir():
            path.unlink()
        instance.rmdir()


def _write(path: Path, text: str, flags: int) -> str:
    """Write a line; the reason why it could not be done, or ""."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
        try:
            os.write(handle, f"{text}\n".encode())
        finally:
            os.close(handle)
    except OSError as error:
        return _why(error)
    return ""


def _why(error: OSError) -> str:
    if error.errno in (errno.EPERM, errno.EACCES) and os.geteuid() != 0:
        return "this needs root"
    if error.errno == errno.EPERM:
        return f"{error.strerror} (is the kernel locked down?)"
    return error.strerror or str(error)
