# SPDX-License-Identifier: GPL-2.0-or-later
"""A small series of patches on an example tree: one brings a mistake, one mends another."""

from __future__ import annotations

import difflib
from pathlib import Path

NEW = """
void fill_late(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t value)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, value);
	if (pte_present(value))
		return;
	lazy_mmu_mode_disable();
	pte_unmap_unlock(pte, ptl);
}
"""


def mailbox(tree: Path, title: str = "fill late") -> str:
    """Two mails that apply to the example tree one after the other."""
    right = (tree / "mm/wrong_balance.c").read_text()
    added = right + NEW
    wrong = (tree / "mm/wrong_free.c").read_text()
    mended = wrong.replace(
        "\t__free_page(page);", "\tlazy_mmu_mode_disable();\n\t__free_page(page);", 1
    )
    return _mail(1, f"mm: {title}", "mm/wrong_balance.c", right, added) + _mail(
        2, "mm: free after the section", "mm/wrong_free.c", wrong, mended
    )


def _mail(number: int, subject: str, file: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{file}", f"b/{file}"
    )
    return (
        f"From 0123456789abcdef0123456789abcdef0123456{number} Mon Sep 17 00:00:00 2001\n"
        "From: A Developer <dev@example.org>\n"
        f"Message-Id: <{number}@example.org>\n"
        f"Date: Mon, 1 Jan 2024 00:00:0{number} +0000\n"
        f"Subject: [PATCH {number}/2] {subject}\n\nWhy.\n\n---\n"
        f"diff --git a/{file} b/{file}\n{''.join(lines)}-- \n2.39.0\n\n"
    )
