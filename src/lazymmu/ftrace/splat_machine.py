# SPDX-License-Identifier: GPL-2.0-or-later
"""Which machine printed a splat: its architecture, and which of the implementations that has.

Registers, symbols and the release's name tell it (profiles/splats.toml); what is a task's own, its
name, tells nothing.  What a splat does not say itself may be known of another one in the text.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from lazymmu.ftrace.splats import Splat

__all__ = ["leaves_interrupt", "machines_of", "places", "shows_interrupt", "take_signs"]

_DATA: Final = Path(__file__).parent / "profiles" / "splats.toml"

_TASK_NAME: Final = re.compile(
    r"(?P<before>\b[Cc]omm: |\bpid: \d{1,10}, name: |\bwhile atomic: |\bin process "
    r"|\bCPU#\d{1,5}: )(?P<name>.{1,64}?)"
    r"(?P<after> (?:Kdump: loaded|Not tainted|Tainted: )|/\d{1,10}(?:/0x[0-9a-f]{1,8})?$| +pfn:|$)"
)
"""Where a message has the name of a task, which is whatever a user likes."""

_KINDS: Final = ("xen", "native", "radix", "hash", "rt")


class _Sign(NamedTuple):
    """A kind of machine.

    Its architecture, why it has no mode or "", the more general architecture that its signs
    correct, what tells of it in a line, and in a release.
    """

    arch: str
    label: str
    over: str
    signs: re.Pattern[str]
    release: re.Pattern[str] | None


class _Told(NamedTuple):
    """What a splat told of its machine."""

    release: str
    arch: str
    lacks_mode: str
    kinds: frozenset[str]


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(_DATA.read_text("utf-8"))


@cache
def _signs(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(_data()[kind]["signs"]))


@cache
def _machines() -> tuple[_Sign, ...]:
    return tuple(
        _Sign(
            one["arch"],
            one.get("label", ""),
            one.get("over", ""),
            re.compile("|".join(one["signs"])),
            re.compile(one["release"]) if "release" in one else None,
        )
        for one in _data()["machine"]
    )


@cache
def places() -> tuple[re.Pattern[str], ...]:
    """Registers that say where a check fired, as `function`; the first that a text has counts."""
    return tuple(re.compile(one["pattern"]) for one in _data()["place"])


def shows_interrupt(line: str) -> bool:
    """Whether an interrupt's part of a call trace ends here."""
    return _signs("interrupt").search(line) is not None


def leaves_interrupt(name: str) -> bool:
    """Whether a function is one that a task calls that is preempted on the way out of one."""
    return name in _data()["interrupt"]["left"]


def take_signs(held: Splat, line: str) -> None:
    """Take what a line of a splat tells of the machine into it."""
    line = _TASK_NAME.sub(r"\g<before>\g<after>", line)
    for one in _machines():
        if (not held.arch or (one.over and held.arch == one.over)) and one.signs.search(line):
            held.arch, held.lacks_mode = one.arch, one.label
            break
    for kind in _KINDS:
        if not getattr(held, kind) and _signs(kind).search(line):
            setattr(held, kind, True)


def machines_of(found: list[Splat]) -> None:
    """What one splat of a text tells of its machine is true of the others of the same release.

    Of machines that differ in what both tell nothing is taken over, and of several that could be
    meant neither.
    """
    for one in found:
        _by_release(one)
    told = set(map(_told, found))
    for one in found:
        own = _told(one)
        others = [other for other in told if _may_be_one(own, other)]
        releases = {other.release for other in others if other.release}
        if not one.release and len(releases) == 1:
            (one.release,) = releases
        arches = {(other.arch, other.lacks_mode) for other in others if other.arch}
        if not one.arch and len(arches) == 1:
            one.arch, one.lacks_mode = next(iter(arches))
        kinds = frozenset[str]().union(*(other.kinds for other in others))
        for kind, contrary in _CONTRARY.items():
            if kind in kinds and not {kind, contrary} <= kinds and contrary not in own.kinds:
                setattr(one, kind, True)


_CONTRARY: Final = {"xen": "native", "native": "xen", "radix": "hash", "hash": "radix", "rt": ""}


def _told(one: Splat) -> _Told:
    kinds = frozenset(kind for kind in _KINDS if getattr(one, kind))
    return _Told(one.release, one.arch, one.lacks_mode, kinds)


def _may_be_one(one: _Told, other: _Told) -> bool:
    """Whether two splats may be of one machine: nothing that both tell differs."""
    same = not (one.release and other.release) or one.release == other.release
    alike = not (one.arch and other.arch) or one[1:3] == other[1:3]
    return same and alike


def _by_release(one: Splat) -> None:
    """The architecture that distributions put into a release's name, where no register told it."""
    if one.arch or not one.release:
        return
    for each in _machines():
        if each.release is not None and each.release.search(one.release):
            one.arch, one.lacks_mode = each.arch, each.label
            return
