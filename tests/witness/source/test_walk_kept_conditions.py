# SPDX-License-Identifier: GPL-2.0-or-later
"""A condition that a variable is given once, and structures that begin as zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

KEPT = """
extern struct mm_struct init_mm;

void f(struct mm_struct *mm, struct mm_struct *other, int nr)
{
	const bool lazy = %s;

	if (lazy)
		lazy_mmu_mode_enable();
	%s
	if (%s)
		lazy_mmu_mode_disable();
}
"""


@pytest.mark.parametrize(
    ("kept", "between", "asked", "right"),
    [
        ("mm != &init_mm", "cpu_relax();", "mm != &init_mm", True),
        ("mm != &init_mm", "cpu_relax();", "!(mm == &init_mm)", True),
        ("nr > 4", "cpu_relax();", "nr > 4", True),
        ("IS_ENABLED(CONFIG_FREE)", "change(mm);", "IS_ENABLED(CONFIG_FREE)", True),
        ("IS_ENABLED(CONFIG_FREE)", "change(mm);", "!!IS_ENABLED(CONFIG_FREE)", True),
        ("IS_ENABLED(CONFIG_FREE)", "change(mm);", "IS_ENABLED(CONFIG_OTHER)", False),
        ("IS_ENABLED(CONFIG_FREE)", "change(mm);", "!IS_ENABLED(CONFIG_FREE)", False),
        ("IS_ENABLED(CONFIG_FREE)", "change(mm);", "IS_BUILTIN(CONFIG_FREE)", False),
        ("mm != &init_mm", "cpu_relax();", "mm == &init_mm", False),
        ("mm != &init_mm", "mm = other;", "mm != &init_mm", False),
        ("mm != &init_mm", "cpu_relax();", "other != &init_mm", False),
        ("mm->map_count > 4", "change(mm);", "mm->map_count > 4", False),
    ],
)
def test_a_variable_that_has_a_condition_asks_for_it(
    kernel: Callable[..., Any], kept: str, between: str, asked: str, right: bool
) -> None:
    """As long as what it compares stays as it is; what lies in memory may be changed by anybody."""
    found = {f.rule for f in kernel(KEPT % (kept, between, asked)).findings()}
    assert found == (set() if right else {"unbalanced-section"})


HELPERS = """
static void begin(void)
{
	if (IS_ENABLED(CONFIG_FREE))
		lazy_mmu_mode_enable();
}

static void end(void)
{
	if (%s)
		lazy_mmu_mode_disable();
}

void f(struct mm_struct *mm)
{
	begin();
	change(mm);
	end();
}

void g(struct mm_struct *mm)
{
	if (IS_ENABLED(CONFIG_FREE))
		lazy_mmu_mode_enable();
	change(mm);
	if (%s)
		lazy_mmu_mode_disable();
}
"""


@pytest.mark.parametrize(
    ("asked", "right"),
    [("IS_ENABLED(CONFIG_FREE)", True), ("IS_ENABLED(CONFIG_OTHER)", False)],
)
def test_an_option_is_the_same_whoever_asks(
    kernel: Callable[..., Any], asked: str, right: bool
) -> None:
    """In one function, and in the two of a pair, also where a user decides about it."""
    found = {f.rule for f in kernel(HELPERS % (asked, asked)).findings()}
    assert found == (set() if right else {"unbalanced-section"})


BATCH = """
struct batch {{ bool on; int users; struct mm_struct *mm; }};

static void begin(struct batch *b)
{{
	if (b->on)
		return;
	lazy_mmu_mode_enable();
	b->on = true;
}}

static void end(struct batch *b)
{{
	if (!b->on)
		return;
	b->on = false;
	lazy_mmu_mode_disable();
}}

void f(struct mm_struct *mm, int nr, struct batch *given)
{{
	{zeros}

	{uses}
	end(&b);
}}
"""

ZEROS = (
    "struct batch b = { };",
    "struct batch b = { 0 };",
    "struct batch b = { .mm = mm };",
    "struct batch b = { .on = false };",
)


@pytest.mark.parametrize("zeros", ZEROS)
@pytest.mark.parametrize("uses", ["begin(&b);", "while (nr--) begin(&b);", "if (nr) begin(&b);"])
def test_what_begins_as_zeros_is_no_section_yet(
    kernel: Callable[..., Any], zeros: str, uses: str
) -> None:
    """Who begins once, or never, and ends once; all that is not named in the braces is 0."""
    assert not kernel(BATCH.format(zeros=zeros, uses=uses)).findings()


@pytest.mark.parametrize("zeros", ["struct batch b = { };", "struct batch b = { .mm = mm };"])
@pytest.mark.parametrize(
    "uses", ["begin(&b); b.on = false;", "b.on = true;", "begin(&b); b = (struct batch){ };"]
)
def test_what_is_written_since_is_no_zero(
    kernel: Callable[..., Any], zeros: str, uses: str
) -> None:
    """The note is wrong where the end asks for it: a section is left open, or none is ended."""
    found = {f.rule for f in kernel(BATCH.format(zeros=zeros, uses=uses)).findings()}
    assert found == {"unbalanced-section"}
