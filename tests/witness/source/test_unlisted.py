# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that hand functions to one that calls back, and that no Makefile names."""

from __future__ import annotations

from pathlib import Path

import lazymmu
from lazymmu.snapshot.tree import Tree

OLD = Path(__file__).parents[3] / "examples/linux-old"
CALLS_BACK = b"""
static int each(pte_t *pte, unsigned long addr, void *data)
{
	return 0;
}

int all_of_it(struct mm_struct *mm)
{
	return apply_to_page_range(mm, 0, 1, each, NULL);
}
"""


def test_each_file_that_nobody_builds_is_told_and_no_other() -> None:
    """No header, no file that is built and none that another includes hides an unlisted file."""
    own = {
        "mm/aaa.h": CALLS_BACK,
        "mm/bbb.c": CALLS_BACK,
        "mm/ccc.c": CALLS_BACK,
        "mm/ddd.c": b'#include "ccc.c"\n',
        "mm/eee.c": b'/* see "zzz.c" */\nconst char *name = "zzz.c";\n',
        "mm/zzz.c": CALLS_BACK,
    }
    result = lazymmu.check(Tree.open(OLD).over(own), arches=["x86"])
    lost = [(one.file, one.reason) for one in result.coverage.blind if one.file in own]
    assert lost == [(file, "not read, no Makefile names it") for file in ("mm/bbb.c", "mm/zzz.c")]
