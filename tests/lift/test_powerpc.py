# SPDX-License-Identifier: GPL-2.0-or-later
"""powerpc hash: an address is looked for in a segment, and in another one nothing is found."""

from __future__ import annotations

import pytest

from tests.lift.conftest import rows

HASH = "arch/powerpc/mm/book3s64/hash_tlb.c"
SCENARIOS = ("kernel-range-flushed-after-leave", "flush-then-use", "batch-changes-mm")
SEGMENTS = """
	unsigned long vsid;

	if (!is_kernel_addr(addr))
		vsid = get_user_vsid(&mm->context, addr, 0);
	else
		vsid = get_kernel_vsid(addr, 0);
	addr = hpt_vpn(addr, vsid, 0);
"""


def segmented(old, new):
    """A change after which addresses are made of segments, with `new` for `old` in how."""

    def change(text):
        begin = "	unsigned long i;\n"
        assert old in SEGMENTS
        return text.replace(begin, begin + SEGMENTS.replace(old, new, 1), 1)

    return {HASH: change}


def test_the_kernel_has_a_segment_and_users_have_another_one(asked):
    """An address of the tree's own making is the entry's, where its segment is right."""
    plain = asked(*SCENARIOS, arch="powerpc")
    assert plain.lifted[0].refused == ""
    made = asked(*SCENARIOS, arch="powerpc", changes=segmented("vsid", "vsid"))
    assert [row[:2] for row in rows(made)] == [row[:2] for row in rows(plain)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("!is_kernel_addr(addr)", "is_kernel_addr(addr)"),
        ("!is_kernel_addr(addr)", "1"),
        ("!is_kernel_addr(addr)", "0"),
    ],
)
def test_an_address_of_the_wrong_segment_invalidates_nothing(asked, old, new):
    """Its translation stays, and whoever has it goes on using it."""
    right = asked(*SCENARIOS, arch="powerpc")
    wrong = asked(*SCENARIOS, arch="powerpc", changes=segmented(old, new))

    def broken(answer):
        return {(v.scenario, one.rule) for v in answer.verdicts for one in v.violations}

    assert broken(right) < broken(wrong)
