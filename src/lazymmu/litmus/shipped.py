# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios that come with the project."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["SUFFIX", "names", "text"]

SUFFIX = ".litmus"

_FOLDER: Final = Path(__file__).parent / "scenarios"


def names() -> list[str]:
    """The names of all shipped scenarios, sorted."""
    return sorted(
        file.name.removesuffix(SUFFIX)
        for file in _FOLDER.iterdir()
        if file.name.endswith(SUFFIX) and file.is_file()
    )


def text(name: str) -> str:
    """The text of one.

    :raises KeyError: there is none of that name.
    """
    if name not in names():
        raise KeyError(name)
    return _FOLDER.joinpath(name + SUFFIX).read_text(encoding="utf-8")
