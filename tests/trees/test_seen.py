# SPDX-License-Identifier: GPL-2.0-or-later
"""What was seen of real trees: every line that names the mode is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import lazymmu
from lazymmu.cli import main
from lazymmu.report.check import coverage
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.selection import CheckOutcome
from lazymmu.witness.finding import Coverage, Standing

from .conftest import Found

TREES = ("5.10", "6.1", "6.12", "6.12.8", "6.18.15", "7.1.13", "7.2.8", "7.3")
NO_KERNEL_C = {"tools", "Documentation", "samples", "scripts"}


def searched(root: Path) -> dict[tuple[str, int], str]:
    """What `grep -rn lazy_mmu --include=*.[ch]` finds of the kernel proper."""
    found: dict[tuple[str, int], str] = {}
    for path in (*root.rglob("*.c"), *root.rglob("*.h")):
        rel = path.relative_to(root)
        text = path.read_bytes() if path.is_file() and rel.parts[0] not in NO_KERNEL_C else b""
        if b"lazy_mmu" in text:
            for number, line in enumerate(text.split(b"\n"), 1):
                if b"lazy_mmu" in line:
                    found[rel.as_posix(), number] = line.decode("latin-1")
    return found


@pytest.mark.parametrize("version", TREES)
def test_the_lines_that_name_the_mode_are_those_of_a_plain_search(
    kernel_tree: Callable[[str], Path], found: Callable[[str], Found], version: str
) -> None:
    """Each is one of the kinds, and they sum to what a search finds."""
    lines = searched(kernel_tree(version))
    seen: Coverage = found(version).result.coverage
    assert {(place.file, place.line) for place in seen.places} == set(lines)
    assert sum(coverage.standings(seen).values()) == len(lines)


@pytest.mark.parametrize("version", TREES)
def test_what_is_lost_of_a_real_tree_is_not_built_on_its_machines(
    found: Callable[[str], Found], version: str
) -> None:
    """Nothing that is compiled there escapes: the few losses are files of 32-bit machines."""
    seen = found(version).result.coverage
    lost = [place for place in seen.places if place.standing is Standing.LOST]
    assert [p for p in lost if not p.reason.startswith("not built: CONFIG_")] == []
    assert {(b.file, b.line) for b in seen.blind} == {(p.file, p.line) for p in lost}


def test_a_real_difference_that_breaks_nothing_is_clean(
    kernel_tree: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A patch that is in the tree, and brought a line of a comment beside a section."""
    root = kernel_tree("6.12.8")
    lines = (root / "mm" / "mremap.c").read_text().split("\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(("\t/*", " *")) and n > 100)
    first, last = at - 3, at + 4
    patch = [
        "--- a/mm/mremap.c",
        "+++ b/mm/mremap.c",
        f"@@ -{first + 1},{last - first - 1} +{first + 1},{last - first} @@",
        *(("+" if n == at else " ") + lines[n] for n in range(first, last)),
    ]
    (tmp_path / "p.patch").write_text("\n".join(patch) + "\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code = main(["check", str(root), "--diff", str(tmp_path / "p.patch")])
    assert (code, capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize("version", ["6.12.8", "7.3"])
@pytest.mark.parametrize("broken", ["\tODD({ ((\n", "<<<<<<< HEAD\n"])
def test_a_section_that_a_change_makes_unreadable_is_a_new_loss(
    kernel_tree: Callable[[str], Path], found: Callable[[str], Found], version: str, broken: str
) -> None:
    """The only one: everything else was lost before."""
    root = kernel_tree(version)
    text = (root / "mm" / "mremap.c").read_text()
    call = "arch_enter_lazy_mmu_mode();\n" if version == "6.12.8" else "lazy_mmu_mode_enable();\n"
    assert text.count(call) == 1
    worse = text.replace(call, call + broken).encode()
    result = lazymmu.check(Tree.open(root).over({"mm/mremap.c": worse}), jobs=2)
    old = [lost.key for lost in found(version).result.coverage.blind]
    new = CheckOutcome(result).knowing(old).blind
    assert {lost.file for lost in new} == {"mm/mremap.c"}
    assert "move_ptes" in {lost.name for lost in new}
