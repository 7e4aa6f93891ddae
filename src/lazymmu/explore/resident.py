# SPDX-License-Identifier: GPL-2.0-or-later
"""How much memory this process has, as the system counts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["resident_bytes"]

_STATM: Final = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Bytes that are resident now; 0 where the system does not say (proc(5), statm)."""
    try:
        pages = _STATM.read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
