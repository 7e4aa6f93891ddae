# SPDX-License-Identifier: GPL-2.0-or-later
"""What bpftrace has printed: lines of tracefs, each CPU's in order, and CPUs in turns.

bpftrace empties one buffer after the other (perf_event_open(2), one ring for each CPU), so that
what it prints is not in the order of time.  A text that says that it is bpftrace's is sorted before
it is read, which holds all of it in memory: it is bounded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = ["MARK", "in_order"]

MARK: Final = b"# tracer: bpftrace\n"
"""The line of such a text's head; before it is whatever bpftrace had to say."""

_MAX_BYTES: Final = 256 << 20
"""Bytes that are sorted; what comes behind stays as it is, and is told to be out of order."""

_STAMP: Final = re.compile(rb"\] \.{5} +(\d{1,15})\.(\d{6}): ")
_LOST: Final = re.compile(rb"Lost (\d{1,15}) events\s*$")

Block = tuple[bytes, str, bool]


def in_order(blocks: Iterable[Block]) -> Generator[Block]:
    """The blocks of a text, those of bpftrace's sorted by time; see `streams.blocks()`."""
    source = iter(blocks)
    first = next(source, None)
    if first is None:
        return
    if MARK not in first[0]:
        yield first
        yield from source
        return
    parts, size, last = [first[0]], len(first[0]), None
    for block, missing, ended in source:
        if missing or ended or size + len(block) > _MAX_BYTES:
            last = block, missing, ended
            break
        parts.append(block)
        size += len(block)
    yield _sorted(b"".join(parts)), first[1], first[2]
    if last is not None:
        yield last
    yield from source


def _sorted(text: bytes) -> bytes:
    """The lines by time; one without a time stays behind the one before it."""
    stamp = (-1, 0)
    found: list[tuple[tuple[int, int], bytes]] = []
    for line in text.splitlines(keepends=True):
        known = _STAMP.search(line)
        if known is not None:
            stamp = int(known[1]), int(known[2])
        elif (lost := _LOST.match(line)) is not None:
            line = b"CPU:0 [LOST %s EVENTS]\n" % lost[1]
        found.append((stamp, line))
    found.sort(key=lambda one: one[0])
    return b"".join(line for _, line in found)
