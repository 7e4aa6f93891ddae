# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the documentation that are counted: what sections of one page table keep, and more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import lazymmu
from lazymmu.costs.counts import Counts, Scope
from lazymmu.costs.tables import width
from lazymmu.verbs.cost_rows import ARCHES, CostRow

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT: Final = ("change_pte_range", "copy_pte_range", "zap_pte_range", "vmap_pages_pte_range")
"""mprotect, fork, munmap and vmalloc: user mappings, and those of the kernel."""

_WORDS: Final = ("hypercalls", "barriers", "invalidations")


def kept() -> Iterator[tuple[str, ...]]:
    """For each architecture and operation, four page tables full: what is saved, and kept."""
    for arch in ARCHES:
        entries = 4 * min(width(arch)[0], 512)
        for operation in KEPT:
            asked = lazymmu.CostRequest(operation=operation, arches=[arch], entries=[entries])
            (row,) = lazymmu.cost(asked).rows
            yield (
                f"{arch} {row.release}",
                f"``{operation}()``",
                f"{entries} in {row.tables} table{'s' if row.tables != 1 else ''}",
                *(_said(row.counts[scope]) for scope in (Scope.NONE, Scope.TABLE, Scope.RANGE)),
                "nothing to win" if row.kept is None else f"{100 * row.kept:.1f} %",
            )


def nested() -> Iterator[tuple[str, ...]]:
    """What set_ptes() that nests costs remap_pfn_range() on Xen, before and after its repair."""
    for release in ("6.12.8", "6.12.38", "7.3.4"):
        asked = lazymmu.CostRequest(
            operation="remap_pte_range", arches=["x86"], releases=[release], entries=[1, 32, 512]
        )
        for row in lazymmu.cost(asked).rows:
            yield (release, str(row.entries), *_both(row))


def counters() -> Iterator[tuple[str, ...]]:
    """What the wrapped counters of 7.0 on change for a Xen guest: the same operation before."""
    for operation in ("change_pte_range", "kasan_populate_vmalloc"):
        asked = lazymmu.CostRequest(
            operation=operation, arches=["x86"], releases=["6.17.8", "7.3.4"], entries=[8, 32]
        )
        for row in lazymmu.cost(asked).rows:
            counts = row.counts[Scope.TABLE]
            begun = str(counts.sections)
            yield (f"``{operation}()``", row.release, str(row.entries), begun, *_both(row))


def _both(row: CostRow) -> tuple[str, str]:
    return _said(row.counts[Scope.NONE]), _said(row.counts[Scope.TABLE])


def _said(counts: Counts) -> str:
    found = [(getattr(counts, name), name) for name in _WORDS]
    parts = [f"{number} {name[:-1] if number == 1 else name}" for number, name in found if number]
    return ", ".join(parts) or "nothing slow"
