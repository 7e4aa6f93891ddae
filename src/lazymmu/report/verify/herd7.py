# SPDX-License-Identifier: GPL-2.0-or-later
"""Counterexamples as litmus tests for herd7 (herdtools7, AArch64 with page tables)."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from lazymmu.report.common.words import clean
from lazymmu.report.verify.json import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.crosscheck.values import HerdTest
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["of_runs", "render"]


def of_runs(
    told: Sequence[tuple[Verdict, HerdTest | None, str]],
) -> tuple[list[str], list[str]]:
    """The tests as text; and one sentence without a full stop for each run of which there is none.

    :param told: of each violated run its test, or why there is none.
    """
    texts = [render(test) for _, test, _ in told if test is not None]
    return texts, [
        f"{verdict.scenario} on {place(verdict)}: {why}" for verdict, _, why in told if why
    ]


def render(test: HerdTest) -> str:
    """The text: what it is of, what is held at first, a column for each CPU, what is asked."""
    head = [f"AArch64 {clean(test.name)}", f'"{clean(test.about)}"', "{"]
    head += [f"{name}={value};" for name, value in sorted(test.initial.items(), key=_order)]
    columns = [
        [f"P{cpu}", *test.programs.get(cpu, [])] for cpu in range(max(test.programs, default=0) + 1)
    ]
    widths = [max(map(len, column)) for column in columns]
    rows = zip_longest(*columns, fillvalue="")
    body = [
        " " + " | ".join(one.ljust(width) for one, width in zip(row, widths, strict=True)) + " ;"
        for row in rows
    ]
    asked = " /\\ ".join(test.condition)
    return "\n".join([*head, "}", *body, f"exists ({asked})", ""])


def _order(item: tuple[str, str]) -> tuple[bool, int, str]:
    """Locations first, then the registers of each CPU by their numbers."""
    name, _ = item
    cpu, found, register = name.partition(":X")
    return bool(found), int(register) if found else 0, cpu
