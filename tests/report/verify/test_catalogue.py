# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is to verify, for people and for programs."""

from __future__ import annotations

import json

from lazymmu.report.verify import catalogue

ROWS = [
    catalogue.CatalogueRow(
        "two-writers", "Two tasks write.", ("nested-section", "lost-update"), "small"
    ),
    catalogue.CatalogueRow("many-writers", "Many tasks write.", (), "large"),
]
MACHINES = [("x86", "6.1", "xen-exclusive"), ("arm64", "7.3", "arm64-task"),
            ("x86", "6.6", "xen-exclusive")]  # fmt: skip


def test_scenarios_and_implementations_are_two_tables() -> None:
    """One table says what each scenario is about, one which releases have an implementation."""
    assert catalogue.render(ROWS, MACHINES) == (
        "scenario              about                        sentence\n"
        "two-writers           nested-section, lost-update  Two tasks write.\n"
        "many-writers (large)                               Many tasks write.\n"
        "\n"
        "architecture  implementation  releases\n"
        "arm64         arm64-task      7.3\n"
        "x86           xen-exclusive   6.1, 6.6\n"
    )


def test_programs_get_the_same() -> None:
    """The JSON has each scenario, and each implementation with its release."""
    whole = json.loads(catalogue.render_json(ROWS, MACHINES))
    assert [row["name"] for row in whole["scenarios"]] == ["two-writers", "many-writers"]
    assert [row["size"] for row in whole["scenarios"]] == ["small", "large"]
    assert whole["implementations"][1] == {
        "arch": "arm64",
        "release": "7.3",
        "feature": "arm64-task",
    }
