# SPDX-License-Identifier: GPL-2.0-or-later
"""What checks of several trees in one process leave in memory."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from lazymmu.witness.source import check as source

NEW = Path(__file__).parents[3] / "examples" / "linux-new"


@pytest.fixture
def without_collector():
    """Nothing is collected but where it is asked for."""
    gc.disable()
    yield
    gc.enable()


def test_a_check_begins_free_of_what_an_earlier_one_made(monkeypatch, without_collector):
    """So a series of checks, as a review makes it, needs the memory of one of them."""
    made = []
    library = source._library

    def noted(asked):
        index = library(asked)
        made.append(weakref.ref(index))
        return index

    monkeypatch.setattr(source, "_library", noted)
    for _ in range(2):
        source.check(NEW, arches=["x86"], jobs=1)
    assert len(made) == 2
    assert made[0]() is None
