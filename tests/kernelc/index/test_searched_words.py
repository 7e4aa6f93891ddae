# SPDX-License-Identifier: GPL-2.0-or-later
"""Words of a tree, each searched for once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.kernelc.index import searched_words
from lazymmu.kernelc.index.searched_words import SearchedWords
from lazymmu.kernelc.index.word_search import files_containing
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source.prefilter import prefilter

Grow = Callable[[dict[str, str | bytes]], Path]

FILES: dict[str, str | bytes] = {
    "include/linux/batch.h": "#define begin_all() arch_enter_lazy_mmu_mode()\n"
    "#define end_all() arch_leave_lazy_mmu_mode()\n",
    "mm/memory.c": "void f(void) { begin_all(); g(); end_all(); }\n",
    "mm/other.c": "void h(void) { begin_all(); end_all(); }\n",
}


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[bytes]]]:
    """How many files each pass reads, and for which words."""
    found: list[tuple[int, list[bytes]]] = []

    def counted(tree, needles, jobs, *, manifest, cache):
        if needles:
            found.append((len([f for f in manifest if f.endswith((".c", ".h"))]), [*needles]))
        return files_containing(tree, needles, jobs, manifest=manifest, cache=cache)

    monkeypatch.setattr(searched_words, "files_containing", counted)
    return found


def test_answers_are_those_of_a_search_of_its_own(grow: Grow, passes) -> None:
    """Whatever was asked before, and in which order; what is known is not searched for again."""
    tree = Tree.open(grow(FILES))
    search = SearchedWords(tree, 1, tree.manifest(), None)
    for words in (
        [b"begin_all"],
        [b"end_all", b"begin_all"],
        [b"absent"],
        [],
        [b"g();", b"absent"],
    ):
        assert search.files(words) == files_containing(tree, words)
    assert [words for _, words in passes] == [[b"begin_all"], [b"end_all"], [b"absent"], [b"g();"]]


def test_a_name_that_a_header_shows_costs_no_second_pass(grow: Grow, passes) -> None:
    """The headers are read twice, everything else once."""
    tree = Tree.open(grow(FILES))
    marks = prefilter(tree, 1, tree.manifest())
    assert marks.mode == ("include/linux/batch.h", "mm/memory.c", "mm/other.c")
    assert [count for count, _ in passes] == [1, 3]
    assert b"begin_all" in passes[1][1]


def test_a_name_that_another_file_shows_is_searched_for_afterwards(grow: Grow, passes) -> None:
    """Nothing is missed where the guess from headers was too small."""
    shown = "void begin_here(void) { arch_enter_lazy_mmu_mode(); }\n"
    tree = Tree.open(
        grow(
            {
                "mm/memory.c": shown,
                "mm/user.c": "void f(void) { begin_here(); arch_leave_lazy_mmu_mode(); }\n",
            }
        )
    )
    assert prefilter(tree, 1, tree.manifest()).mode == ("mm/memory.c", "mm/user.c")
    assert b"begin_here" in passes[-1][1]
