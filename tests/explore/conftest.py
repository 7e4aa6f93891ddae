# SPDX-License-Identifier: GPL-2.0-or-later
"""The engines by name; numba is left out where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")

FAST = [pytest.param("numpy"), pytest.param("numba", marks=needs_numba)]


@pytest.fixture(params=FAST)
def fast(request: pytest.FixtureRequest) -> str:
    """An engine that is compared with the plain one."""
    return str(request.param)


@pytest.fixture(params=["python", "auto", *FAST])
def engine(request: pytest.FixtureRequest) -> str:
    """Any engine."""
    return str(request.param)
