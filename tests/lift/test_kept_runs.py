# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function did to a state is done again where it would read the same."""

from __future__ import annotations

from lazymmu.contract.events import Exit
from lazymmu.lift.kept_runs import KeptRuns
from tests.lift.test_answers import machine


def deeper(ran):
    """A function that notes that it ran."""

    def function(here):
        ran.append(1)
        here.current.enable_count += 1
        here.emit(Exit)
        here.cost("hypercall")

    return function


def test_what_was_done_once_is_done_again_without_running():
    """The same changes, events and costs."""
    made, ran, costs = machine(), [], []
    kept = KeptRuns()
    heres = [made.here(list(made.initial), 0, costs.append) for _ in range(2)]
    for here in heres:
        kept.run(here, "hook", deeper(ran))
    assert len(ran) == 1
    assert [here.current.enable_count for here in heres] == [1, 1]
    assert heres[0].events == heres[1].events != []
    assert costs == ["hypercall"] * 2


def test_another_value_of_what_it_read_runs_it():
    """So does another function, and another CPU."""
    made, ran = machine(cpus=2), []
    kept = KeptRuns()
    other = made.here(list(made.initial), 0)
    other.current.enable_count = 5
    kept.run(made.here(list(made.initial), 0), "hook", deeper(ran))
    kept.run(other, "hook", deeper(ran))
    kept.run(made.here(list(made.initial), 0), "another", deeper(ran))
    kept.run(made.here(list(made.initial), 1), "hook", deeper(ran))
    assert len(ran) == 4
    assert other.current.enable_count == 6
