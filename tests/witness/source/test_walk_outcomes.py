# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on helpers that return what they have compared: whoever asks is told apart.

Code is C of our own; `/* expect: rule */` stands on the line of each finding, and there is no
other finding.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]


def helper(failed: str) -> str:
    """A function that ends the section where something has failed, and returns what."""
    return f"""
static int end_if_failed(int err)
{{
	if ({failed}) {{
		lazy_mmu_mode_disable();
		return err;
	}}
	return 0;
}}
"""


@pytest.mark.parametrize(
    "failed", ["err", "err != 0", "err < 0", "0 > err", "err == -5", "err > 3", "!(err >= 0)"]
)
def test_what_is_returned_behind_a_comparison_is_not_zero(agrees: Agrees, failed: str) -> None:
    """Nobody ends the section twice, and who does not ask does."""
    agrees(f"""{helper(failed)}
void asks(int err)
{{
	lazy_mmu_mode_enable();
	work();
	if (!end_if_failed(err))
		lazy_mmu_mode_disable();
}}

void does_not_ask(int err)
{{
	lazy_mmu_mode_enable();
	work();
	end_if_failed(err);
}}	/* expect: unbalanced-section */
""")


@pytest.mark.parametrize("failed", ["err <= 0", "err >= 0", "err != -5", "err < 3"])
def test_what_may_be_zero_stays_open(agrees: Agrees, failed: str) -> None:
    """Of these a helper may return 0 although it has ended the section."""
    agrees(f"""{helper(failed)}
void asks(int err)
{{
	lazy_mmu_mode_enable();
	work();
	if (!end_if_failed(err))
		lazy_mmu_mode_disable();	/* expect: unbalanced-section */
}}
""")
