# SPDX-License-Identifier: GPL-2.0-or-later
"""mm/page_alloc.c: a page that was freed is given out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lazymmu.machine.mm.base import Part
from lazymmu.machine.steps import atomic, routine

if TYPE_CHECKING:
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.steps import Routine


class PageAlloc(Part):
    """Which pages are free is the memory's business (`memory.free_page()`)."""

    operations: ClassVar[tuple[str, ...]] = ("alloc_page",)

    @routine("mm/page_alloc.c")
    def alloc_page(self, page: str) -> Routine:
        """Wait until somebody has freed the page, and have it."""
        yield self._alloc(page)

    @atomic
    def _alloc(self, here: StepContext, page: str) -> None:
        here.wait_for(here.page(page).free)
        here.page(page).free = 0
