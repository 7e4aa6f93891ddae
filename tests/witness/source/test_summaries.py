# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call comes to rests on what it calls, and not on what was asked for before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazymmu.witness.source.interproc import summaries

LARGEST = 8
"""Functions of a generated program; the bound of depth is set below."""

graphs = st.lists(
    st.lists(st.integers(0, LARGEST - 1), max_size=3), min_size=LARGEST, max_size=LARGEST
)
"""Which functions each function calls, by number."""


def program(calls: list[list[int]]) -> str:
    """Functions that call each other; every third sleeps, or flushes, itself."""
    head = "".join(f"void f{n}(void);\n" for n in range(len(calls)))
    own = {0: "\tmsleep(1);\n", 3: "\tflush_tlb_all();\n"}
    bodies = (
        f"void f{n}(void)\n{{\n{own.get(n % 6, '')}"
        + "".join(f"\tf{other}();\n" for other in called)
        + "}\n"
        for n, called in enumerate(calls)
    )
    return head + "".join(bodies)


@given(calls=graphs, order=st.permutations(range(LARGEST)), deep=st.integers(0, 5))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_questions_does_not_matter(
    kernel: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    calls: list[list[int]],
    order: list[int],
    deep: int,
) -> None:
    """Every function asked for alone comes to what it comes to after all others, circles too."""
    monkeypatch.setattr(summaries, "MAX_DEPTH", deep)
    text = program(calls)
    together = kernel(text)

    def asked(seen: Any, number: int) -> object:
        target = seen.program.resolve(f"f{number}", "a.c")
        return seen.summaries.of(target.definition, ())

    for number in order:
        assert asked(together, number).chains == asked(kernel(text), number).chains
