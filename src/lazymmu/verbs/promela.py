# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's model for Spin, which then searches it by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.explore import promela
from lazymmu.litmus.to_config import to_query
from lazymmu.problem import Problem
from lazymmu.witness.machine.product_model import ProductModel
from lazymmu.witness.machine.verdict import SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.litmus.run import Run
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["model_of"]


def model_of(done: Iterable[tuple[Run, Verdict]]) -> str:
    """Return the model of the one run that applies as Promela, whatever bound its scenario has.

    :raises Problem: there are several, or none.
    """
    runs = [run for run, verdict in done if verdict.verdict is not SearchOutcome.NOT_APPLICABLE]
    if len(runs) != 1:
        raise Problem(
            f"--format promela is of one run, and these are {len(runs)} (--scenario, --arch and "
            "--release choose)"
        )
    (run,) = runs
    return promela.export(ProductModel(to_query(run.scenario, run.arch, run.release)))
