# SPDX-License-Identifier: GPL-2.0-or-later
"""How a command ends: its exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Every code that lazymmu ends with, for each verb and each format; others are reserved."""

    CLEAN = 0
    """Something was checked and nothing was found."""
    FOUND = 1
    """A finding, a violation or a counterexample."""
    FAILED = 2
    """The arguments or the input are wrong, or lazymmu itself failed."""
    INCONCLUSIVE = 3
    """There was nothing to check, or the answer is open."""
    INTERRUPTED = 130
    """The user pressed Ctrl-C."""
