# SPDX-License-Identifier: GPL-2.0-or-later
"""Which implementation, generic API and core-mm code each release has.

A release is a row of features; the machine is built from features alone.  A feature can be asked
for by itself: the name of a row of the deferral table stands for the first release that has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.machine.arch.base import Arch
from lazymmu.machine.arch.xen import XenNestingCount
from lazymmu.machine.config import ConfigError
from lazymmu.machine.mode import CountedMode, DirectMode

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Release:
    """One release: its arches' implementations, its API, and the state of its core-mm code.

    dialect: of the contract (contract.dialects); arches: the implementation per architecture;
    rt: architectures on which PREEMPT_RT can be selected.
    """

    name: str
    dialect: str
    mode: type[DirectMode]
    arches: Mapping[str, type[Arch]]
    rt: tuple[str, ...] = ()


RELEASES: Final[Mapping[str, Release]] = {
    release.name: release
    for release in (
        Release("6.12.8", "ptl-held", DirectMode, {"x86": XenNestingCount}, rt=("x86", "arm64")),
    )
}
"""The releases, oldest first."""


def find(arch: str, name: str) -> tuple[Release, type[Arch]]:
    """The release of that name, or the first with that row, and its implementation for `arch`.

    Raises ConfigError when there is none.
    """
    for release in RELEASES.values():
        implementation = release.arches.get(arch)
        if implementation is not None and name in (release.name, implementation.row):
            return release, implementation
    raise ConfigError(f"no release or implementation {name} of {arch} is known")


_ = CountedMode
