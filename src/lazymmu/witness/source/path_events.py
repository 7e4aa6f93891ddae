# SPDX-License-Identifier: GPL-2.0-or-later
"""The path of a report as plain values: its steps, and its events for who plays it on a machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from lazymmu.contract.events import Drop, Event, Pause, Pin, Take, Unpin, Write
from lazymmu.contract.interrupts_off import INTERRUPTS, InterruptsOff
from lazymmu.witness.finding import PathEvent, Step
from lazymmu.witness.source.path.path_state import RawReport
from lazymmu.witness.source.path.path_trace import PathTrace

MAX_EVENTS = 60
"""Events of a path that are kept, the last ones; the longest of real trees has some 20."""

MAX_PATH = 200
"""Steps of a path that are told; the longest in the findings of real trees has some 30."""

_HELD = (Take, Drop, Pin, Unpin, Pause)
"""What counts of the time before a section: the locks, pins and pauses that are held in it."""


def path_events(
    raw: RawReport, notes: Sequence[PathTrace], start: int | None
) -> tuple[PathEvent, ...]:
    """Return what happens on a path, from where its section begins (`start`) to its culprit.

    Of what is before the section the locks, pins and pauses that are held when it begins.
    """
    since = 0 if start is None else start
    before = [note.event for note in notes[:since] if isinstance(note.event, _HELD)]
    pins = _still_pinning(before)
    found: list[Event] = [event for event in before if _is_held(event, before, pins)]
    found += [note.event for note in notes[since:] if note.event is not None]
    return tuple(map(_plain, [*found, raw.violation.event]))[-MAX_EVENTS:]


def _still_pinning(before: Sequence[Event]) -> list[Event]:
    """The pins that are not over; of interrupts all that was done to them, unless it is nothing."""
    held: list[Event] = []
    irqs, flag = InterruptsOff(), list[Event]()
    for event in before:
        if not isinstance(event, (Pin, Unpin)):
            continue
        if event.kind in INTERRUPTS:
            irqs = irqs.after(event.kind, pins=isinstance(event, Pin))
            flag.append(event)
        elif isinstance(event, Pin):
            held.append(event)
        else:
            alike = [one for one in held if isinstance(one, Pin) and one.kind == event.kind]
            held = [one for one in held if not alike or one is not alike[-1]]
    return held + (flag if irqs != InterruptsOff() else [])


def _is_held(event: Event, before: Sequence[Event], pins: Sequence[Event]) -> bool:
    """Whether something that began is not over at the end of `before`, of pins one of `pins`."""
    if isinstance(event, (Pin, Unpin)):
        return any(one is event for one in pins)
    if isinstance(event, Take):
        after = before[before.index(event) + 1 :]
        return not any(isinstance(one, Drop) and one.lock == event.lock for one in after)
    return isinstance(event, Pause)


def _plain(event: Event) -> PathEvent:
    """An event whose entries and locks are spelled out."""
    site = event.site
    said = dict(_said(event))
    return PathEvent(
        event=type(event).__name__,
        about=said.get("entry", said.get("lock", said.get("kind", said.get("variable", "")))),
        operation=said.get("operation", said.get("why", "")),
        what=said.get("level", said.get("cls", said.get("what", said.get("scope", "")))),
        space=said.get("space", ""),
        immediate=isinstance(event, Write) and event.how == "immediate",
        file="" if site is None else site.file,
        line=0 if site is None else site.line,
        function="" if site is None else site.function,
    )


def _said(event: Event) -> Iterator[tuple[str, str]]:
    for field in fields(event):
        value = getattr(event, field.name)
        if value is not None and field.name not in ("site", "task", "cpu", "seq"):
            yield field.name, str(value)


def unrepeated(steps: Iterable[Step]) -> list[Step]:
    """Return each step once; of a path that nobody could read, the beginning and the end."""
    out = list(dict.fromkeys(steps))
    return out if len(out) <= MAX_PATH else [*out[: MAX_PATH // 2], *out[-MAX_PATH // 2 :]]
