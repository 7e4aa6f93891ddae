# SPDX-License-Identifier: GPL-2.0-or-later
"""A check that is answered from the cache, and never for a content that was not seen."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot import beneath, program_state
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.finding import CheckResult
from lazymmu.witness.source import check as source

OLD = Path(__file__).parents[3] / "examples/linux-old"

FILE = "mm/memory.c"


@pytest.fixture(params=["just now", "long ago"])
def tree(request, tmp_path, monkeypatch):
    """A copy of the example; its files count as written just now, or as long ago."""
    monkeypatch.setattr(beneath, "_SETTLED", 10**18 if request.param == "just now" else -(10**18))
    shutil.copytree(OLD, tmp_path / "linux")
    return tmp_path / "linux"


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Check the tree; also whether it was looked at for that."""
    looked: list[object] = []
    true_look = source._analysed
    monkeypatch.setattr(source, "_analysed", lambda *asked: looked.append(1) or true_look(*asked))

    def asking(tree: Path | Tree) -> tuple[CheckResult, bool]:
        looked.clear()
        cache = tmp_path / "cache"
        result = lazymmu.check(tree, arches=["x86"], jobs=1, cache_dir=cache)
        return result, bool(looked)

    return asking


def put(path: Path, text: bytes, like: os.stat_result) -> None:
    """Write a file and give it the times of another."""
    path.write_bytes(text)
    os.utime(path, ns=(like.st_atime_ns, like.st_mtime_ns))


def test_an_unchanged_tree_is_answered_from_the_cache(tree, ask):
    """Also when it was written a moment ago."""
    first, looked = ask(tree)
    assert looked
    assert ask(tree) == (first, False)


def test_a_file_of_the_same_size_and_time_is_another_file(tree, ask):
    """`git archive | tar x`, `cp -p` and `touch -r` give a stranger's times."""
    good, _ = ask(tree)
    path = tree / FILE
    text, status = path.read_bytes(), path.stat()
    other = text.replace(b"arch_leave_lazy_mmu_mode", b"arch_steal_lazy_mmu_mode")
    assert len(other) == len(text)
    put(path, other, status)
    changed, looked = ask(tree)
    assert looked
    assert changed.findings != good.findings
    assert ask(tree) == (changed, False)
    put(path, text, status)
    assert ask(tree)[0] == good
    aside = path.with_name("aside")
    path.rename(aside)
    put(path, other, status)
    assert ask(tree)[0] == changed
    aside.replace(path)
    assert ask(tree)[0] == good


def test_a_directory_in_the_place_of_another_is_another(tree, ask):
    """With files of the same names, sizes and times."""
    good, _ = ask(tree)
    shutil.copytree(tree / "mm", tree / "mm2")
    path = tree / "mm2" / "memory.c"
    text = path.read_bytes().replace(b"arch_leave_lazy_mmu_mode", b"arch_steal_lazy_mmu_mode")
    put(path, text, path.stat())
    (tree / "mm").rename(tree.parent / "mm")
    (tree / "mm2").rename(tree / "mm")
    assert ask(tree)[0].findings != good.findings
    shutil.rmtree(tree / "mm")
    (tree.parent / "mm").rename(tree / "mm")
    assert ask(tree)[0] == good


def test_a_tree_that_changes_while_it_is_checked_is_not_kept(tree, ask, monkeypatch):
    """Nobody can tell which of its states the answer is about."""
    true_look = source._analysed

    def look(*asked):
        found = true_look(*asked)
        (tree / FILE).write_bytes((tree / FILE).read_bytes() + b"\n")
        return found

    monkeypatch.setattr(source, "_analysed", look)
    ask(tree)
    monkeypatch.setattr(source, "_analysed", true_look)
    text = (tree / FILE).read_bytes()
    first, _ = ask(tree)
    (tree / FILE).write_bytes(text)
    assert ask(tree)[0] == first


def test_a_tree_changed_in_memory_is_remembered_by_its_content(tree, ask):
    """Beside the tree as it lies on the disk, and not in place of it."""
    good, _ = ask(tree)
    text = (tree / FILE).read_bytes()
    other = {FILE: text.replace(b"arch_leave_lazy_mmu_mode", b"arch_steal_lazy_mmu_mode")}
    opened = Tree.open(tree)
    changed, looked = ask(opened.over(other))
    assert looked
    assert changed.findings != good.findings
    assert ask(opened.over(dict(other))) == (changed, False)
    assert ask(tree) == (good, False)
    assert ask(opened.over({FILE: text}))[0].findings == good.findings


def test_another_state_of_the_program_looks_for_itself(tree, ask, monkeypatch):
    """What an older one found may be what a newer one mends."""
    ask(tree)
    monkeypatch.setattr(program_state, "state", lambda: b"another")
    assert ask(tree)[1]


def test_the_state_of_the_program_is_that_of_its_content(tmp_path, monkeypatch):
    """A wheel that is installed again has the sizes and times of the one before."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/code.py").write_text("a = 1")
    status = (tmp_path / "in/code.py").stat()
    monkeypatch.setattr(program_state, "_PACKAGE", str(tmp_path))
    first = program_state.state.__wrapped__()
    assert program_state.state.__wrapped__() == first
    put(tmp_path / "in/code.py", b"a = 2", status)
    assert program_state.state.__wrapped__() != first
