# SPDX-License-Identifier: GPL-2.0-or-later
"""sparc64's batch as a tree's own C has it: each access is a step."""

from __future__ import annotations

import re

import pytest

TLB = "arch/sparc/mm/tlb.c"
KEY = "\tif (nr == 0)\n\t\ttb->mm = mm;\n"


def keyed(text: str) -> str:
    """The same, which flushes a batch of another address space before it adds to it."""
    flush = "\tif (nr != 0 && mm != tb->mm) {\n\t\tflush_tlb_pending();\n\t\tnr = 0;\n\t}\n"
    return text.replace(KEY, flush + KEY)


def test_a_batch_that_asks_for_no_key_is_shown_by_its_own_c(asked):
    """The example mixes address spaces in one batch, which no hand-written machine does."""
    answer = asked("batch-changes-mm", arch="sparc")
    assert "batch-mixes-mm" in {one.rule for one in answer.findings}
    assert asked("batch-changes-mm", changes={TLB: keyed}, arch="sparc").findings == ()


def test_the_members_of_a_batch_are_the_machines(asked):
    """Each member that the code names is a column, and the function that adds is found."""
    (lifted,) = asked("batch-changes-mm", arch="sparc").lifted
    assert {"tlb_nr", "vaddrs"} <= set(lifted.columns)
    assert "tlb_batch_add" in dict(lifted.functions)


def test_no_name_of_a_function_or_a_member_is_read(asked):
    """The batch, its members and its functions may be called as one likes."""
    others = {"tlb_batch_add": "later", "tlb_nr": "used", "vaddrs": "where", "tlb_batch": "kept"}

    def renamed(text: str) -> str:
        return re.sub(r"\b(\w+)\b", lambda word: others.get(word[1], word[1]), text)

    files = ("arch/sparc/include/asm/tlbflush_64.h", "arch/sparc/include/asm/pgtable_64.h")
    changes = {
        TLB: lambda text: renamed(keyed(text)),
        **{f: renamed for f in files if renamed((asked.root / f).read_text()) != ""},
    }
    changes = {
        f: change
        for f, change in changes.items()
        if change((asked.root / f).read_text()) != (asked.root / f).read_text()
    }
    answer = asked("batch-changes-mm", "sparc-stuck-active", changes=changes, arch="sparc")
    same = asked("batch-changes-mm", "sparc-stuck-active", changes={TLB: keyed}, arch="sparc")
    assert {"used", "where"} <= set(answer.lifted[0].columns)
    assert [(v.verdict, v.states) for v in answer.verdicts] == [
        (v.verdict, v.states) for v in same.verdicts
    ]


@pytest.mark.parametrize("statement", ["preempt_disable();", "preempt_enable();"])
def test_a_section_without_one_end_of_its_pin_is_caught(asked, statement):
    """Hooks that do not pin, or never let go, break what the machine asks of them."""

    def unpinned(text: str) -> str:
        return keyed(text).replace(f"\t{statement}\n", "", 1)

    names = ("sparc-stuck-active", "batch-changes-mm", "sleep-inside-section")
    broken = asked(*names, changes={TLB: unpinned}, arch="sparc")
    right = asked(*names, changes={TLB: keyed}, arch="sparc")
    assert {(v.scenario, b.rule) for v in broken.verdicts for b in v.violations} != {
        (v.scenario, b.rule) for v in right.verdicts for b in v.violations
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("&get_cpu_var(tlb_batch)", "&the_batch", "is what adds to the batch"),
        ("\ttb->vaddrs[nr] = addr;", "", "puts nothing into an array"),
        (
            "\ttb->tlb_nr = ++nr;",
            "\tthis_cpu_ptr(&other)->nr++;\n\ttb->tlb_nr = ++nr;",
            "is not one variable",
        ),
    ],
)
def test_a_batch_that_is_not_understood_is_refused_by_its_place(asked, old, new, told):
    """The function's, or that of an accessor below which nothing adds."""

    def changed(text: str) -> str:
        return text.replace(old, new)

    refused = asked("batch-changes-mm", changes={TLB: changed}, arch="sparc").lifted[0].refused
    assert re.match(r"(?:arch/sparc|include)/\S+:[1-9]\d*: ", refused), refused
    assert refused.endswith(told)


def test_a_batch_that_goes_out_one_too_late_is_refused_where_it_stores_past_its_end(asked):
    """An element that an array does not have is whatever lies behind it."""

    def late(text: str) -> str:
        return keyed(text).replace("nr == TLB_BATCH_NR", "nr > TLB_BATCH_NR")

    answer = asked("batch-fills-in-section", changes={TLB: late}, arch="sparc")
    line = late((asked.root / TLB).read_text()).partition("\ttb->vaddrs[nr] = addr")[0].count("\n")
    (verdict,) = answer.verdicts
    assert verdict.reason == f"{TLB}:{line + 1}: element 192 of tlb_batch.vaddrs, which has 192"
    assert answer.exit_code() == 3
    assert asked("batch-fills-in-section", changes={TLB: keyed}, arch="sparc").findings == ()


def test_what_a_function_hands_on_without_a_value_is_refused_by_its_name(asked):
    """Also to what the machine leaves out: in the kernel it is whatever the stack has there."""
    made = "\tunsigned long nr = tb->tlb_nr;\n"

    def unset(text: str) -> str:
        use = "\tflush_tsb_user_page(mm, addr, size);\n"
        return keyed(text).replace(made, f"{made}\tunsigned int size;\n\n{use}")

    (lifted,) = asked("batch-changes-mm", changes={TLB: unset}, arch="sparc").lifted
    assert lifted.refused.endswith(": size in tlb_batch_add() has no value yet")

    def valued(text: str) -> str:
        return unset(text).replace("unsigned int size;", "unsigned int size = 13;")

    assert asked("batch-changes-mm", changes={TLB: valued}, arch="sparc").lifted[0].refused == ""
