# SPDX-License-Identifier: GPL-2.0-or-later
"""The deferral table and what follows from it.

`row()` finds an implementation's row by its words, `release_of()` by a release; `harm()` says how a
broken rule hurts it and `shown_by()` which scenario shows that, `allowed()` what it survives.
"""

from __future__ import annotations

from lazymmu.contract.deferral.allowed import allowed
from lazymmu.contract.deferral.harm_sentences import cost, harm, shown_by
from lazymmu.contract.deferral.hypothetical_rows import (
    ASSUMED,
    NAMED,
    NONE,
    S390_POSTED,
    WORST_CASE,
)
from lazymmu.contract.deferral.releases import RELEASES, Release, release_of
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
    "ASSUMED",
    "NAMED",
    "NONE",
    "RELEASES",
    "ROWS",
    "S390_POSTED",
    "WORST_CASE",
    "Carried",
    "Deferred",
    "Inner",
    "Interrupt",
    "Owner",
    "Release",
    "Row",
    "allowed",
    "cost",
    "harm",
    "release_of",
    "row",
    "shown_by",
]
