# SPDX-License-Identifier: GPL-2.0-or-later
"""Small trees made for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MAKEFILE = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 8\nEXTRAVERSION =\nNAME = A Name\n"

Grow = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    """Make a tree that looks like a kernel's, with the given files by path; returns its root."""

    def make(files: dict[str, str | bytes]) -> Path:
        for path, text in {"Kconfig": "", "Makefile": MAKEFILE, **files}.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())
        for directory in ("arch", "include/linux", "mm"):
            (tmp_path / directory).mkdir(parents=True, exist_ok=True)
        return tmp_path

    return make
