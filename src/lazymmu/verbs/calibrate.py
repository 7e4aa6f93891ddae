# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure what one hypercall, barrier and invalidation take here, for `cost` to tell times by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.costs.calibration import FIELDS, Calibration, Spread
from lazymmu.ftrace import probes
from lazymmu.problem import Problem
from lazymmu.timing.barriers import barrier
from lazymmu.timing.hypercalls import hypercall
from lazymmu.timing.invalidations import invalidation
from lazymmu.timing.samples import NotMeasured, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lazymmu.timing.samples import Pair

    Opened = Callable[[], AbstractContextManager[Pair]]

__all__ = ["calibrate", "pairs_of"]

_LONG: Final = 1.5
"""How much longer a median may be at the second time than at the first, or the first than it."""


def pairs_of(arch: str, root: Path) -> Mapping[str, Opened]:
    """What is run here for each kind of `FIELDS`: opened, it is a pair, or raises NotMeasured."""
    return {
        "hypercall": lambda: hypercall(root),
        "barrier": lambda: barrier(arch),
        "invalidation": lambda: invalidation(root, arch),
    }


def calibrate(
    machine: str, release: str, root: Path, pairs: Mapping[str, Opened] | None = None
) -> Calibration:
    """The times of the machine at hand, and for what cannot be measured the reason.

    :param machine: what ``uname -m`` says, and ``release`` what ``uname -r`` does.
    :param root: where the files of the kernel are.
    :param pairs: what is run, instead of `pairs_of` this machine.
    :raises lazymmu.Problem: its architecture has no lazy MMU mode.
    """
    arch = probes.architecture(machine)
    if not arch:
        raise Problem(f"this machine is {machine}, which has no lazy MMU mode")
    times, why, what = {}, {}, {}
    for name, opened in (pairs or pairs_of(arch, root)).items():
        try:
            times[name], what[name] = _twice(opened)
        except NotMeasured as error:
            why[name] = str(error)
    lacking = {name: "nothing measures it here" for name in FIELDS if name not in {*times, *why}}
    return Calibration(arch, release, times, why | lacking, what)


def _twice(opened: Opened) -> tuple[Spread, str]:
    """Both halves of the samples have to agree: a machine that does other things is no measure."""
    with opened() as pair:
        first, second = measure(pair), measure(pair)
    if max(first.median, second.median) > _LONG * min(first.median, second.median):
        raise NotMeasured(
            f"measured twice, it was {first.median:.0f} and {second.median:.0f} ns: the machine is "
            "not quiet enough"
        )
    spread = Spread(
        (first.median + second.median) / 2,
        min(first.low, second.low),
        max(first.high, second.high),
        first.samples + second.samples,
    )
    return spread, first.what
