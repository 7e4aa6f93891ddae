# SPDX-License-Identifier: GPL-2.0-or-later
"""The kinds of breach of a rule, as far as they hurt differently.

A violation's detail says what its message needs; witnesses see the same breach at different
places, a machine at a task's end what source shows at a function's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_BREACH_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "unbalanced-section": {
        "left-on": "left-on",
        "exit": "left-on",
        "user-return": "left-on",
        "not-begun": "ended-twice",
        "ended-callers": "ended-twice",
        "wrapped": "ended-twice",
    },
    "unbalanced-pause": {
        "left-paused": "left-paused",
        "exit": "left-paused",
        "user-return": "left-paused",
        "not-paused": "resumed-twice",
        "resumed-callers": "resumed-twice",
        "wrapped": "resumed-twice",
        "other-depth": "other-depth",
    },
    "bh-across-section": {
        "ignored-disable": "ignored-disable",
        "ignored-enable": "ignored-enable",
    },
    "unlock-before-flush": {"write": "write", "invalidation": "invalidation"},
    "tlb-flush-in-section": {"write": "write", "invalidation": "invalidation"},
    "section-outside-lock": {"takes": "takes", "drops": "drops", "writes": "writes"},
    "free-before-flush": {
        "frees the page": "frees",
        "frees the page table": "frees",
        "frees the page that TLBs hold": "frees-held",
        "frees the page table that TLBs hold": "frees-held",
        "uses the page": "uses",
        "uses the page table": "uses",
    },
    "mode-left-on-cpu": {"left-on": "left", "left-pending": "left", "lost": "lost"},
}


def breach_kind(rule: str, detail: str) -> str:
    """The kind of breach that a violation of `rule` with this `detail` is, "" where all are one.

    A detail that is not known, and none at all, are "": any kind.
    """
    return _BREACH_KINDS.get(rule, {}).get(detail, "")


def breach_kinds(rule: str) -> tuple[str, ...]:
    """The kinds of breach of `rule`, ("",) where all are one."""
    return tuple(dict.fromkeys(_BREACH_KINDS.get(rule, {}).values())) or ("",)
