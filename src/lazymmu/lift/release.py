# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tree is as a release of the machine: its API, its dialect, what its Kconfig allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.contract.dialects import DIALECTS, Dialect
from lazymmu.lift.core_mm import core_mm
from lazymmu.lift.implementation import LiftedApi
from lazymmu.machine.generic_api import DirectMode
from lazymmu.machine.releases import Release

if TYPE_CHECKING:
    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.lift.lifted import Lifted

__all__ = ["release"]

_MODELS: Final = "kernel/Kconfig.preempt"
_NONE: Final = re.compile(rb"^config PREEMPT_NONE\n(?:[ \t].*\n|\n)*", re.M)


def release(lifted: Lifted, arch: str, name: str, dialect: Dialect) -> Release:
    """Return the release that a tree is for one architecture, called `name`."""
    view = lifted.linker.view
    lazy = view.config.value("ARCH_HAS_PREEMPT_LAZY") == "y"
    nearest = dialect.name.removesuffix("+")
    return Release(
        name=name,
        dialect=nearest if nearest in DIALECTS else next(iter(DIALECTS)),
        mode=LiftedApi if lifted.api else DirectMode,
        mm=core_mm(lifted.linker, arch),
        rt=(arch,) if view.config.value("ARCH_SUPPORTS_RT") == "y" else (),
        lazy_preempt=(arch,) if lazy else (),
        must_preempt=_must_preempt(view),
    )


def _must_preempt(view: ConfiguredTree) -> bool:
    """Whether PREEMPT_NONE is left to architectures that know no preemption."""
    text = view.tree.read(_MODELS) if view.tree.has(_MODELS) else b""
    found = _NONE.search(text)
    return found is not None and b"depends on ARCH_NO_PREEMPT" in found[0]
