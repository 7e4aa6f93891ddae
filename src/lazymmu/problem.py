# SPDX-License-Identifier: GPL-2.0-or-later
"""The one exception that means "tell the user and stop"."""

from __future__ import annotations

__all__ = ["Problem"]


class Problem(Exception):
    """Something that the user can mend; its text is one sentence without a full stop."""
