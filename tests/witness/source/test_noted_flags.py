# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a section is begun, noted in a structure of the function's own, for who ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CONTEXT = """
struct context {{ bool on; int users; }};

static inline void context_end(struct context *c)
{{
	if (c->on)
		lazy_mmu_mode_disable();
	c->on = false;
}}

{helper}
int f(struct mm_struct *mm, unsigned long addr, pte_t *pte, pte_t new, int some)
{{
	{begin}

	set_pte_at(mm, addr, pte, new);
	{body}
	return 0;
}}
"""

BEGIN = """
static inline struct context context_begin(void)
{{
	lazy_mmu_mode_enable();
	{noted}
}}
"""

NOTED = (
    "struct context c = { .on = true }; return c;",
    "struct context c = (struct context){ .on = true, .users = 1 }; return c;",
    "struct context c; c.users = 0; c.on = true; return c;",
    "return (struct context){ .on = true };",
    "return (struct context){ .users = 1, .on = true };",
)

BEGINS = (
    "struct context lazy = context_begin();",
    "struct context lazy; lazy_mmu_mode_enable(); lazy.on = true;",
    "lazy_mmu_mode_enable(); struct context lazy = { .on = true };",
    "lazy_mmu_mode_enable(); struct context lazy = (struct context){ .on = true };",
    "struct context lazy; lazy_mmu_mode_enable(); lazy = (struct context){ .on = true };",
)

CLEANED = "struct context lazy __attribute__((cleanup(context_end)))"

BODIES = [
    ("context_end(&lazy); cond_resched();", True),
    ("context_end(&lazy); cond_resched(); context_end(&lazy);", True),
    ("if (some) context_end(&lazy); else context_end(&lazy); cond_resched();", True),
    ("cond_resched(); context_end(&lazy);", False),
    ("if (some) context_end(&lazy); cond_resched(); context_end(&lazy);", False),
    ("lazy.on = false; context_end(&lazy);", False),
    ("lazy.on = some; context_end(&lazy);", False),
    ("context_end(&lazy); lazy.on = true; context_end(&lazy);", False),
]


def rules(kernel: Callable[..., Any], noted: str, begin: str, body: str) -> set[str]:
    """The rules that are told; without a note no function begins for its caller."""
    helper = BEGIN.format(noted=noted) if noted else ""
    code = CONTEXT.format(helper=helper, begin=begin, body=body)
    return {rule for found in kernel(code).findings() for rule in (found.rule, *found.also)}


@pytest.mark.parametrize("noted", NOTED)
@pytest.mark.parametrize(("body", "right"), BODIES)
def test_what_a_begin_notes_in_what_it_returns_is_what_its_end_asks(
    kernel: Callable[..., Any], noted: str, body: str, right: bool
) -> None:
    """However the structure is written that is returned: as a variable, or as a literal."""
    assert bool(rules(kernel, noted, BEGINS[0], body)) != right


@pytest.mark.parametrize("begin", BEGINS[1:])
@pytest.mark.parametrize(("body", "right"), BODIES)
def test_what_who_begins_itself_notes_is_what_a_helper_asks(
    kernel: Callable[..., Any], begin: str, body: str, right: bool
) -> None:
    """The function begins the section, and leaves its end to a helper that is handed the note."""
    assert bool(rules(kernel, "", begin, body)) != right


@pytest.mark.parametrize("noted", [NOTED[0], NOTED[3]])
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", set()),
        ("if (some) return 1;", set()),
        ("context_end(&lazy); cond_resched();", set()),
        ("cond_resched();", {"sleep-in-section"}),
        ("lazy.on = false;", {"unbalanced-section"}),
        ("if (some) lazy.on = false;", {"unbalanced-section"}),
        ("lazy = (struct context){ .on = false };", {"unbalanced-section"}),
        ("context_end(&lazy); lazy.on = true;", {"unbalanced-section"}),
    ],
)
def test_a_structure_with_a_cleanup_function_holds_what_it_was_given_last(
    kernel: Callable[..., Any], noted: str, body: str, told: set[str]
) -> None:
    """Its constructor has the first word on what its members hold, and not the last."""
    assert rules(kernel, noted, f"{CLEANED} = context_begin();", body) == told
