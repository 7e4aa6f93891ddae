# SPDX-License-Identifier: GPL-2.0-or-later
"""An architecture's hooks are found and judged again only where one of their texts has changed."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lazymmu.witness.source import arch_hooks
from lazymmu.witness.source.arch_hooks import Implementation
from tests.witness.source.edits import Files, checked, sub, text
from tests.witness.source.watched import Watched

LOOPS = "mm/right_loops.c"
XEN = "arch/x86/xen/mmu_pv.c"
PGTABLE = "arch/x86/include/asm/pgtable.h"

SLEEPS = sub(LOOPS, rb"(lazy_mmu_mode_enable\(\);\n)", rb"\1\tcond_resched();\n", 1)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often hooks were found, and how often they were judged."""
    seen: Counter[str] = Counter()
    find, judge = arch_hooks.find, arch_hooks.judge

    def finding(*asked: Any) -> Implementation:
        seen["found"] += 1
        return find(*asked)

    def judging(*asked: Any) -> Any:
        seen["judged"] += 1
        return judge(*asked)

    monkeypatch.setattr(arch_hooks, "find", finding)
    monkeypatch.setattr(arch_hooks, "judge", judging)
    return seen


def test_a_finding_elsewhere_leaves_the_hooks_as_they_were(
    store: Path, tmp_path: Path, watched: Watched, looked: Counter[str]
) -> None:
    """The analysis begins anew, and has the hooks, their words and what is said of them."""
    cold = checked(SLEEPS, None)
    looked.clear()
    watched.begun = 0
    kept = shutil.copytree(store, tmp_path / "store")
    assert checked(SLEEPS, kept) == cold
    assert watched.begun == 2
    assert not looked
    again = SLEEPS | sub("mm/right_order.c", rb"\A", b"/* a line more */\n")
    assert checked(again, kept) == checked(again, None)


NO_FLUSH = sub(XEN, rb"(leave_lazy_mmu\(void\)\n\{\n\tpreempt_disable\(\);\n).*\n", rb"\1", 1)
OTHER_MEMBER = sub(XEN, rb"\.leave = xen_leave_lazy_mmu", b".leave = xen_flush_lazy_mmu", 1)
OWN_ACCESSOR = sub(
    PGTABLE,
    rb"(#define __HAVE_ARCH_PTEP_SET_WRPROTECT)",
    rb"static inline void set_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep,"
    rb" pte_t pte, unsigned int nr)\n{\n\txen_mc_flush();\n}\n#define set_ptes set_ptes\n\1",
    1,
)
OTHER_MEANING = sub(
    XEN,
    rb"(static void xen_flush_lazy_mmu)",
    rb"#define xen_mc_flush() do { } while (0)\n\1",
    1,
)


@pytest.mark.parametrize(
    "files",
    [NO_FLUSH, OTHER_MEMBER, OWN_ACCESSOR, OTHER_MEANING],
    ids=["body", "table", "accessor", "macro"],
)
def test_hooks_of_which_a_text_has_changed_are_found_and_judged_again(
    store: Path, tmp_path: Path, looked: Counter[str], files: Files
) -> None:
    """So are those in whose place the tree has others, by a table or by a name."""
    cold = checked(files, None)
    looked.clear()
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == cold
    assert looked["found"] > 0
    assert looked["judged"] > 0


def test_a_table_names_a_hook_that_is_there_only_now(tmp_path: Path, looked: Counter[str]) -> None:
    """The table and all texts are as they were: the name means something that it did not mean."""
    named = text(XEN).replace(b".leave = xen_leave_lazy_mmu", b".leave = leave_it")
    before: Files = {XEN: named}
    after: Files = {XEN: named + b"\nvoid leave_it(void)\n{\n\tmsleep(1);\n}\n"}
    cold = checked(after, None)
    checked(before, tmp_path)
    looked.clear()
    assert checked(after, tmp_path) == cold
    assert looked["found"] > 0


def test_lines_of_hooks_are_where_they_stand_now(store: Path, tmp_path: Path) -> None:
    """A hook that moves down its file while something else changes is told by its new line."""
    files = SLEEPS | {XEN: b"\n\n\n" + text(XEN)}
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == checked(files, None)
