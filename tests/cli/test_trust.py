# SPDX-License-Identifier: GPL-2.0-or-later
"""`check` on trees with links in them, and with caches that may not be trusted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

OLD = Path(__file__).parents[2] / "examples/linux-old"


@pytest.fixture
def linux(tmp_path):
    """A copy of the example."""
    shutil.copytree(OLD, tmp_path / "linux")
    return tmp_path / "linux"


@pytest.fixture(scope="module")
def expected() -> dict[str, object]:
    """What the example without links comes to, once it is known."""
    return {}


def places(run, tree: Path) -> tuple[list[tuple[str, str, int]], list[tuple[str, int]]]:
    """The findings of a tree and its sections, by file and line."""
    found = json.loads(run("check", "--no-cache", "--format", "json", tree).out)
    table = json.loads(run("sections", "--no-cache", "--format", "json", tree).out)
    return (
        [(item["rule"], item["file"], item["line"]) for item in found["findings"]],
        [(row["file"], row["line"]) for row in table["sections"]],
    )


@pytest.mark.parametrize(
    ("directory", "real"),
    [
        ("mm", "mm-new"),
        ("mm", "common/mm"),
        ("mm", "tools/mm"),
        ("mm", ".mm"),
        ("arch/x86", "arch/x86-new"),
        ("arch/x86/include", "x86-include"),
        ("include", "headers"),
    ],
)
def test_a_directory_that_is_a_link_changes_nothing(run, linux, expected, directory, real):
    """Findings and sections are those of the tree without links, under the same names."""
    (linux / real).parent.mkdir(exist_ok=True)
    (linux / directory).rename(linux / real)
    (linux / directory).symlink_to(os.path.relpath(linux / real, (linux / directory).parent))
    if not expected:
        expected["old"] = places(run, OLD)
    assert places(run, linux) == expected["old"]


def test_links_back_and_forth_count_nothing_twice(run, linux, expected):
    """Circles end, and a second way to a file is no second file."""
    for name, target in {
        "mm/self": ".",
        "mm/up": "..",
        "fs/mm": "../mm",
        "mm/loop": "loop",
    }.items():
        (linux / name).symlink_to(target)
    if not expected:
        expected["old"] = places(run, OLD)
    assert places(run, linux) == expected["old"]


def test_a_tree_of_links_into_another_is_refused(run, tmp_path):
    """As `cp -rs` makes it; also where the files that say what it is were copied."""
    farm = tmp_path / "farm"
    shutil.copytree(OLD, farm, copy_function=os.symlink)
    done = run("check", "--no-cache", farm)
    assert done.code == 2
    assert "farm: `Kconfig` cannot be read: a link that leads out of the tree" in done.err
    for name in ("Kconfig", "Makefile"):
        (farm / name).unlink()
        shutil.copyfile(OLD / name, farm / name)
    done = run("check", "--no-cache", farm)
    assert done.code == 3
    assert "files are links that lead out of the tree, and not read\n" in done.err


def test_one_file_that_leads_out_is_not_clean(run, linux, tmp_path):
    """The sentence says so, the exit code is that of what could not be decided."""
    (linux / "mm/memory.c").rename(tmp_path / "memory.c")
    for path in linux.rglob("*.c"):
        path.unlink()
    (linux / "mm/memory.c").symlink_to(tmp_path / "memory.c")
    done = run("check", "--no-cache", "--arch", "x86", "--rule", "nested-section", linux)
    assert done.code == 3
    assert f"{linux}: 1 file is a link that leads out of the tree, and not read\n" in done.err


def test_a_folder_that_is_not_the_users_is_said_once_and_not_used(run, tmp_path):
    """The check goes on without it, and prints the same."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    plain = run("check", "--no-cache", "--arch", "x86", str(OLD))
    found = run("check", "--cache-dir", str(shared), "--arch", "x86", str(OLD), str(OLD))
    sentence = f"lazymmu: no cache is used: {shared} can be written by other users\n"
    assert found.err.count(sentence) == 1
    assert found.code == plain.code
    assert list(shared.iterdir()) == []
