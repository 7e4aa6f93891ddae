# SPDX-License-Identifier: GPL-2.0-or-later
"""What the text of a sched_switch says, remembered: the same tasks come and go all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.record import SWITCH, SWITCH_PLUGIN
from lazymmu.witness.trace import interned_events as events

if TYPE_CHECKING:
    import re

    from lazymmu.witness.trace.interned_events import InternedEvent

__all__ = ["EXIT", "LOCK", "PREEMPTED", "YIELDED", "SwitchReader", "SwitchRecord"]

_MAX_TEXTS: Final = 1 << 14
"""Texts of which it is remembered what they say."""

_Steps = tuple["InternedEvent", ...]
_Gone = tuple[bytes, _Steps, _Steps]
_Coming = tuple[bytes, bytes]
SwitchRecord = tuple[bytes, _Steps, _Steps, bytes, bytes]
"""What a sched_switch says: the pid that went; why, and the same behind that the task was switched
in with the mode off; the pid that came and its name."""


class SwitchReader:
    """See the module; texts: what was read of them, for whoever looks before it asks."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self.texts: dict[bytes, SwitchRecord] = {}
        self._gone: dict[bytes, _Gone] = {}
        self._coming: dict[bytes, _Coming] = {}

    def read(self, text: bytes) -> SwitchRecord:
        """Who went (b"" when that cannot be read), why, and who came by which name; remembered.

        Of tasks there are fewer than of pairs of them: each half is remembered for itself, too.
        """
        left, arrow, right = text.partition(b" ==> ")
        gone, coming = self._gone.get(left), self._coming.get(right)
        if arrow and gone is not None and coming is not None:
            known: SwitchRecord = *gone, *coming
        else:
            known = self._taken_apart(text, left, right)
        if len(self.texts) > _MAX_TEXTS:
            self.texts.clear()
        self.texts[text] = known
        return known

    def _taken_apart(self, text: bytes, left: bytes, right: bytes) -> SwitchRecord:
        """The same of a text of which one half is new, or that cannot be halved."""
        found = SWITCH.match(text)
        if found is None:
            # The plugin drops the +, so that its R may be either: see `findings.finding()`.
            found = SWITCH_PLUGIN.match(text)
            if found is None:
                return _UNREADABLE
            state = found["prev_state"]
            return _record(found, b"R+" if state == b"R" else state)
        known = _record(found, found["prev_state"])
        # A name may look like anything, but not without "=" like more of the line.
        if b"=" not in found["prev_comm"] + known[4]:
            if len(self._gone) + len(self._coming) > _MAX_TEXTS:
                self._gone.clear()
                self._coming.clear()
            self._gone[left], self._coming[right] = known[:3], known[3:]
        return known


def _record(found: re.Match[bytes], state: bytes) -> SwitchRecord:
    prev, nxt, comm = found.group("prev_pid", "next_pid", "next_comm")
    steps = () if prev == b"0" else _STEPS.get(state) or _why_of(state)
    return prev, steps, (_OFF, *steps), nxt, comm


def _why_of(state: bytes) -> tuple[InternedEvent, ...]:
    """Why a task is switched out, from sched_switch's prev_state."""
    if state.endswith(b"+"):
        return PREEMPTED
    if state == b"R":
        return YIELDED
    return EXIT if state[:1] in b"XZx" else (events.OUT["blocked"],)


_UNREADABLE: Final[SwitchRecord] = (b"", (), (), b"", b"")
_OFF: Final = events.observed("switch-in", "off")
EXIT: Final = (events.OUT["exit"],)
PREEMPTED: Final = (events.OUT["preempted"],)
YIELDED: Final = (events.OUT["yielded"],)
LOCK: Final = (events.OUT["lock"],)
_STEPS: Final = {state: _why_of(state) for state in (b"S", b"D", b"I", b"R", b"R+", b"X", b"Z")}
