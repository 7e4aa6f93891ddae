# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: calls of elements of arrays of pointers to functions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]

ARRAYS = """
typedef void (*step_fn)(struct mm_struct *mm);
struct ops {{ step_fn all[2]; }};

static void quick(struct mm_struct *mm)
{{
	count(mm);
}}

static void slow(struct mm_struct *mm)
{{
	mutex_lock(&mm->mutex);
}}

static void (*const fixed[])(struct mm_struct *mm) = {{ quick, slow }};
static void (*changed[2])(struct mm_struct *mm) = {{ [0] = quick, [1] = &slow }};
static const step_fn typed[] = {{ quick, slow }};
static const struct ops ops = {{ .all = {{ quick, slow }} }};
static const struct ops named = {{ .all = {{ [0] = quick, [1] = slow }} }};
static const step_fn right[] = {{ quick, quick }};

void f(struct mm_struct *mm, int i)
{{
	step_fn own[] = {{ quick, slow }};
	step_fn given[2];
	step_fn one;

	given[0] = quick;
	given[1] = i ? slow : quick;
	lazy_mmu_mode_enable();
	{0}
	lazy_mmu_mode_disable();
}}
"""


@pytest.mark.parametrize(
    "call",
    [
        "fixed[i](mm);",
        "(*fixed[i])(mm);",
        "changed[i & 1](mm);",
        "typed[i](mm);",
        "one = typed[i]; one(mm);",
        "ops.all[i](mm);",
        "named.all[i](mm);",
        "own[i](mm);",
        "given[i](mm);",
        "for (i = 0; i < 2; i++) typed[i](mm);",
    ],
)
def test_an_element_that_sleeps_is_found_without_confidence(agrees: Agrees, call: str) -> None:
    """Each function that the array holds may be meant, and nobody knows which."""
    (found,) = agrees(ARRAYS.format(call + "	/* expect: sleep-in-section */"))
    assert found.confidence is Confidence.LOW


@pytest.mark.parametrize("call", ["right[i](mm);", "unknown[i](mm);", "one = right[0]; one(mm);"])
def test_an_array_without_a_function_that_sleeps_is_silent(agrees: Agrees, call: str) -> None:
    """An array of others, or one that nobody can see, is no reason for a guess."""
    assert not agrees(ARRAYS.format(call))


def test_an_array_of_many_functions_is_no_guess(agrees: Agrees) -> None:
    """Where more than a few may be meant, the call is listed as not resolved instead."""
    many = "".join(f"static void s{n}(void)\n{{\n\tmutex_lock(&m);\n}}\n" for n in range(6))
    steps = "static void (*const many[])(void) = { s0, s1, s2, s3, s4, s5 };\n"
    assert not agrees(many + steps + ARRAYS.format("many[i]();"))
