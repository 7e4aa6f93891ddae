# SPDX-License-Identifier: GPL-2.0-or-later
"""`verify --format promela`: the model of one run, which Spin searches by itself."""

from __future__ import annotations

import pytest

from lazymmu.cli import main
from lazymmu.explore import promela, search
from lazymmu.litmus.run import named
from lazymmu.litmus.to_config import to_query
from lazymmu.witness.machine.product_model import ProductModel
from tests.lift.conftest import EXAMPLES

ASKED = ["verify", "--scenario", "table-unlinked-twice", "--arch", "x86", "--format", "promela"]


@pytest.mark.skipif(bool(promela.missing_tools()), reason="Spin or gcc is not installed")
def test_spin_counts_as_many_states_of_what_is_printed(tmp_path, capsys):
    """What the command prints is what `recount` gives Spin, and nothing beside it."""
    main([*ASKED, "--release", "7.3.4"])
    text = capsys.readouterr().out
    found = search(ProductModel(to_query(named("table-unlinked-twice"), "x86", "7.3.4")))
    program = promela.compile_spin(text, tmp_path, quick=True)
    assert promela.run_spin(program) == (found.states, found.transitions)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--all"], "of one run"),
        (["--release", "7.3.4", "--with", "set-ptes-without-sections"], "as it is in a release"),
        (["--tree", str(EXAMPLES / "linux-new")], "as it is in a release"),
    ],
)
def test_what_is_no_single_machine_of_a_release_is_refused(more, said, capsys):
    """Spin takes one model, and those of a tree are gone when they were asked."""
    assert main([*ASKED, *more]) == 2
    assert said in capsys.readouterr().err
