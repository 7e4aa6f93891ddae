# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios that come with the project."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["SUFFIX", "names", "text"]

SUFFIX = ".litmus"


def names() -> list[str]:
    """The names of all shipped scenarios, sorted."""
    return sorted(
        file.name.removesuffix(SUFFIX)
        for file in _folder().iterdir()
        if file.name.endswith(SUFFIX) and file.is_file()
    )


def text(name: str) -> str:
    """The text of one; raises KeyError when there is none of that name."""
    if name not in names():
        raise KeyError(name)
    return _folder().joinpath(name + SUFFIX).read_text(encoding="utf-8")


def _folder() -> Traversable:
    return files("lazymmu.litmus").joinpath("scenarios")
