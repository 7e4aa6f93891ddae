# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of the time before a section: what still pins the task when it begins."""

from __future__ import annotations

import pytest

from lazymmu.contract.events import Disable, Enable, Event, MaySleep, Pin, Unpin
from lazymmu.contract.monitor import Violation
from lazymmu.witness.finding import Step
from lazymmu.witness.source.path.path_state import RawReport
from lazymmu.witness.source.path.path_trace import PathTrace
from lazymmu.witness.source.path_events import path_events


def told(before: list[Event]) -> list[str]:
    """The pins of a path on which this happens before its section."""
    notes = [PathTrace(None, None, "", event=event) for event in (*before, Enable(), Disable())]
    culprit = Step("mm/a.c", 1, 1, "f", "may sleep")
    raw = RawReport(Violation("sleep-in-section", MaySleep("work")), None, culprit)
    found = path_events(raw, notes, len(before))
    return [f"{one.event} {one.about}" for one in found if one.event in ("Pin", "Unpin")]


@pytest.mark.parametrize(
    ("before", "pins"),
    [
        ([Pin("preempt"), Unpin("preempt")], []),
        ([Pin("preempt"), Pin("preempt"), Unpin("preempt")], ["Pin preempt"]),
        ([Pin("bh"), Pin("preempt"), Unpin("bh")], ["Pin preempt"]),
        ([Pin("irqsave"), Pin("irq"), Unpin("irqsave")], []),
        ([Pin("irq"), Unpin("irq")], []),
        ([Pin("irqsave"), Unpin("irq")], ["Pin irqsave", "Unpin irq"]),
        ([Unpin("preempt")], []),
    ],
)
def test_a_pin_that_is_over_when_the_section_begins_is_not_told(
    before: list[Event], pins: list[str]
) -> None:
    """Whoever plays the path would be pinned in a section in which nobody was."""
    assert told(before) == pins
