# SPDX-License-Identifier: GPL-2.0-or-later
"""What is heavy is loaded when it is needed, and what is particular stays outside."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import lazymmu.explore

SOURCES = sorted(Path(lazymmu.explore.__file__).parent.glob("*.py"))


def test_numpy_is_not_loaded_before_it_is_needed():
    """The types, and the plain engine, do without."""
    code = (
        "import sys; from lazymmu.explore import search; search"
        "; sys.exit(bool({'numpy', 'numba'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_word_of_what_is_modelled():
    """The search is of use for any small model."""
    assert len(SOURCES) > 10
    found = [
        (path.name, hit)
        for path in SOURCES
        for hit in re.findall(
            r"(?i)\b(?!lazymmu)\w*(?:mmu|tlb|preempt|kernel_|pte)\w*", path.read_text()
        )
    ]
    assert found == []
