# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the page of operations and events: ``python -m tools.operations_page --write``."""

from __future__ import annotations

import sys
from pathlib import Path

from lazymmu.litmus.reference import page

__all__ = ["FILE", "main"]

FILE = Path(__file__).parents[1] / "docs" / "operations.rst"


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is as it should be."""
    if arguments == ["--write"]:
        FILE.write_text(page(), encoding="utf-8")
        return 0
    return int(FILE.read_text(encoding="utf-8") != page())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
