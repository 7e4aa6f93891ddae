# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenarios show what a kernel complained of, on which releases, and where it holds again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import ROW_BY_NAME, ROWS
from lazymmu.litmus import shipped
from lazymmu.litmus.read import read
from lazymmu.litmus.scenario import ExpectedOutcome
from lazymmu.machine.releases import releases_of

if TYPE_CHECKING:
    from lazymmu.contract.complaints import Complaint
    from lazymmu.ftrace.splats import Splat
    from lazymmu.litmus.scenario import Scenario
    from lazymmu.machine.releases import Release

__all__ = ["KnownBug", "ShownBy", "known_bugs", "shown_by"]

_MOST: Final = 3
"""Scenarios that are told: who wants more asks for the rule."""


@dataclass(frozen=True, slots=True)
class ShownBy:
    """A scenario that shows it on the kernel at hand, or on another, of that architecture.

    :param here: on this kernel's release.
    :param since: the first and the last release, of those in a row around it that were read, which
        show it.
    :param until: likewise.
    :param mended: the first after them on which it holds, "" where none does.
    :param mended_row: its implementation, where that is another.
    :param see: where the kernel shows it.
    :param named: a function of the call trace that is named there.
    :param latest: of releases before `mended` nothing is said, so that it may have been mended in
        one of them.
    """

    scenario: str
    sentence: str
    arch: str
    here: bool
    since: str
    until: str
    mended: str
    mended_row: str
    see: tuple[str, ...]
    named: str = ""
    latest: bool = False


@dataclass(frozen=True, slots=True)
class KnownBug:
    """A bug that was found before, in a function of the call trace.

    :param function: that one.
    :param scenario: which is about it.
    :param see: where it was, and what mended it.
    """

    function: str
    scenario: str
    see: str


def known_bugs(complaint: Complaint, splat: Splat) -> tuple[KnownBug, ...]:
    """Bugs of the complaint's rules that are known in functions of the call trace."""
    found: dict[str, KnownBug] = {}
    names = splat.names
    for scenario, rules, see in _bugs():
        if not rules & set(complaint.rules):
            continue
        words = set(re.findall(r"\w+", see))
        name = next((name for name in names if name in words), "")
        if name and see not in found:
            found[see] = KnownBug(name, scenario, see)
    return tuple(found.values())


@cache
def _bugs() -> tuple[tuple[str, frozenset[str], str], ...]:
    """The scenarios of bugs: name, rules, and where it was.

    Their heads alone are read: to parse all of them takes a second.
    """
    heads = ((name, dict(_HEAD.findall(shipped.text(name)))) for name in shipped.names())
    return tuple(
        (name, frozenset(re.split(r", *", head.get("rule", ""))), head["see"].strip('"'))
        for name, head in heads
        if "bug" in head and "see" in head
    )


_HEAD: Final = re.compile(r"^(bug|rule|see) +(.+)$", re.MULTILINE)


@lru_cache(maxsize=64)
def _scenario(name: str) -> Scenario:
    return read(shipped.text(name), name)


def shown_by(complaint: Complaint, splat: Splat, arch: str, release: str) -> tuple[ShownBy, ...]:
    """The scenarios that show it, those first that name a function of the call trace.

    :param arch: as machines have them, "" where they are not known: any of them, then.
    :param release: likewise.
    """
    # Where nothing is deferred no machine shows it: others do.
    ours = (arch,) if arch else ()
    return _ranked(complaint, splat, ours, release) or _ranked(complaint, splat, tuple(ROWS), "")


def _ranked(
    complaint: Complaint, splat: Splat, arches: tuple[str, ...], release: str
) -> tuple[ShownBy, ...]:
    found: list[tuple[tuple[bool, ...], ShownBy]] = []
    for name in complaint.scenarios:
        scenario = _scenario(name)
        named = _named(scenario, splat)
        for each in arches:
            one = _shown(scenario, complaint, each, release, named)
            if one is not None:
                rank = (
                    not one.here,
                    not named,
                    bool(scenario.interrupts) is not splat.interrupt,
                    scenario.machine.rt and not splat.rt,
                )
                found.append((rank, one))
                break
    found.sort(key=lambda one: one[0])
    here = [one for _, one in found if one.here]
    return tuple((here or [one for _, one in found])[:_MOST])


def _shown(
    scenario: Scenario, complaint: Complaint, arch: str, release: str, named: str
) -> ShownBy | None:
    """What becomes of a scenario on the releases of an architecture."""
    releases = releases_of(arch)
    shows = _between([_breaks(scenario, complaint, arch, one) for one in releases])
    at = next((number for number, one in enumerate(releases) if one.name == release), -1)
    here = at >= 0 and shows[at] is True
    if not here:
        # The nearest that shows it: the latest, where nothing is known.
        at = next((number for number in reversed(range(len(shows))) if shows[number]), -1)
    if at < 0:
        return None
    first = last = at
    while first > 0 and shows[first - 1]:
        first -= 1
    while last + 1 < len(shows) and shows[last + 1]:
        last += 1
    number = next((one for one in range(last + 1, len(shows)) if shows[one] is False), -1)
    after = releases[number] if number >= 0 else None
    row = "" if after is None else _row(after, arch)
    return ShownBy(
        scenario.name,
        scenario.sentence,
        arch,
        here,
        releases[first].name,
        releases[last].name,
        "" if after is None else after.name,
        row if row != _row(releases[last], arch) else "",
        scenario.see,
        named,
        after is not None and number > last + 1,
    )


def _between(shows: list[bool | None]) -> list[bool | None]:
    """The same, where a release of which nothing is said has those nearest to it agree."""
    known = [number for number, one in enumerate(shows) if one is not None]
    found = list(shows)
    for before, after in pairwise(known):
        if shows[before] is shows[after]:
            found[before:after] = [shows[before]] * (after - before)
    return found


def _row(release: Release, arch: str) -> str:
    """The implementation of a release, with the releases that have it."""
    name = str(release.arches[arch].row)
    seen = ROW_BY_NAME[name].seen if name in ROW_BY_NAME else ""
    return f"{name}, {seen}" if seen else name


def _breaks(scenario: Scenario, complaint: Complaint, arch: str, release: Release) -> bool | None:
    """Whether a scenario is expected to break a rule of the complaint there; None: not said."""
    wanted = scenario.expected(arch, str(release.arches[arch].row), release.name)
    if wanted is None:
        return None
    if wanted.outcome is not ExpectedOutcome.VIOLATED:
        return False
    return any(breach.rule in complaint.rules for breach in wanted.broken)


def _named(scenario: Scenario, splat: Splat) -> str:
    """A function of the call trace that a scenario says it is about."""
    words = set(re.findall(r"\w+", " ".join(scenario.see)))
    return next((name for name in splat.names if name in words), "")
