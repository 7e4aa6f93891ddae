# SPDX-License-Identifier: GPL-2.0-or-later
"""The deferral table and what follows from it.

`classify()` finds an implementation's row by its words, `release_of()` by a release;
`harm_sentence()` says how a broken rule hurts it and `demonstrated_by()` which scenario shows
that, `allowed()` what it survives.
"""

from __future__ import annotations

from lazymmu.contract.deferral.allowed import allowed
from lazymmu.contract.deferral.harm_sentences import cost_sentence, demonstrated_by, harm_sentence
from lazymmu.contract.deferral.hypothetical_rows import (
    HYPOTHETICAL_ROWS,
    NONE,
    ROW_BY_NAME,
    S390_POSTED,
    WORST_CASE,
)
from lazymmu.contract.deferral.releases import RELEASES, ReleaseRows, release_of
from lazymmu.contract.deferral.rows import (
    ROWS,
    DeferralRow,
    Deferred,
    Interrupt,
    NestedSection,
    OnContextSwitch,
    Owner,
    classify,
    invalidates_late,
)

__all__ = [
    "HYPOTHETICAL_ROWS",
    "NONE",
    "RELEASES",
    "ROWS",
    "ROW_BY_NAME",
    "S390_POSTED",
    "WORST_CASE",
    "DeferralRow",
    "Deferred",
    "Interrupt",
    "NestedSection",
    "OnContextSwitch",
    "Owner",
    "ReleaseRows",
    "allowed",
    "classify",
    "cost_sentence",
    "demonstrated_by",
    "harm_sentence",
    "invalidates_late",
    "release_of",
]
