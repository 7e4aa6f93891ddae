# SPDX-License-Identifier: GPL-2.0-or-later
"""Who begins a section: the caller, and never what the API or an architecture puts between."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from lazymmu.contract.vocabulary import load
from lazymmu.ftrace.profile import functions

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["behind", "is_wrapper", "site_of", "site_of_stack"]


@cache
def _calls() -> frozenset[str]:
    """The mode's own functions: of the API in every era, and of each architecture."""
    return frozenset(load().mode) | frozenset(
        name for name, one in functions().items() if one.means in ("enter", "leave")
    )


@lru_cache(maxsize=1024)
def is_wrapper(name: str) -> bool:
    """Whether a function is the mode's own, or what guard() makes of one (linux/cleanup.h)."""
    return name in _calls() or (name.startswith("class_") and "lazy_mmu" in name)


def behind(wrapper: str) -> str:
    """What stands for a caller that a trace does not show."""
    return f"(behind {wrapper})"


def site_of(caller: str) -> str:
    """The call site by a function's caller."""
    return behind(caller) if is_wrapper(caller) else caller or "?"


def site_of_stack(frames: Sequence[str]) -> str:
    """The call site by the stack of a beginning, innermost first; "" where it has none."""
    for at, name in enumerate(frames):
        if is_wrapper(name):
            rest = (one for one in frames[at + 1 :] if not is_wrapper(one))
            return next(rest, "")
    return ""
