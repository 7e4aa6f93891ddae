# SPDX-License-Identifier: GPL-2.0-or-later
"""The mutants that nobody can catch, and those that nobody catches yet: a file with reasons."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Reason:
    """Why nobody catches a mutant: it is no mistake, or one that cannot be shown (`open`)."""

    text: str
    open: bool = False

    @property
    def word(self) -> str:
        """Which of the two."""
        return "open" if self.open else "equivalent"


def reasons(file: Path) -> dict[str, Reason]:
    """What a data file says of mutants, by their names."""
    groups = tomllib.loads(file.read_text(encoding="utf-8")).get("group", [])
    return {
        name: Reason(group["reason"], group.get("open", False))
        for group in groups
        for name in group["mutants"]
    }
