# SPDX-License-Identifier: GPL-2.0-or-later
"""The renderers of this room by the names of their formats; each is imported when it is asked."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from lazymmu.report.common.tool_report import ToolReport

__all__ = ["TOOLS", "render", "render_table"]

TOOLS: Final = ("junit", "github", "gitlab", "markdown", "ktap", "csv", "gcc")
"""The formats that are rendered here: each is the module of that name, with a `render`."""


def render(name: str, report: ToolReport) -> str:
    """A report in the format `name`, one of `TOOLS`."""
    made = cast("Callable[[ToolReport], str]", _module(name).render)
    return made(report)


def render_table(name: str, heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """A table as ``csv`` or ``markdown``; heads: in snake_case."""
    made = cast(
        "Callable[[Sequence[str], Iterable[Sequence[str | int]]], str]", _module(name).render_rows
    )
    return made(heads, rows)


def _module(name: str) -> ModuleType:
    return import_module(f"lazymmu.report.tools.{name}")
