# SPDX-License-Identifier: GPL-2.0-or-later
"""Macros that begin or end a section by a condition, in a loop, or around what they are handed."""

from __future__ import annotations

import pytest

from tests.witness.source.same_as_plain import CALLS, INCLUDE, seen

BOTH = pytest.mark.parametrize("which", ["new", "old"])

MACROS = """
#define MAYBE_ON(c)	do { if (c) BEGIN(); } while (0)
#define MAYBE_OFF(c)	do { if (c) END(); } while (0)	/* asks what MAYBE_ON() asks */
#define BATCH_BIT	(1 << 2)	/* set while in_batch() runs */
#define AND_ON(c)	((c) && (BEGIN(), 1))
#define in_batch(code) do {	\\
	BEGIN();		\\
	code;			\\
	END();			\\
} while (0)
#define in_batch_of(mm, ...)	in_batch(__VA_ARGS__)
#define batch_scope()					\\
	for (bool _once = (BEGIN(), true); _once; _once = false, END())
void far_wait(void);
"""

FUNCTION = """
int NAME(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end, pte_t new)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
	BODY
	pte_unmap_unlock(pte, ptl);
	return 0;
}
"""

SET = "set_pte_at(vma->vm_mm, addr, pte, new);"
LEAVE = "{ pte_unmap_unlock(pte, ptl); return 1; }"

RIGHT = {
    "a condition": f"MAYBE_ON(addr & 1); {SET} MAYBE_OFF(addr & 1);",
    "an operator": f"AND_ON(addr & 1); {SET} MAYBE_OFF(addr & 1);",
    "what is handed": f"in_batch({SET[:-1]}); far_wait();",
    "handed on": f"in_batch_of(vma->vm_mm, {SET[:-1]}); far_wait();",
    "a number": f"BEGIN(); if (addr & BATCH_BIT) {{ {SET} }} END();",
    "a loop": f"batch_scope() {{ {SET} }}",
}
WRONG = {
    "another condition": (
        f"MAYBE_ON(addr & 1); {SET} MAYBE_OFF(end & 1);",
        "unbalanced-section",
    ),
    "left in what is handed": (f"in_batch(if (need_resched()) {LEAVE});", "unbalanced-section"),
    "waits in what is handed": ("in_batch(cond_resched());", "sleep-in-section"),
    "waits in what is handed on": ("in_batch_of(vma->vm_mm, far_wait());", "sleep-in-section"),
    "left in a loop": (f"batch_scope() {{ if (need_resched()) break; {SET} }}", "unbalanced"),
    "waits in a loop": (f"batch_scope() {{ {SET} far_wait(); }}", "sleep-in-section"),
}


def told(which: str, bodies: dict[str, str]) -> list[tuple[str, str]]:
    """The rules that some functions break, each with its name."""
    begin, end = CALLS[which]
    header = MACROS.replace("\\\\", "\\").replace("BEGIN", begin).replace("END", end)
    own = f'{INCLUDE}#include "batch.h"\n' + "".join(
        FUNCTION.replace("NAME", name).replace("BODY", body) for name, body in bodies.items()
    )
    own = own.replace("BEGIN", begin).replace("END", end)
    other = "#include <linux/sched.h>\nvoid far_wait(void)\n{\n\tcond_resched();\n}\n"
    result = seen(which, own, {"mm/batch.h": header, "mm/other.c": other})
    assert not result.blind
    return sorted((function, rule) for rule, _, function, _ in result.findings)


@BOTH
def test_right_use_of_such_macros_is_right(which: str) -> None:
    """Nothing is said of the macros, nor of who uses them."""
    bodies = {f"f{number}": body for number, body in enumerate(RIGHT.values())}
    assert told(which, bodies) == []


@BOTH
def test_wrong_use_of_such_macros_is_told_of_the_user(which: str) -> None:
    """Each function is named, by the rule that it breaks."""
    bodies = {f"f{number}": body for number, (body, _) in enumerate(WRONG.values())}
    found = told(which, bodies)
    for number, (_, rule) in enumerate(WRONG.values()):
        assert any(name == f"f{number}" and rule in said for name, said in found), (number, found)
    assert {name for name, _ in found} == set(bodies)
