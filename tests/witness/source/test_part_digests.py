# SPDX-License-Identifier: GPL-2.0-or-later
"""What tells a part of an analysis from others tells everything of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lazymmu.kernelc.definition import Definition
from lazymmu.kernelc.ir.abstract_value import Int
from lazymmu.witness.finding import Step
from lazymmu.witness.source.interproc.call_chains import CallChain
from lazymmu.witness.source.interproc.direct_calls import CallBelow
from lazymmu.witness.source.part_digests import PartDigests


class Numbers:
    """Lines that say their number."""

    def text(self, file: str, line: int) -> str:
        """Return what a line says."""
        return f"{file}:{line}"


def definition(name: str) -> Definition:
    """A function without a text."""
    return Definition(name, "function", "mm/a.c", 1, 1, 0, 9, 5, False, False, ())


STEP = Step("mm/a.c", 3, 1, "f", "calls g()")
BELOW = CallBelow(definition("g"), (), STEP, True, False, 0)
CHAIN = CallChain("sleep", "msleep", (STEP,))

OTHER: dict[str, Any] = {
    "definition": definition("h"),
    "binding": (("x", Int(1)),),
    "step": dataclasses.replace(STEP, column=2),
    "steps": (dataclasses.replace(STEP, line=4),),
    "may_sleep": False,
    "ambiguous": True,
    "tests": 1,
    "kind": "enable",
    "what": "schedule",
    "conditions": frozenset({"CONFIG_X"}),
    "needs": frozenset({"in_interrupt()"}),
    "detail": ("api",),
}


@pytest.mark.parametrize(
    ("own", "field"),
    [(own, field.name) for own in (BELOW, CHAIN) for field in dataclasses.fields(own)],
)
def test_each_field_of_what_a_function_reaches_is_told(own: Any, field: str) -> None:
    """One that is not would let an edit pass that changes nothing else."""
    digests = PartDigests(Numbers())  # type: ignore[arg-type]
    other = dataclasses.replace(own, **{field: OTHER[field]})
    assert other != own
    assert digests.of_own_part((other,), False) != digests.of_own_part((own,), False)
    assert digests.of_own_part((own,), True) != digests.of_own_part((own,), False)
