# SPDX-License-Identifier: GPL-2.0-or-later
"""Which per-CPU variables are batches of one mm: those whose key is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lazymmu.witness.source.effects.batch_effects import keyed


@pytest.mark.parametrize(
    ("body", "batches"),
    [
        ("b = this_cpu_ptr(&batch);\n\tif (b->mm != mm)\n\t\tflush(b);", {"batch"}),
        ("b = this_cpu_ptr(&batch);\n\tif (mm == b->mm)\n\t\tflush(b);", {"batch"}),
        ("b = this_cpu_ptr(&batch);\n\tif (full(b) || b->mm != mm)\n\t\tflush(b);", {"batch"}),
        ("b = this_cpu_ptr(&batch);\n\tb->mm = mm;", {"batch"}),
        ("*count = 0, b = this_cpu_ptr(&batch);\n\tb->mm = mm;", {"batch"}),
        ("c = b = &get_cpu_var(batch);\n\tb->mm = mm;", {"batch"}),
        ("b = this_cpu_ptr(&batch);\n\tb->nr = nr;", set()),
        ("b = this_cpu_ptr(&batch);\n\tif (b->nr != nr)\n\t\tflush(b);", set()),
        ("b = this_cpu_ptr(&batch);\n\tif (c->mm != mm)\n\t\tflush(b);", set()),
        ("b = &batch;\n\tif (b->mm != mm)\n\t\tflush(b);", set()),
    ],
)
def test_a_batch_is_per_cpu_data_whose_mm_is_compared_or_set(
    kernel: Callable[..., Any], body: str, batches: set[str]
) -> None:
    """Per-CPU data with a key is a batch, however the pointer to it came to its name."""
    head = "void f(struct mm_struct *mm, struct b *b, struct b *c, int nr, int *count)"
    seen = kernel(f"{head}\n{{\n\t{body}\n}}\n")
    assert keyed(seen.graph("f"), seen.words) == batches
