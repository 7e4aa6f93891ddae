# SPDX-License-Identifier: GPL-2.0-or-later
"""Searching words in the files of a tree."""

from __future__ import annotations

import base64
import os
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lazymmu.kernelc.index.word_search import _KIND, _key, files_containing
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]


def test_files_are_found_by_the_words_in_them(grow: Grow) -> None:
    """Each file that has any of the words is listed with those that it has."""
    tree = Tree.open(
        grow(
            {
                "mm/one.c": "begin_batch(); end_batch();",
                "mm/two.c": "end_batch();",
                "mm/three.c": "nothing",
                "include/linux/four.h": "xbegin_batchx",
                "mm/Makefile": "begin_batch",
            },
        )
    )
    expected = {
        "include/linux/four.h": {b"begin_batch"},
        "mm/one.c": {b"begin_batch", b"end_batch"},
        "mm/two.c": {b"end_batch"},
    }
    words = [b"begin_batch", b"end_batch", b"", b"absent"]
    assert files_containing(tree, words, jobs=1) == expected
    assert files_containing(tree, words, jobs=3) == expected
    assert files_containing(tree, [], jobs=1) == {}


def test_a_word_at_the_end_of_a_large_file_is_found(grow: Grow) -> None:
    """Files longer than the buffer are read whole."""
    tree = Tree.open(grow({"mm/large.c": b" " * (3 << 20) + b"needle"}))
    assert files_containing(tree, [b"needle"]) == {"mm/large.c": {b"needle"}}


def test_a_file_that_vanished_is_a_loss(grow: Grow) -> None:
    """The rest is searched, and the loss is recorded."""
    tree = Tree.open(grow({"mm/one.c": "needle"}))
    manifest = {"mm/gone.c": (1, 1), **tree.manifest()}
    assert files_containing(tree, [b"needle"], manifest=manifest) == {"mm/one.c": {b"needle"}}
    assert [loss.file for loss in tree.losses] == ["mm/gone.c"]


def test_only_files_that_changed_are_read_again(grow: Grow, tmp_path: Path) -> None:
    """The cache answers for the rest, and for nothing that it cannot know."""
    root = grow({"mm/one.c": "needle", "mm/two.c": "needle", "mm/three.c": "thread"})
    for path in root.rglob("*.c"):
        os.utime(path, (1, 1))
    tree = Tree.open(root)
    with Cache(tmp_path / "cache") as cache:
        assert set(files_containing(tree, [b"needle"], cache=cache)) == {"mm/one.c", "mm/two.c"}
        (root / "mm/one.c").write_text("nothing")
        (root / "mm/two.c").write_text("thread")
        os.utime(root / "mm/two.c", (1, 1))  # as long as before and as old
        (root / "mm/three.c").write_text("a needle")
        assert set(files_containing(tree, [b"needle"], cache=cache)) == {"mm/three.c"}
        assert set(files_containing(tree, [b"thread"], cache=cache)) == {"mm/two.c"}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"mm/one.c": 1},
        {"paths": [1], "stamps": "", "hits": {}},
        {"paths": ["mm/one.c"], "stamps": "é", "hits": {}},
        {"paths": ["mm/one.c"], "stamps": "AAAA", "hits": {}},
        {"paths": ["mm/one.c"], "stamps": "A" * 64, "hits": []},
        {"paths": ["mm/one.c"], "stamps": "STAMP", "hits": {"mm/one.c": [1]}},
        {"paths": ["mm/one.c"], "stamps": "STAMP", "hits": {"mm/one.c": 0}},
    ],
)
def test_a_cache_that_holds_something_else_is_not_believed(
    grow: Grow, tmp_path: Path, value: Any
) -> None:
    """Hostile values are as good as none."""
    root = grow({"mm/one.c": "needle"})
    os.utime(root / "mm/one.c", (1, 1))
    tree = Tree.open(root)
    stamp = base64.b64encode(array("q", tree.stamp("mm/one.c")).tobytes()).decode()
    if isinstance(value, dict) and value.get("stamps") == "STAMP":
        value = {**value, "stamps": stamp}
    with Cache(tmp_path / "cache") as cache:
        cache.put(_KIND, _key(tree, [b"needle"]), value)
        assert files_containing(tree, [b"needle"], cache=cache) == {"mm/one.c": {b"needle"}}


def test_a_word_that_a_spliced_line_cuts_is_found(grow: Grow) -> None:
    """As the compiler reads it; what a macro continues is not joined."""
    tree = Tree.open(
        grow(
            {
                "mm/cut.c": "begin_\\\nbatch();",
                "mm/carriage.c": "beg\\\r\nin_batch();",
                "mm/apart.c": "#define x begin_\\\n\tbatch",
                "mm/start.c": "\\\nbegin_batch",
            }
        )
    )
    assert set(files_containing(tree, [b"begin_batch"])) == {
        "mm/carriage.c",
        "mm/cut.c",
        "mm/start.c",
    }
