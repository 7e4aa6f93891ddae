# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections begun and ended by other names, held against the same ones by the API's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import lazymmu
from lazymmu.snapshot.tree import Tree

EXAMPLES = Path(__file__).parents[3] / "examples"
INCLUDE = "#include <linux/mm.h>\n"
ENTRY = "struct mm_struct *mm, unsigned long addr, unsigned long end, pte_t *ptep"
"""Parameters of a begin that says for which entries it is; GIVEN are the arguments."""
GIVEN = "vma->vm_mm, addr, end, pte"

_HEAD = """
{kind} {name}(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end,
	pte_t new)
{{
	{more}spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return{none};
	BEGIN;
"""
_TAIL = """	END;
	pte_unmap_unlock(pte, ptl);
	return{none};
}}
"""
_BODIES = {
    "right": "\tset_pte_at(vma->vm_mm, addr, pte, new);\n",
    "leaves": (
        "\tset_pte_at(vma->vm_mm, addr, pte, new);\n\tif (pte_none(new)) {\n"
        "\t\tpte_unmap_unlock(pte, ptl);\n\t\treturn 1;\n\t}\n"
    ),
    "sleeps": "\tcond_resched();\n",
}
CALLS = {
    "new": ("lazy_mmu_mode_enable", "lazy_mmu_mode_disable"),
    "old": ("arch_enter_lazy_mmu_mode", "arch_leave_lazy_mmu_mode"),
}
"""The calls that begin and end a section in the two example trees."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is told of mm/own.c and of what was added with it.

    findings: rule, file, function, message; rows: functions in the table of sections.
    """

    findings: frozenset[tuple[str, str, str, str]]
    rows: frozenset[str]
    blind: tuple[tuple[str, str], ...]


def users(begin: str, end: str, local: str = "") -> str:
    """Three functions that use a section: one is right, one returns in it, one sleeps in it."""
    text = ""
    for name, body in _BODIES.items():
        given = {"kind": "int", "name": name, "more": local, "none": " 0"}
        text += _HEAD.format(**given) + body + _TAIL.format(**given)
    return text.replace("BEGIN", begin).replace("END", end)


def seen(which: str, own: str, more: Mapping[str, str], arch: str = "x86") -> Seen:
    """What an example tree comes to with mm/own.c and other files in it, beyond what it has."""
    root = EXAMPLES / f"linux-{which}"
    over = {name: text.encode() for name, text in more.items()}
    over["mm/own.c"] = own.encode()
    for folder in ("mm", "drivers/misc"):
        objects = [Path(name).stem for name in over if Path(name).parent == Path(folder)]
        listed = "".join(f"obj-y += {o}.o\n" for o in objects if f"{folder}/{o}.c" in over)
        over[f"{folder}/Makefile"] = (root / folder / "Makefile").read_bytes() + listed.encode()
    tree = Tree.open(root).over(over)
    result = lazymmu.check(tree, arches=[arch], jobs=1)
    table = lazymmu.sections(tree, arches=[arch], jobs=1)
    known = _known(which, arch)
    return Seen(
        frozenset(
            key
            for f in result.findings
            if (key := (f.rule, f.file, f.function, f.message)) not in known
        ),
        frozenset(row.function for row in table if row.file == "mm/own.c"),
        tuple((lost.file, lost.reason) for lost in result.coverage.blind),
    )


@cache
def _known(which: str, arch: str) -> frozenset[tuple[str, str, str, str]]:
    found = lazymmu.check(EXAMPLES / f"linux-{which}", arches=[arch], jobs=1).findings
    return frozenset((f.rule, f.file, f.function, f.message) for f in found)


@cache
def plain(which: str, local: str = "", arch: str = "x86") -> Seen:
    """What the three functions come to by the API's own calls."""
    begin, end = (f"{name}()" for name in CALLS[which])
    result = seen(which, INCLUDE + users(begin, end, local), {}, arch)
    assert {f[2] for f in result.findings} == {"leaves", "sleeps"}
    assert result.rows == set(_BODIES)
    return result


def in_pgtable(which: str, text: str) -> dict[str, str]:
    """The tree's own pgtable.h with a text before its last #endif."""
    name = "include/linux/pgtable.h"
    whole = (EXAMPLES / f"linux-{which}" / name).read_text().rstrip()
    assert whole.endswith("#endif")
    return {name: f"{whole[:-6]}{text}\n#endif\n"}
