# SPDX-License-Identifier: GPL-2.0-or-later
"""The deferral table and what follows from it: `row()` finds an implementation's row by its words,
`harm()` says how a broken rule hurts it."""

from __future__ import annotations

from lazymmu.contract.deferral.harms import harm
from lazymmu.contract.deferral.rows import (
    ROWS,
    Carried,
    Deferred,
    Inner,
    Interrupt,
    Owner,
    Row,
    row,
)

__all__ = [
    "ROWS",
    "Carried",
    "Deferred",
    "Inner",
    "Interrupt",
    "Owner",
    "Row",
    "harm",
    "row",
]
