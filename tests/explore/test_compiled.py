# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiled code is kept for the next time, where there is a place to keep it."""

from __future__ import annotations

from typing import Any

import pytest

numba = pytest.importorskip("numba", reason="numba is not installed")


def test_without_a_place_for_the_cache_the_code_is_compiled_all_the_same(monkeypatch):
    """An installation that nobody may write to, and no home: slower to start, and no error."""
    from lazymmu.explore import trie_walk_numba

    real = numba.njit

    def nowhere(*args: Any, **options: Any) -> Any:
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return real(*args, **options)

    monkeypatch.setattr(numba, "njit", nowhere)
    twice = trie_walk_numba._compiled("int64(int64)")(lambda number: 2 * number)
    assert twice(21) == 42
