# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that differ from a release in features that are named.

What if it had this patch?

A feature is a word of the machine for core-mm code (`machine.core_mm_features.CoreMM`), or
`hooks`, the architecture's code as another release has it. Of several each subset is a machine.
"""

from __future__ import annotations

import contextlib
import itertools
import typing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from lazymmu.litmus.run import implementations, known_as
from lazymmu.machine.core_mm_features import CoreMM
from lazymmu.machine.releases import TREES, find, releases_of
from lazymmu.problem import Problem
from lazymmu.verbs import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.litmus.run import Run
    from lazymmu.machine.arch.base import Arch
    from lazymmu.machine.releases import Release

__all__ = ["HOOKS", "WhatIf", "asked_for", "each_subset", "features"]

HOOKS: Final = "hooks"
_MOST: Final = 6
"""Most features, as each subset of them is a machine."""
_KINDS: Final = {
    name: kind for name, kind in typing.get_type_hints(CoreMM).items() if name != "lacks"
}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A feature and the value that it is to have; of `hooks` the name of a release."""

    feature: str
    value: object
    said: str

    def __str__(self) -> str:
        return f"{self.feature}={self.said}"


def features() -> tuple[str, ...]:
    """The names of all features."""
    return (*sorted(_KINDS), HOOKS)


def asked_for(words: Sequence[str]) -> tuple[WhatIf, ...]:
    """What some words `FEATURE=VALUE` ask for.

    :raises Problem: for one that is nothing.
    """
    found: dict[str, WhatIf] = {}
    for word in words:
        feature, equals, said = word.partition("=")
        if not equals:
            raise Problem(f"--with {word}: FEATURE=VALUE is looked for, as kasan=paused")
        names.check("feature of machines", [feature], features())
        if feature in found:
            raise Problem(f"--with: {feature} is given twice")
        found[feature] = WhatIf(feature, _value(feature, said), said)
    if len(found) > _MOST:
        raise Problem(
            f"--with: {len(found)} features, and each subset is a machine: {_MOST} at most"
        )
    return tuple(found.values())


def _value(feature: str, said: str) -> object:
    """What a word means for a feature; raises Problem."""
    if feature == HOOKS:
        return said
    kind = _KINDS[feature]
    if kind is bool:
        names.check(f"value of {feature}", [said], ("yes", "no"))
        return said == "yes"
    if values := typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ():
        names.check(f"value of {feature}", [said], values)
        return said
    arches = [] if said == "none" else said.split(",")
    names.check(f"architecture of {feature}", arches, sorted(set(_arches())))
    return tuple(arches)


def _arches() -> Iterator[str]:
    return (arch for arch, _, _ in implementations())


@contextlib.contextmanager
def each_subset(runs: Sequence[Run], wanted: Sequence[WhatIf]) -> Iterator[list[Run]]:
    """The runs on each machine with a subset of the features, the one without any first.

    The machines are there while the context lasts.

    :raises Problem: for hooks that are not there.
    """
    made: dict[tuple[str, str], tuple[Release, type[Arch]]] = {}
    found: list[Run] = []
    for run in runs:
        found.append(run)
        for size in range(1, len(wanted) + 1):
            for subset in itertools.combinations(wanted, size):
                name = f"{run.release} {' '.join(map(str, subset))}"
                if (run.arch, name) not in made:
                    made[run.arch, name] = _machine(run.arch, run.release, name, subset)
                found.append(replace(run, release=name))
    TREES.update(made)
    try:
        yield found
    finally:
        for key in made:
            TREES.pop(key, None)


def _machine(
    arch: str, base: str, name: str, subset: Sequence[WhatIf]
) -> tuple[Release, type[Arch]]:
    """The machine of a release with some features as they are wanted; raises Problem."""
    release, implementation = find(arch, base)
    for one in subset:
        if one.feature != HOOKS:
            changed: dict[str, Any] = {one.feature: one.value}
            release = replace(release, mm=replace(release.mm, **changed))
            continue
        there = [each.name for each in releases_of(arch)]
        names.check(f"release with {arch}", [known_as(one.said)], there)
        other, implementation = find(arch, known_as(one.said))
        if other.mode is not release.mode:  # hooks and API are one design, and have one contract
            release = replace(release, mode=other.mode, dialect=other.dialect)
    return replace(release, name=name), implementation
