# SPDX-License-Identifier: GPL-2.0-or-later
"""Exhaustive search of small models: every state, and the shortest way to whatever they show.

Knows nothing of what is modelled. A model is written as `Model` says; `search` runs it.
"""

from __future__ import annotations

from lazymmu.explore.model import (
    Model,
    ModelError,
    PathStep,
    SearchPath,
    SearchProgress,
    SearchResult,
    StateField,
    StateView,
    label_names,
    replay,
)
from lazymmu.explore.search import ENGINES, Engine, search

__all__ = [
    "ENGINES",
    "Engine",
    "Model",
    "ModelError",
    "PathStep",
    "SearchPath",
    "SearchProgress",
    "SearchResult",
    "StateField",
    "StateView",
    "label_names",
    "replay",
    "search",
]
