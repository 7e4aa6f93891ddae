# SPDX-License-Identifier: GPL-2.0-or-later
"""What a review says of the series as a whole, in sentences that every format for people has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.check.phrases import headline
from lazymmu.report.common.words import clean, count
from lazymmu.report.review import costs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.verbs.review.review import ReviewAnswer
    from lazymmu.verbs.review.values import MachineHarm, SeriesPart, Split, StableBackport, Tags

__all__ = ["numbered", "series", "split", "stable"]

_SHOWN: Final = 3
"""As many names of a list are said before the rest is counted."""

_MOST_LISTED: Final = 12
"""Of as many parts all are listed."""


def numbered(numbers: Sequence[int], total: int) -> str:
    """Patches as one says them: `1/5 and 2/5`."""
    return " and ".join(f"{number}/{total}" for number in numbers)


def series(answer: ReviewAnswer) -> str:
    """What all patches do together."""
    whole = answer.series
    return (
        f"{len(whole.new)} new, {len(whole.fixed)} fixed, {len(whole.moved)} moved, "
        f"{len(whole.postponed)} wrong in between, {whole.unchanged} unchanged"
        + (f", {len(whole.unseen)} not seen any more" if whole.unseen else "")
    )


def split(answer: ReviewAnswer) -> Iterator[str]:
    """Whether it should be split, in which orders it is safe, and what a part alone brings."""
    found, total = answer.split, answer.submission.total
    named = {part.name: _part(part, found, total) for part in found.parts}
    if not found.parts:
        yield f"told of the whole series, with {total}/{total}"
    elif len(found.parts) < 2:
        yield (
            "no: each of its hunks depends on others"
            if len(answer.patches) > 1
            else "no: it is one part"
        )
    else:
        yield f"it has {len(found.parts)} parts that depend on no text of each other:"
        few = _told_of(found)
        yield from (f"  {part.name}: {named[part.name]}" for part in few)
        if len(few) < len(found.parts):
            more = count(len(found.parts) - len(few), "part")
            yield f"  and {more} that bring, mend and switch nothing"
    yield from _first(found, total)
    for first, second in found.needs:
        yield f"{first} must come before {second}"
    if found.needs and not found.orders:
        yield "there is no order that brings nothing in between: it is one change"
    for part in found.parts:
        for finding in part.new:
            said = f"{headline(finding)} [{finding.rule}]"
            yield f"{part.name} alone brings: {finding.file}:{finding.line}: {said}"
    for harm in _worst(found.harms):
        yield _harm(harm, found)
    yield from costs.sentences(found.costs, several=len(found.parts) > 1)
    for sentence in found.untold:
        yield f"not in the machine: {sentence}"


def _told_of(found: Split) -> list[SeriesPart]:
    """The parts that are listed: of many those that bring, mend, switch or wait for something."""
    if len(found.parts) <= _MOST_LISTED:
        return list(found.parts)
    named = {name for pair in found.needs for name in pair}
    return [p for p in found.parts if p.new or p.fixed or p.switches or p.name in named]


def _part(part: SeriesPart, found: Split, total: int) -> str:
    """Where a part is, and what it switches."""
    places = dict.fromkeys(
        f"{file} {_few([f'{name}()' for name in functions.split(', ')])}" if functions else file
        for _, file, _, functions in part.hunks
    )
    said = f"{numbered(part.patches, total)}, {_few(list(places))}"
    switches = "; ".join(
        f"{one.arch} {one.feature}: {one.before} -> {one.after}" for one in part.switches
    )
    asked = any(one.switches for one in found.parts)
    return f"{said} ({switches or 'not in the machine'})" if switches or asked else said


def _few(words: Sequence[str]) -> str:
    """The first of some words, and how many there are beside them."""
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return f"{', '.join(words[:_SHOWN])}{more}"


def _first(found: Split, total: int) -> Iterator[str]:
    """Fixes that depend on nothing, among patches that do other things."""
    held = {second for _, second in found.needs}
    for part in found.parts:
        if part.fixed and not part.new and part.name not in held and len(found.parts) > 1:
            which = numbered(part.patches, total)
            what = "is" if len(part.patches) == 1 else "are"
            whole = len({one.name for one in found.parts if set(one.patches) & set(part.patches)})
            where = f"{part.name} ({which})" if whole > 1 else which
            yield f"{where} {what} independent of the rest and should go first: a fix"


def _worst(harms: Sequence[MachineHarm]) -> list[MachineHarm]:
    """One of each rule and set of parts, the one with the fewest preemptions; none by a subset."""
    least: dict[tuple[str, tuple[str, ...], str], MachineHarm] = {}
    for one in harms:
        key = (one.arch, one.parts, one.rule)
        if key not in least or one.preemptions < least[key].preemptions:
            least[key] = one
    told: list[MachineHarm] = []
    for one in sorted(least.values(), key=lambda each: len(each.parts)):
        same = (one.arch, one.rule, one.scenario, one.preemptions)
        smaller = any(
            set(other.parts) < set(one.parts)
            and (other.arch, other.rule, other.scenario, other.preemptions) == same
            for other in told
        )
        if not smaller:
            told.append(one)
    return told


def _harm(harm: MachineHarm, found: Split) -> str:
    parts = [part.name for part in found.parts if any(s.arch == harm.arch for s in part.switches)]
    rest = [name for name in parts if name not in harm.parts]
    which = " and ".join(harm.parts)
    without = f" without {' and '.join(rest)}" if rest else ""
    preempted = count(harm.preemptions, "preemption")
    known = (
        f"; before, it takes {count(harm.known, 'preemption')}" if harm.known is not None else ""
    )
    return (
        f"{harm.arch}: {which}{without}: {harm.rule} with {preempted} "
        f"(shown by {harm.scenario}){known}"
    )


def stable(answer: ReviewAnswer) -> Iterator[str]:
    """What becomes of each fix elsewhere, and what it says of itself."""
    total = answer.submission.total
    for one in answer.tags:
        yield from _tags(one, total)
    for port in answer.backports:
        yield _port(port, total)


def _tags(one: Tags, total: int) -> Iterator[str]:
    which = f"{one.patch}/{total}"
    if not one.fixes:
        yield f"{which} has no Fixes: (lazymmu history tells which commit brought it)"
    for commit in one.unknown:
        yield f"{which}: the commit {commit} of its Fixes: is not in this repository"
    if one.missing:
        yield f"{which} mends what hurts, and has no Cc: stable: add it?"


def _port(port: StableBackport, total: int) -> str:
    head = f"{port.patch}/{total} on {port.tree} (Linux {port.release}):"
    has = ", ".join(port.has)
    match port.verdict:
        case "not-affected":
            return f"{head} not affected"
        case "yes":
            return f"{head} yes, it has {has}, and the patch applies and mends {_ids(port)}"
        case "with-others":
            return f"{head} it has {has}; needs {numbered(port.needs, total)} first"
        case "by-hand":
            return clean(f"{head} it has {has}, and the patch does not apply: {port.refused}")
    brings = "; ".join(f"{headline(one)} [{one.rule}]" for one in port.new)
    return clean(f"{head} it has {has}, and with the patch there is new: {brings}")


def _ids(port: StableBackport) -> str:
    return count(len(port.fixed), "problem")
