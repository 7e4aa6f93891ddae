# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the contract, one table."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lazymmu.contract.rules.arch import BATCH_MIXES_MM, RAW_ARCH_CALL, UNPINNED_BATCH
from lazymmu.contract.rules.balance import (
    BH_ACROSS_SECTION,
    NESTED_SECTION,
    UNBALANCED_PAUSE,
    UNBALANCED_SECTION,
)
from lazymmu.contract.rules.context import (
    PREEMPTED_IN_SECTION,
    SECTION_IN_INTERRUPT,
    SLEEP_IN_SECTION,
)
from lazymmu.contract.rules.entries import (
    FREE_BEFORE_FLUSH,
    MIXED_WRITE,
    STALE_READ,
    TLB_FLUSH_IN_SECTION,
)
from lazymmu.contract.rules.harms import (
    KERNEL_BUG,
    KERNEL_WARNING,
    LOST_UPDATE,
    MODE_NOT_EFFECTIVE,
    STALE_TRANSLATION_USED,
)
from lazymmu.contract.rules.locks import SECTION_OUTSIDE_LOCK, UNLOCK_BEFORE_FLUSH
from lazymmu.contract.rules.rule import Party, Rule, RuleKind, Witness
from lazymmu.contract.rules.state import (
    DIRTY_START,
    FLUSH_IS_NOP,
    IRQ_DEFERRED,
    MODE_LEFT_ON_CPU,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULES", "Party", "Rule", "RuleKind", "Witness"]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            UNBALANCED_SECTION,
            NESTED_SECTION,
            SLEEP_IN_SECTION,
            SECTION_IN_INTERRUPT,
            SECTION_OUTSIDE_LOCK,
            UNLOCK_BEFORE_FLUSH,
            STALE_READ,
            MIXED_WRITE,
            TLB_FLUSH_IN_SECTION,
            FREE_BEFORE_FLUSH,
            UNBALANCED_PAUSE,
            BH_ACROSS_SECTION,
            RAW_ARCH_CALL,
            PREEMPTED_IN_SECTION,
            UNPINNED_BATCH,
            BATCH_MIXES_MM,
            MODE_LEFT_ON_CPU,
            DIRTY_START,
            FLUSH_IS_NOP,
            IRQ_DEFERRED,
            LOST_UPDATE,
            STALE_TRANSLATION_USED,
            KERNEL_BUG,
            KERNEL_WARNING,
            MODE_NOT_EFFECTIVE,
        )
    }
)
"""Every rule by name: obligations of callers, then of implementations, then harms.

It is the order of documents and of `explain`.
"""
