# SPDX-License-Identifier: GPL-2.0-or-later
"""What was seen of the places that name the mode, in sentences."""

from __future__ import annotations

from lazymmu.report.check import coverage
from lazymmu.witness.finding import Coverage, Lost, Place, Standing


def place(line: int, standing: Standing, file: str = "mm/a.c") -> Place:
    """A place of one line."""
    return Place(file, line, "lazy_mmu_mode_enable", standing)


def test_the_lines_sum_to_all_and_a_line_counts_once() -> None:
    """So that they can be held against what grep counts."""
    seen = Coverage(
        1,
        1,
        places=(
            place(1, Standing.WALKED),
            place(1, Standing.LOST),
            place(2, Standing.WALKED),
            place(2, Standing.COMMENT),
            place(3, Standing.COMMENT),
            place(3, Standing.COMMENT, "mm/b.c"),
        ),
    )
    assert coverage.standings(seen) == {"walked": 1, "comment": 2, "lost": 1}
    assert coverage.places(seen) == (
        "4 lines name the mode: 1 in code that was walked, 2 in declarations and comments, "
        "1 not seen"
    )


def test_nothing_is_said_where_nothing_names_the_mode() -> None:
    """A tree without the mode is told to be one elsewhere."""
    assert coverage.places(Coverage(0, 0)) == ""


def test_losses_are_told_once_for_each_function_and_reason() -> None:
    """At their first line, as many as one reads."""
    lost = [Lost("mm/a.c", line, "f", "not built") for line in (3, 7)]
    lost += [Lost("mm/a.c", 9, "f", "conflict markers of a merge"), Lost("mm", 0, "", "no entry")]
    assert list(coverage.losses(lost)) == [
        "mm/a.c:3: f() not seen: not built",
        "mm/a.c:9: f() not seen: conflict markers of a merge",
        "mm: not seen: no entry",
    ]
    many = [Lost("mm/a.c", line, f"f{line}", "not built") for line in range(1, 15)]
    assert list(coverage.losses(many))[-1].startswith("and 4 more that were not seen")
    assert [text for text in coverage.losses(many[:10]) if "more that" in text] == []
    assert list(coverage.losses(many[:11]))[-1].startswith("and 1 more that were not seen")
