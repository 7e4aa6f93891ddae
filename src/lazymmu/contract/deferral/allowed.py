# SPDX-License-Identifier: GPL-2.0-or-later
"""What an implementation is made to survive: worth knowing, and no violation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.deferral.rows import Deferred

if TYPE_CHECKING:
    from lazymmu.contract.deferral.rows import DeferralRow


def allowed(rule: str, row: DeferralRow, detail: str = "", space: str = "unknown") -> bool:
    """Whether what `rule` reports is allowed on the implementation `row`.

    `detail` is the violation's, `space` that of the entries concerned.  A rule that binds callers
    is never allowed to be broken because an implementation survives it: that is what
    `harm_sentence()` tells.
    """
    match rule, detail:
        case "preempted-in-section", "unpinned":
            # The hook that follows may pin; what matters is what comes after it.
            return row.pins or row.survives_a_switch
        case "preempted-in-section", _:
            return row.survives_a_switch
        case "mode-left-on-cpu", "lost":
            # Updates are done one by one until the section ends, and are right.
            return True
        case "mode-not-effective", _:
            return row.deferred is Deferred.NOTHING or not row.defers(space)
    return False
