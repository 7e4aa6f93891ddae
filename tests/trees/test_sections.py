# SPDX-License-Identifier: GPL-2.0-or-later
"""Recall: every use of the mode in a real tree is in the table of sections, and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree

KINDS = {"enable": "e", "disable": "l", "pause": "p", "resume": "r"}
KNOWN: dict[str, dict[str, str]] = tomllib.loads(
    (Path(__file__).parent / "sections.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("version", ["6.12.8", "6.12.38", "6.17.8", "7.1.13", "7.3"])
def test_the_table_has_every_section(kernel_tree: Callable[[str], Path], version: str) -> None:
    """By function and by the kinds of its calls, as counted by hand in that exact release."""
    tree = kernel_tree(version)
    release = Tree.open(tree).release
    if release not in KNOWN:
        pytest.skip(f"the sections of {release} have not been counted by hand")
    seen = {}
    for row in lazymmu.sections(tree, jobs=2):
        kinds = "".join(sorted(KINDS[action] for _, action in row.actions if action in KINDS))
        if kinds and not row.file.startswith("mm/tests/") and row.function != "set_ptes":
            seen[f"{row.file}:{row.function}"] = kinds
    assert seen == KNOWN[release]
