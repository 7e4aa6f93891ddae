# SPDX-License-Identifier: GPL-2.0-or-later
"""A helper that nobody uses yet: its callers, who are to come, take the lock."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lazymmu
from lazymmu.witness.finding import Confidence

EXAMPLE = Path(__file__).parents[3] / "examples" / "linux-new"
HELPER = """
/* {comment} */
{static}void fade(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{{
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, pte_mkold(ptep_get(pte)));
	lazy_mmu_mode_disable();
}}
{more}
"""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, False),
        ({"comment": "fade() is used by what comes next."}, False),
        ({"static": ""}, True),
        ({"more": "const struct fades fades = { .one = fade };"}, True),
    ],
    ids=["static", "named in a comment", "of other files as well", "in a table"],
)
def test_a_static_function_that_nothing_names_lacks_a_lock_with_low_confidence(
    tmp_path, given, told
):
    """Its callers are to come, and may have it; who may be called from elsewhere answers for it."""
    tree = tmp_path / "linux"
    shutil.copytree(EXAMPLE, tree)
    file = tree / "mm" / "right_order.c"
    text = HELPER.format(**{"comment": "Ages.", "static": "static ", "more": ""} | given)
    file.write_text(file.read_text() + text)
    found = lazymmu.check(tree, arches=["x86"], rules=["section-outside-lock"]).findings
    (one,) = (one for one in found if one.function == "fade")
    assert (one.confidence is not Confidence.LOW) is told
