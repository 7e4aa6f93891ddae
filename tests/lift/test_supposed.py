# SPDX-License-Identifier: GPL-2.0-or-later
"""What a BUG asks that has one answer for all pages decides no BUG of one of them."""

from __future__ import annotations

import pytest

from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.lift.code import Opcode, compiled
from lazymmu.lift.supposed import hangs_on


@pytest.mark.parametrize(
    ("condition", "hangs"),
    [
        ("!is_own(page)", True),
        ("writable(x) && !(anon(page) &&\n\t\tis_own(page))", True),
        ("writable(x) || is_own(page)", True),
        ("is_own(page) + 1 > x", True),
        ("writable(x)", False),
        ("writable(x) && anon(page)", False),
        ("x", False),
    ],
)
def test_a_condition_hangs_on_each_call_that_decides_it(condition: str, hangs: bool) -> None:
    """Also by `&&`; what was asked before, for something else, decides nothing of it."""
    text = f"""static int f(struct page *page, int x)
{{
	if (is_own(page))
		g();
	if (is_own(page))
		return 1;
	BUG_ON({condition});
	return is_own(page);
}}
"""
    code = compiled(lower(text.encode(), name="f", file="a.c", line=1, macro_params=None))
    (at,) = (
        number
        for number, one in enumerate(code.instructions)
        if one.op is Opcode.CALL and one.what == "BUG_ON"
    )
    asked = code.instructions[at].args[0]
    assert hangs_on(code, at, asked, lambda name: name == "is_own") is hangs
