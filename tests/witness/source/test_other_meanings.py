# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that have something else under the name of a helper that begins or ends sections."""

from __future__ import annotations

from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree

NEW = Path(__file__).parents[3] / "examples/linux-new"

HEADER = """
#include <linux/pgtable.h>

static inline void scan_begin(void)
{
	lazy_mmu_mode_enable();
}

static inline void scan_end(void)
{
	lazy_mmu_mode_disable();
}
"""

USER = """
#include <linux/mm.h>
#include <linux/scan.h>

void scanning(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return;
	scan_begin();
	pte_clear(mm, addr, pte);
	scan_end();
	pte_unmap_unlock(pte, ptl);
}
"""

OWN = """
static void scan_begin(struct foo *foo)
{
	foo->n++;
}

static void scan_end(struct foo *foo)
{
	foo->n--;
}
"""

USED = """
void foo_scan(struct foo *foo)
{
	scan_begin(foo);
	if (foo->n > 4)
		return;
	cond_resched();
	scan_end(foo);
}
"""


def seen(foo: str, *, built: bool, header: str = "") -> tuple[set[str], set[str]]:
    """What is found in a driver, and the standings of the places in it."""
    tree = Tree.open(NEW)
    makefiles = {
        f"{folder}/Makefile": tree.read(f"{folder}/Makefile") + f"obj-y += {name}.o\n".encode()
        for folder, name in (("mm", "scanning"), ("drivers/misc", "foo" if built else "nothing"))
    }
    files = {"include/linux/scan.h": HEADER, "mm/scanning.c": USER, "drivers/misc/foo.c": foo}
    files["drivers/misc/foo.h"] = header
    given = {name: text.encode() for name, text in files.items()}
    result = lazymmu.check(tree.over({**makefiles, **given}), arches=["x86"])
    found = {f.rule for f in result.findings if f.file == "drivers/misc/foo.c"}
    places = [p for p in result.coverage.places if p.file == "drivers/misc/foo.c"]
    return found, {place.standing.value for place in places}


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("#include <linux/mm.h>\n" + OWN + USED, ""),
        (
            '#include <linux/mm.h>\n#include "foo.h"\n' + USED,
            OWN.replace("static", "static inline"),
        ),
    ],
)
@pytest.mark.parametrize("built", [True, False])
def test_a_driver_with_functions_of_its_own_is_no_user(text: str, header: str, built: bool) -> None:
    """It neither begins nor ends a section, and nothing is lost where nobody builds it."""
    found, standings = seen(text, built=built, header=header)
    assert not found
    assert "lost" not in standings


def test_a_driver_that_sees_the_helper_is_a_user() -> None:
    """By itself or by a header of its own; where it is not built that is a loss."""
    text = "#include <linux/mm.h>\n#include <linux/scan.h>\n" + USED.replace(
        "begin(foo)", "begin()"
    )
    assert "unbalanced-section" in seen(text, built=True)[0]
    assert "lost" in seen(text, built=False)[1]
    by_header = '#include "foo.h"\n' + USED
    assert "lost" in seen(by_header, built=False, header="#include <linux/scan.h>\n")[1]
