# SPDX-License-Identifier: GPL-2.0-or-later
"""What sections of recordings saved and cost, for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from lazymmu.report.common.table import folded, plain
from lazymmu.report.common.words import clean, count
from lazymmu.report.trace.stats import CLOCK, duration, percent, worded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.costs.difference import Difference
    from lazymmu.verbs.cost import CostAnswer
    from lazymmu.verbs.cost_recordings import RecordingCost, ReplayedCost

__all__ = ["CALLER_HEADS", "caller_rows", "difference", "render", "sentences"]

_CALLERS: Final = 12
CALLER_HEADS: Final = ("caller", "sections", "loss", "put off", "calls", "saved", "in sections")
"""What is told of each caller."""


def render(answer: CostAnswer, width: int | None = None) -> str:
    """Each recording, then how two differ."""
    parts = [_recording(one, answer, width) for one in answer.recordings]
    if answer.differences:
        lines = [difference(what, one) for what, one in answer.differences]
        lines.append("as if sections were independent of each other")
        parts.append(_lines(lines, width))
    return "\n".join(parts)


def _lines(lines: Sequence[str], width: int | None) -> str:
    said = [clean(line) for line in lines]
    if width is not None:
        said = [piece for line in said for piece in folded(line, width)]
    return "".join(f"{line}\n" for line in said)


def _recording(one: RecordingCost, answer: CostAnswer, width: int | None) -> str:
    lines = list(sentences(one, answer))
    if not one.counted:
        return _lines(lines, width)
    return f"{_lines(lines, width)}\n{_callers(one, width)}"


def sentences(one: RecordingCost, answer: CostAnswer) -> Iterator[str]:
    """What a recording shows, and what the same would cost elsewhere."""
    whole, time = one.whole, worded(one)
    if not one.counted:
        yield f"{one.name}: what each section put off is not in the recording: nothing to count"
        return
    share = percent(whole.saved, whole.put_off)
    yield (
        f"{one.name}: {whole.put_off} entries were put off and went in {count(whole.calls, 'call')}"
        f": {whole.saved} saved ({share})"
    )
    if one.counts:
        yield f"{one.name}: {CLOCK}"
    if whole.sections:
        yield (
            f"{one.name}: that cost {count(whole.sections, 'section')}, {whole.nested} more inside "
            f"them, {time(whole.nanoseconds)} in all; {whole.idle} are a loss: they put off "
            "nothing, or one entry"
        )
    times = answer.times
    if times is not None:
        from lazymmu.costs.counts import Counts

        kind = {"x86": "hypercalls", "arm64": "barriers"}.get(one.arch, "invalidations")
        took = times.nanoseconds(one.arch, Counts(**{kind: whole.saved}))
        if took is None:
            yield f"{one.name}: no times: the calibration is of {times.arch}, or lacks {kind}"
        else:
            median, low, high = map(duration, took)
            yield f"{one.name}: the saved calls would have taken {median} ({low} to {high})"
    yield from (f"{one.name}: {_elsewhere(again)}" for again in one.elsewhere)


def _elsewhere(again: ReplayedCost) -> str:
    place = f"{again.arch} {again.release}"
    if again.why:
        return f"on {place}: {again.why}"
    done = ", ".join(dict.fromkeys(f"{name}()" for _, name in again.operations))
    if not again.without:
        return f"the same on {place} would save nothing: there is nothing slow in {done}"
    saved = again.without - again.with_
    verdict = "a loss" if saved <= 0 else f"{saved} saved ({percent(saved, again.without)})"
    return (
        f"the same on {place}, as {done}: {again.with_} calls instead of {again.without}: {verdict}"
    )


def _callers(one: RecordingCost, width: int | None) -> str:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="")
    table.add_column(CALLER_HEADS[0], overflow="fold")
    for title in CALLER_HEADS[1:]:
        table.add_column(title, justify="right")
    for row in list(caller_rows(one))[:_CALLERS]:
        table.add_row(*map(clean, row))
    left = len(one.callers) - _CALLERS
    more = f"and {left} more\n" if left > 0 else ""
    return plain(table, width) + more


def caller_rows(recording: RecordingCost) -> Iterator[tuple[str, ...]]:
    """A row for each caller, as `CALLER_HEADS` has them."""
    time = worded(recording)
    for one in recording.callers:
        yield (
            one.caller,
            str(one.sections or ""),
            str(one.idle or "") if one.sections else "",
            str(one.put_off),
            str(one.calls),
            str(one.saved),
            time(one.nanoseconds) if one.nanoseconds else "",
        )


def difference(what: str, one: Difference) -> str:
    """How two recordings differ in something, with how sure that is."""
    low, high = one.interval
    said = f"{what}: {one.first.value:.3g}, then {one.second.value:.3g}"
    if math.isinf(low):
        return f"{said}: one section alone tells nothing of the difference"
    verdict = "they differ" if one.sure else "that may be chance"
    return f"{said}: {one.value:+.3g} (95 %: {low:+.3g} to {high:+.3g}), {verdict}"
