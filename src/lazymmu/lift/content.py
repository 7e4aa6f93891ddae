# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine of a tree was made of, as a digest: equal ones are the same machine."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from lazymmu.lift.core_code import CoreLift

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.lift.code import Code
    from lazymmu.lift.implementation import LiftedArch
    from lazymmu.machine.releases import Release

__all__ = ["content", "steps_of"]


def steps_of(codes: Iterable[Code]) -> list[str]:
    """What each function does, wherever it stands."""
    return [repr([step._replace(line=0, raw=()) for step in one.instructions]) for one in codes]


def core_steps(core: object) -> list[str]:
    """What lifted core-mm code does, and what of it is by hand."""
    assert isinstance(core, CoreLift)  # noqa: S101 - nothing else is ever in its place
    return [*steps_of(core.codes), *sorted(core.lifted), *sorted(core.by_hand)]


def content(release: Release, implementation: type[LiftedArch]) -> str:
    """The digest, of 64 hexadecimal digits.

    Of the functions with their names, the variables, the static keys, the batch, and what the tree
    is as a release; places of functions and the tree's name are none of it.
    """
    reached = implementation.lifted.reached
    batch = getattr(implementation, "batch", None)
    parts = [
        *(code.name for code in reached.codes),
        *(repr(sorted(code.types.items())) for code in reached.codes),
        *steps_of(reached.codes),
        repr(implementation.columns),
        repr(implementation.fresh),
        repr(sorted(implementation.lifted.linker.keys.values().items())),
        implementation.row,
        repr(replace(release, name="")),
        *([] if release.forms is None else core_steps(release.forms)),
        "" if batch is None else repr((batch.variable, batch.count, batch.items, batch.room)),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
