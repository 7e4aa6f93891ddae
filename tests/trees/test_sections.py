# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu sections` lists every section of every release, and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.witness.finding import SectionRow

TABLE = tomllib.loads((Path(__file__).parent / "data" / "sections.toml").read_text())
RELEASES = ["6.1.176", "6.12.8", "6.12.38", "6.17.8", "6.18.5", "6.19.6", "7.1.13", "7.3"]
LETTERS = {"enable": "e", "disable": "l", "pause": "p", "resume": "r", "flush": "f"}

Rows = Callable[[str], list[SectionRow]]


def actions(row: SectionRow) -> str:
    """A row's mode calls in the order of their lines, a letter each."""
    return "".join(LETTERS.get(action, "?") for _, action in sorted(row.actions))


def code(rows: list[SectionRow]) -> dict[str, str]:
    """The functions of C files with a section, and their actions.

    A function that only flushes has no section, and the mode's own test is no user of it.
    """
    return {
        f"{row.file}:{row.function}": actions(row)
        for row in rows
        if row.file.endswith(".c") and "/tests/" not in row.file and set(actions(row)) != {"f"}
    }


@pytest.mark.parametrize("release", RELEASES)
def test_every_section_is_listed(release: str, rows_of: Rows) -> None:
    """The table of a release is the one that was collected by reading it."""
    expected = {name: row[release] for name, row in TABLE.items() if release in row}
    assert code(rows_of(release)) == expected


@pytest.mark.parametrize(
    ("release", "arches"),
    [
        ("6.1.176", set()),
        ("6.12.8", {"x86", "sparc"}),
        ("6.12.38", set()),
        ("6.17.8", set()),
        ("7.3", set()),
    ],
)
def test_set_ptes_has_a_section_where_it_had_one(
    release: str, arches: set[str], rows_of: Rows
) -> None:
    """Only 6.12.8's set_ptes() begins a section, for x86 by the generic header, and sparc's own.

    bcc6cc832573 ("mm: add default definition of set_ptes()") (in v6.6) and 691ee97e1a9d ("mm: fix
    lazy mmu docs and usage") (in v6.15, and in 6.12.y); powerpc's own never had one.
    """
    found = {arch for row in rows_of(release) if row.function == "set_ptes" for arch in row.arches}
    assert found == arches


KERNEL = ["vmap_pte_range", "vunmap_pte_range", "vmap_pages_pte_range"]
USER = ["zap_pte_range", "copy_pte_range", "change_pte_range", "move_ptes", "walk_pte_range"]


@pytest.mark.parametrize("release", RELEASES)
def test_user_and_kernel_mappings_are_told_apart(release: str, rows_of: Rows) -> None:
    """Sections of vmalloc are over kernel mappings, those of processes over user mappings."""
    spaces = {row.function: row.space for row in rows_of(release)}
    assert {spaces[name] for name in USER} == {"user"}
    assert {spaces[name] for name in KERNEL if name in spaces} <= {"kernel"}
    assert set(spaces["apply_to_pte_range"].split("/")) == {"kernel", "user"}


@pytest.mark.parametrize("release", RELEASES)
def test_the_locks_of_user_sections_are_seen(release: str, rows_of: Rows) -> None:
    """Where a section over a user's mapping begins, a page-table lock is held on each path."""
    rows = {row.function: row for row in rows_of(release)}
    for name in USER:
        assert rows[name].locks_begin, name
        assert "none" not in rows[name].locks_begin, name
    assert any(lock.startswith("pmd") for lock in rows["walk_pmd_range_locked"].locks_begin)


def test_arm64_s_own_sections_are_arm64_s(rows_of: Rows) -> None:
    """Code under arch/ has sections for that architecture alone."""
    for row in rows_of("7.3"):
        first, _, rest = row.file.partition("/")
        if first == "arch":
            assert row.arches == (rest.split("/")[0],), row
