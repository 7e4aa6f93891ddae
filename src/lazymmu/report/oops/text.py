# SPDX-License-Identifier: GPL-2.0-or-later
"""What the splats of a text are, one paragraph each: the line, and what is known of it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from lazymmu.report.common.words import clean
from lazymmu.terminal import clean_lines
from lazymmu.verbs.oops import OopsVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.oops import Diagnosis, OopsAnswer, OopsKernel
    from lazymmu.verbs.shown_by import ShownBy

__all__ = ["kernel_words", "render"]

_COLUMNS: Final = 100
_KEY: Final = 14


def render(answer: OopsAnswer) -> str:
    """All splats, in order; one that is said twice is told once, with its number."""
    parts: list[str] = []
    same: dict[tuple[str, ...], int] = {}
    for one in answer.diagnoses:
        key = _key(one)
        same[key] = same.get(key, 0) + 1
    told: set[tuple[str, ...]] = set()
    for one in answer.diagnoses:
        key = _key(one)
        if key not in told:
            told.add(key)
            parts.append("\n".join(_paragraph(answer.name, one, same[key])))
    return clean_lines("\n\n".join(parts) + "\n")


def _key(one: Diagnosis) -> tuple[str, ...]:
    splat = one.splat
    place = splat.function or f"{splat.file}:{splat.at}"
    return splat.what, place, one.kernel.release, one.verdict, *one.holder


def _paragraph(name: str, one: Diagnosis, times: int) -> Iterator[str]:
    splat = one.splat
    label = f" [{one.complaint.name}]" if one.complaint is not None else ""
    yield clean(f"{name}:{splat.line}:1: {one.verdict}: {splat.head}{label}", 400)
    yield from _said("kernel", kernel_words(one.kernel))
    if times > 1:
        yield from _said("times", f"{times} times in this text")
    place = f"{splat.file}:{splat.at}" if splat.file else ""
    where = f"{splat.function}()" if splat.function else ""
    yield from _said("fired in", ", ".join(filter(None, (where, place))))
    if one.holder[0]:
        holds = "which holds a section open"
        if one.holder[0] != one.holder[1]:
            holds = f"of which {one.holder[1]}(), which holds a section open, is usually a part"
        yield from _said("below", f"{one.holder[0]}(), {holds}")
    yield from _said("because" if one.complaint is None else "says", one.why)
    if one.complaint is None:
        return
    if one.verdict is OopsVerdict.PERHAPS:
        alike = "other mistakes look alike: a recording tells"
        yield from _said("in doubt", one.kernel.doubt or alike)
    yield from _said("has it", _has_it(one))
    for shown in one.shown:
        yield from _said("shown by", _shown(shown, told=bool(one.kernel.arch)))
        if shown.here:
            yield from _said("mended", _mended(shown))
    for bug in one.known:
        yield from _said("known bug", f"{bug.see}; lazymmu verify --scenario {bug.scenario}")
    if one.shown:
        yield from _said("run it", _command(one))
    if one.gone is not None:
        since = f"{one.gone.like} on ({_named(one.gone)})"
        yield from _said("check gone", f"from {since} the implementation has no such check")
    yield from _said("rules", f"lazymmu explain RULE: {', '.join(one.complaint.rules)}")
    yield from _said("source", one.complaint.source)
    for sentence in one.next:
        yield from _said("record next", sentence)


def _named(kernel: OopsKernel) -> str:
    """The implementation of a kernel, with the releases that have it."""
    row = kernel.row
    return "" if row is None else f"{row.name}, {row.seen}" if row.seen else row.name


def kernel_words(kernel: OopsKernel) -> str:
    """Which kernel it was, as far as the text tells."""
    release = kernel.release or "release not told"
    if kernel.row is not None and kernel.doubt:
        row = f"{kernel.row.label} or {kernel.other.label}" if kernel.other else kernel.row.label
        return f"{release}, {row}: read as {kernel.like}, if {kernel.row.name}"
    if kernel.row is not None:
        return f"{release}, {kernel.row.label}: read as {kernel.like}, {kernel.row.name}"
    return f"{release}, {kernel.arch or 'architecture not told'}"


def _has_it(one: Diagnosis) -> str:
    row = one.kernel.row
    if one.complaint is None:
        return ""
    if row is not None and row.name in one.complaint.rows:
        return f"{row.name} ({row.seen or 'all releases'})"
    rows = ", ".join(one.complaint.rows)
    if row is None:
        return rows
    return f"{rows}; not {row.name}, as {one.kernel.like} was read: is the release right?"


def _shown(shown: ShownBy, *, told: bool) -> str:
    """A scenario, where it holds, and whether that is this kernel.

    told: the architecture is known.
    """
    since = shown.since if shown.since == shown.until else f"{shown.since} to {shown.until}"
    other = f"not on this kernel; {shown.arch} " if told else f"on {shown.arch}, "
    here = "" if shown.here else other
    named = f"; it is about {shown.named}()" if shown.named else ""
    return f'{shown.scenario} ({here}{since}{named}): "{shown.sentence}"'


def _mended(shown: ShownBy) -> str:
    if not shown.mended:
        return "in no release that was read: the caller has to be mended"
    latest = " at the latest" * shown.latest
    row = f" ({shown.mended_row})" * bool(shown.mended_row)
    return f"in {shown.mended}{latest}{row}, where it holds"


def _command(one: Diagnosis) -> str:
    shown = next((each for each in one.shown if each.here), one.shown[0])
    release = one.kernel.like if shown.here else shown.until
    return f"lazymmu verify --arch {shown.arch} --release {release} --scenario {shown.scenario}"


def _said(key: str, value: str) -> Iterator[str]:
    if value:
        yield textwrap.fill(
            f"{clean(value, 2000)}",
            _COLUMNS,
            initial_indent=f"  {key:<{_KEY}}",
            subsequent_indent=" " * (_KEY + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
