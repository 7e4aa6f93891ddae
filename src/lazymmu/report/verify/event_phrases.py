# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as short phrases, for the columns of a counterexample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract import events as e

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["phrases"]


def phrases(events: Sequence[e.Event], functions: Collection[str] = ()) -> list[str]:
    """What happened, one phrase for each event that a reader would miss, in order.

    :param functions: those that are named already.
    """
    return [phrase for event in events if (phrase := _phrase(event, functions))]


def _phrase(event: e.Event, functions: Collection[str]) -> str:
    match event:
        case e.Enable(counted=False) | e.Disable(counted=False):
            return "(ignored)"
        case e.Write():
            by = (
                f" ({event.operation})"
                if event.operation and event.operation not in functions
                else ""
            )
            return f"writes {event.entry}{by}"
        case e.Read():
            return f"reads {event.entry}"
        case e.Take():
            return f"takes {event.lock}"
        case e.Drop():
            return f"drops {event.lock}"
        case e.Flush(how="noop"):
            return "flushes nothing: this function is empty here"
        case e.Flush(why="full" | "key-change" | "irq"):
            return f"flushes ({event.why})"
        case e.TlbFlush():
            what = event.scope if event.entry is None else event.entry
            tail = {"now": "", "queued": ", queued", "noop": ", which does nothing"}[event.how]
            return f"flushes the TLB: {what}{tail}"
        case e.SwitchOut(why="preempted"):
            return f"{event.task} is PREEMPTED"
        case e.SwitchOut():
            return f"{event.task} goes ({event.why})"
        case e.SwitchIn():
            moved = event.from_cpu not in (-1, event.cpu)
            return f"{event.task} comes" + (f" from CPU{event.from_cpu}" if moved else "")
        case e.IrqEnter():
            return f"{event.kind} interrupt begins"
        case e.IrqExit():
            return f"{event.kind} interrupt ends"
        case e.Fork():
            return f"forks {event.child}"
        case e.Exit():
            return f"{event.task} ends"
        case e.MaySleep(certain=True):
            return f"sleeps ({event.why})"
        case e.MaySleep():
            return f"may sleep ({event.why})"
        case e.Free():
            return f"frees the {event.what} of {event.entry}"
        case e.Use(what="stale"):
            return f"uses the OLD translation of {event.entry}"
        case e.Use():
            return f"uses {event.entry}"
        case e.Undone():
            return f"UNDOES a later change of {event.entry} ({event.by})"
        case e.Bug(check="BUG_ON" | "BUG"):
            return f"BUG: {event.condition}"
        case e.Bug():
            return f"{event.check}: {event.condition}" + (
                f" (with {event.config})" if event.config else ""
            )
    return ""
