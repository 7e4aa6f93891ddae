# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is to verify: the scenarios, and the implementations that machines have."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lazymmu.report.common import document, table
from lazymmu.report.common.words import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.litmus.scenario import Scenario

__all__ = ["FORMAT", "CatalogueRow", "features", "render", "render_json", "row"]

FORMAT = 1
"""Version of the JSON's layout."""


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A scenario: its name, its sentence, what it is a witness of, and whether it is large."""

    name: str
    sentence: str
    about: tuple[str, ...]
    size: str


def row(scenario: Scenario) -> CatalogueRow:
    """What the list says of a scenario."""
    return CatalogueRow(
        scenario.name,
        scenario.sentence,
        (*scenario.claims, *scenario.bugs, *scenario.rules),
        scenario.machine.size,
    )


def render(
    rows: Sequence[CatalogueRow],
    implementations: Sequence[tuple[str, str, str]],
    width: int | None = None,
) -> str:
    """Two tables; implementations: (architecture, release, feature); width: columns to fold to."""
    from rich.table import Table

    scenarios = Table(box=None, pad_edge=False, header_style="")
    for title in ("scenario", "about", "sentence"):
        scenarios.add_column(title, overflow="fold", no_wrap=title == "scenario")
    for row in rows:
        name = row.name + (" (large)" if row.size == "large" else "")
        scenarios.add_row(clean(name), clean(", ".join(row.about)), clean(row.sentence))
    return f"{table.plain(scenarios, width)}\n{features(implementations, width)}"


def features(implementations: Sequence[tuple[str, str, str]], width: int | None = None) -> str:
    """The table of (architecture, release, feature); width: columns to fold to."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="")
    for title in ("architecture", "implementation", "releases"):
        shown.add_column(title, overflow="fold", no_wrap=title != "releases")
    seen: dict[tuple[str, str], list[str]] = {}
    for arch, release, feature in implementations:
        seen.setdefault((arch, feature), []).append(release)
    for (arch, feature), releases in sorted(seen.items(), key=lambda item: item[0][0]):
        shown.add_row(clean(arch), clean(feature), clean(", ".join(releases)))
    return table.plain(shown, width)


def render_json(
    rows: Sequence[CatalogueRow], implementations: Sequence[tuple[str, str, str]]
) -> str:
    """The same as one object, which `catalogue.schema.json` describes."""
    names = ("arch", "release", "feature")
    body = {
        "scenarios": [asdict(row) for row in rows],
        "implementations": [dict(zip(names, one, strict=True)) for one in implementations],
    }
    return document.render(FORMAT, body)
