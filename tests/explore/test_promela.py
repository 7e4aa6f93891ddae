# SPDX-License-Identifier: GPL-2.0-or-later
"""Spin counts the states that we count, from the text that we print."""

from __future__ import annotations

import pytest

from lazymmu.explore import promela, search

from .models import Batch, Peterson, Philosophers, Random

needs_spin = pytest.mark.skipif(
    bool(promela.missing_tools()), reason=f"not installed: {', '.join(promela.missing_tools())}"
)


@needs_spin
@pytest.mark.parametrize(
    "model",
    [
        Peterson(),
        Philosophers(5),
        Philosophers(4, values=False),
        Batch(3, 2, pinned=True),
        Random(5, fields=6, actions=8, padding=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_spin_counts_the_same(model, tmp_path):
    """States and transitions, of closed and open fields, narrow and wide."""
    found = search(model)
    assert found.states > 15
    program = promela.compile_spin(promela.export(model), tmp_path, quick=True)
    assert promela.run_spin(program) == (found.states, found.transitions)


@needs_spin
def test_a_large_action_is_exported_in_parts(monkeypatch):
    """Spin takes so many statements in a row and no more; the parts are the whole."""
    monkeypatch.setattr(promela, "_MAX_LEAVES_IN_D_STEP", 3)
    assert promela.recount(Batch(2, 2)) == search(Batch(2, 2)).states


@needs_spin
def test_spin_objects_where_we_did_not_come(tmp_path):
    """If our search had missed something, Spin would run into the assertion there."""
    text = promela.export(Peterson())
    wrong = text.replace(" = 1", " = 0", 1)
    assert wrong != text
    program = promela.compile_spin(wrong.replace("v0 = 2", "v0 = 3"), tmp_path)
    with pytest.raises(promela.SpinError, match="came where ours did not"):
        promela.run_spin(program)


@needs_spin
def test_what_spin_does_not_take_is_one_sentence(tmp_path):
    """A text that is no Promela gives Spin's first complaint."""
    with pytest.raises(promela.SpinError, match=r"^spin failed: .*syntax error"):
        promela.compile_spin("active proctype { }", tmp_path)


def test_names_cannot_break_out_of_comments():
    """A field may be called anything."""
    model = Peterson()
    model.actions = ("*/ assert(false) /*", "step 1")
    assert "*/ assert(false)" not in promela.export(model).replace("::", "")
