# SPDX-License-Identifier: GPL-2.0-or-later
"""What the table of sections says pins one, and what the check says, are one and the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazymmu.contract.dialects import DIALECTS
from lazymmu.report.check import sections as text
from lazymmu.witness.source.check import check, sections

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("tree", ["linux-old", "linux-new"])
def test_a_section_that_nothing_pins_is_one_in_the_table(tree: str, dialect: str) -> None:
    """Where the check says that nothing pins a section, the table says so, and nowhere else."""
    # x86 never disables preemption itself, so that nothing that is unpinned is kept quiet.
    asked = {"arches": ["x86"], "dialect": dialect, "jobs": 1}
    found = check(EXAMPLES / tree, **asked).findings  # type: ignore[arg-type]
    rows = sections(EXAMPLES / tree, **asked).rows  # type: ignore[arg-type]
    told = {(f.file, f.function) for f in found if f.rule == "preempted-in-section"}
    assert told
    assert told == {(row.file, row.function) for row in rows if "nothing" in row.pinned}
    for row in rows:
        pinned = str(dict(zip(text.HEADS, text.values(row), strict=True))["pinned"])
        assert ("nothing" in pinned) == ((row.file, row.function) in told), row
