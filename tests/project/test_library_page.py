# SPDX-License-Identifier: GPL-2.0-or-later
"""The page about the library says what is so: its examples run, its table is that of the code."""

from __future__ import annotations

import doctest
import json
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

import lazymmu

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs" / "library.rst"


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A directory with the examples, and a git tree that was just changed for the worse."""
    shutil.copytree(TOP / "examples", tmp_path / "examples")
    tree = tmp_path / "linux"
    shutil.copytree(TOP / "examples" / "linux-new", tree)

    def git(*words):
        names = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        return subprocess.run(
            ["git", *names, *words], cwd=tree, check=True, capture_output=True
        ).stdout

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "before")
    file = tree / "mm" / "right_loops.c"
    text = file.read_text()
    file.write_text(text.replace("lazy_mmu_mode_disable();", "/* gone */", 1))
    git("commit", "-qam", "after")
    (tmp_path / "change.patch").write_bytes(git("diff", "HEAD~1"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("workplace")
def test_the_examples_of_the_page_run():
    """Each prints what the page says."""
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 20) == (0, True)


def test_the_table_of_documents_has_every_schema_with_its_format():
    """A kind of document that is added is named there."""
    rows = re.findall(r"``(\w+/\w+\.schema\.json)``\s+(\d+)$", PAGE.read_text(), re.MULTILINE)
    told = {name: int(number) for name, number in rows}
    there = {
        f"{room.name}/{schema.name}": schema
        for room in files("lazymmu.report").iterdir()
        if room.is_dir()
        for schema in room.iterdir()
        if schema.name.endswith(".schema.json")
    }
    assert told.keys() == there.keys()
    for name, schema in there.items():
        formats = set(re.findall(r'"format": \{ "const": (\d+)', schema.read_text("utf-8")))
        json.loads(schema.read_text("utf-8"))
        assert formats == {str(told[name])}


def test_what_the_package_exports_is_on_the_page():
    """Requests, answers and verbs; and each can be had."""
    text = PAGE.read_text()
    for name in lazymmu.__all__:
        assert getattr(lazymmu, name) is not None
        assert name in dir(lazymmu)
        if not name.startswith("_"):
            assert f"lazymmu.{name}" in text
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        _ = lazymmu.chekc
