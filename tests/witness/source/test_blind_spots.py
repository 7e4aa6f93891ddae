# SPDX-License-Identifier: GPL-2.0-or-later
"""Which losses could hide a finding, and which are nobody's."""

from __future__ import annotations

import pytest

from lazymmu.snapshot.tree import Loss
from lazymmu.witness.source import blind_spots


@pytest.mark.parametrize(
    ("file", "unread", "matters"),
    [
        ("mm/Makefile", False, True),
        ("mm/deep/Makefile", False, True),
        ("mm/deep/Kbuild", False, True),
        ("Makefile", False, True),
        ("mm/deep/er/Makefile", False, False),
        ("net/Makefile", False, False),
        ("net/Kconfig", False, True),
        ("net/Kconfig.debug", False, True),
        ("net/a.c", True, True),
        ("net/a.c", False, False),
    ],
)
def test_what_is_lost_matters_where_it_decides_about_a_file(
    file: str, unread: bool, matters: bool
) -> None:
    """A loss counts on the way to a file that names the mode, in any Kconfig, and if unread."""
    lost = list(blind_spots.of_tree([Loss(file, "why", unread)], ["mm/deep/a.c", "init/b.c"]))
    assert [(one.file, one.reason) for one in lost] == [(file, "why")] * matters


def test_a_file_that_nobody_builds_matters_to_those_who_could() -> None:
    """Generic code is lost when no architecture builds it, an architecture's when that does not."""
    unlisted = {
        "toy": {"mm/a.c": "not named", "arch/toy/b.c": "off", "mm/built.c": "not named"},
        "um": {"mm/a.c": "not named either"},
    }
    assert [(one.file, one.reason) for one in blind_spots.of_files(unlisted)] == [
        ("arch/toy/b.c", "not read, off"),
        ("mm/a.c", "not read, not named"),
    ]
