# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: begin and end of a section that are handed on as functions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

HANDED = """
typedef void (*mode_fn)(void);

static void run(void (*begin)(void), void (*end)(void), int some)
{{
	begin();
	{0}
	end();
}}

static void deeper(mode_fn first, mode_fn last, int some)
{{
	run(first, last, some);
}}

static void once(mode_fn fn)
{{
	fn();
}}

void f(struct mm_struct *mm, int some)
{{
	mode_fn own = lazy_mmu_mode_enable;

	{1}
}}
"""

PAIR = "run(lazy_mmu_mode_enable, lazy_mmu_mode_disable, some);"
DEEP = "deeper(&lazy_mmu_mode_enable, &lazy_mmu_mode_disable, some);"
OWN = "run(own, lazy_mmu_mode_disable, some);"
SLEEP = "mutex_lock(&m);	/* expect: sleep-in-section */"


@pytest.mark.parametrize("call", [PAIR, DEEP, OWN])
def test_what_is_called_back_begins_and_ends_a_section(agrees: Agrees, call: str) -> None:
    """Who is handed both halves of a pair runs what stands between them in the section."""
    assert not agrees(HANDED.format("count(mm);", call))
    agrees(HANDED.format(SLEEP, call))


@pytest.mark.parametrize(
    "body",
    [
        f"once(lazy_mmu_mode_enable);\n{SLEEP}\nonce(lazy_mmu_mode_disable);",
        f"once(own);\n{SLEEP}\nlazy_mmu_mode_disable();",
        "once(own);\nif (some)\nreturn;	/* expect: unbalanced-section */\n"
        "once(lazy_mmu_mode_disable);",
    ],
)
def test_a_function_that_calls_one_of_the_two_begins_for_its_caller(
    agrees: Agrees, body: str
) -> None:
    """The section is the caller's, whichever of the two it hands on where."""
    agrees(HANDED.format("count(mm);", body))


def test_who_calls_what_it_is_handed_without_a_section_is_silent(agrees: Agrees) -> None:
    """The same helpers with other functions neither begin nor end anything."""
    assert not agrees(HANDED.format("mutex_lock(&m);", "run(prepare, finish, some);"))
