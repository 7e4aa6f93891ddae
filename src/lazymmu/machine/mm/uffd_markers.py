# SPDX-License-Identifier: GPL-2.0-or-later
"""Zapping a userfaultfd write-protected entry leaves a marker in its place.

Before it does, the kernel warns unless the entry reads as none: the check reads an entry that may
have been cleared by a store that is still pending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.machine.mm.base import Part
from lazymmu.machine.mm.values import flags_of
from lazymmu.machine.steps import routine

if TYPE_CHECKING:
    from lazymmu.machine.config import Value
    from lazymmu.machine.steps import Routine

MEMORY = "mm/memory.c"

NONE = "!pte_none(ptep_get(pte))"


class UffdMarkers(Part):
    """Where there is no userfaultfd write-protection, or there are no markers.

    Architectures without HAVE_ARCH_USERFAULTFD_WP are powerpc and sparc; markers came with v5.19.
    """

    @routine("")
    def zap_install_uffd_wp_if_needed(
        self, _entry: str, _value: Value, _details: tuple[str, ...]
    ) -> Routine:
        """Nothing: uffd_supports_wp_marker() is the constant false.

        Takes what the entry held, and `zap.Details`.
        """
        yield from ()


class UffdMarkersCheckFirst(UffdMarkers):
    """v6.1: whoever comes, the entry must read as none."""

    @routine(MEMORY)
    def zap_install_uffd_wp_if_needed(
        self, entry: str, value: Value, details: tuple[str, ...]
    ) -> Routine:
        """Unless markers are to be dropped as well."""
        if "drop_markers" not in details:
            yield self.pte_install_uffd_wp_if_needed(entry, value, details)

    @routine("include/linux/mm_inline.h")
    def pte_install_uffd_wp_if_needed(
        self, entry: str, value: Value, details: tuple[str, ...]
    ) -> Routine:
        """Warn unless the entry was cleared, then put a marker there if it was write-protected."""
        yield self.warn_on(not (yield self.none(entry)), NONE)
        yield self._install(entry, value, details)

    @routine("")
    def _install(self, entry: str, value: Value, details: tuple[str, ...]) -> Routine:
        """Anonymous memory needs no marker: a zapped page is gone."""
        if "file" in details and ("wp" in flags_of(value) or value == "marker"):
            yield self.code.pgtable.set_pte_at(entry, "marker")


class UffdMarkersAfterAnon(UffdMarkersCheckFirst):
    """v6.12 to v7.1: anonymous mappings are let go before the check."""

    @routine(MEMORY)
    def zap_install_uffd_wp_if_needed(
        self, entry: str, value: Value, details: tuple[str, ...]
    ) -> Routine:
        """Zapping anonymous memory drops everything."""
        if "file" in details and "drop_markers" not in details:
            yield self.pte_install_uffd_wp_if_needed(entry, value, details)


class UffdMarkersBatched(UffdMarkersCheckFirst):
    """v7.3: 4259767463b3 set markers in batches, and the check comes first again."""

    @routine(MEMORY)
    def zap_install_uffd_wp_if_needed(
        self, entry: str, value: Value, details: tuple[str, ...]
    ) -> Routine:
        """Unless markers are to be dropped as well."""
        if "drop_markers" not in details:
            yield self.cond_install_uffd_wp_ptes(entry, value, details)

    @routine(MEMORY)
    def cond_install_uffd_wp_ptes(
        self, entry: str, value: Value, details: tuple[str, ...]
    ) -> Routine:
        """Warn unless the entry was cleared, then put a marker there if it was write-protected."""
        yield self.warn_on(not (yield self.none(entry)), NONE)
        yield self._install(entry, value, details)
