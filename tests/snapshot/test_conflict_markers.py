# SPDX-License-Identifier: GPL-2.0-or-later
"""What a merge that nobody resolved leaves unreadable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.program import Program
from lazymmu.snapshot.conflict_markers import CONFLICT, conflicts, touches
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]
TOY = Profile("toy", "a toy", "toy")
BOTH = "<<<<<<< HEAD\n{0}=======\n{1}>>>>>>> theirs\n"


def lines(text: str) -> list[str]:
    """The spans of a text, as text."""
    return [text[first:last] for first, last in conflicts(text.encode())]


def test_a_conflict_goes_from_its_first_mark_to_the_end_of_its_last() -> None:
    """With or without the common ancestor."""
    plain = BOTH.format("a\n", "b\n")
    assert lines(f"x\n{plain}y\n") == [plain]
    diff3 = plain.replace("=======\n", "||||||| base\nc\n=======\n")
    assert lines(f"{diff3}y\n{plain}") == [diff3, plain]


def test_a_mark_without_its_partner_counts_too() -> None:
    """A first one leads to the end, others are one line, or reach back to the middle."""
    assert lines("x\n<<<<<<< a\ny\nz") == ["<<<<<<< a\ny\nz"]
    assert lines("x\n=======\ny\n") == ["=======\n"]
    assert lines("x\n>>>>>>> b") == [">>>>>>> b"]
    assert touches(conflicts(b"a\n=======\nb\n>>>>>>> c\nd\n"), 11, 12)


def test_what_only_looks_like_a_mark_is_none() -> None:
    """A shift, a ruler in a comment, an indented mark, eight of them."""
    assert lines(" <<<<<<< a\n========\n * =======\na = b <<<<<<< c\n<<<<<<<a\n") == []


def test_a_conflict_about_conditions_decides_about_all_behind_it() -> None:
    """Nobody can tell which #endif belongs to which #if."""
    text = BOTH.format("#ifdef A\n", "#ifdef B\n") + "int x;\n#endif\n"
    assert lines(text) == [text]


@given(st.lists(st.sampled_from(["<<<<<<< a", "=======", ">>>>>>> b", "||||||| c", "x", "#if 1"])))
def test_spans_hold_every_mark(parts: list[str]) -> None:
    """Whatever the order, each mark lies in a span, and a text without marks has none."""
    text = "".join(f"{part}\n" for part in parts).encode()
    spans = conflicts(text)
    at = 0
    for part in parts:
        if part[0] in "<=>|":
            assert touches(spans, at, at + len(part))
        at += len(part) + 1
    assert bool(spans) == any(part[0] in "<=>|" for part in parts)


def test_a_definition_in_conflict_is_not_read(grow: Grow) -> None:
    """Inside of a function or around it; its neighbours are read as ever."""
    inside = "static void f(void)\n{\n" + BOTH.format("\ta();\n", "\tb();\n") + "}\n"
    around = BOTH.format("static void g(void)\n{\n}\n", "static void g(int a)\n{\n}\n")
    whole = "static void h(void)\n{\n\tc();\n}\n"
    tree = Tree.open(grow({"mm/Makefile": "obj-y := a.o\n", "mm/a.c": inside + whole + around}))
    view = ConfiguredTree(tree, TOY)
    program = Program(view)
    read = {d.name: program.function(d).broken for d in view.functions("mm/a.c")}
    assert read == {"f": CONFLICT, "h": "", "g": CONFLICT}
    assert {why for _, why in program.unparsed.values()} == {CONFLICT}
    assert ("mm/a.c", CONFLICT) in {(loss.file, loss.reason) for loss in tree.losses}


def test_a_conflict_in_what_configures_is_a_loss(grow: Grow) -> None:
    """In Kconfig files, Makefiles and headers."""
    marks = BOTH.format("", "")
    files = {"Kconfig": marks, "Kbuild": marks, "include/linux/a.h": marks}
    tree = Tree.open(grow({**files, "mm/Makefile": "obj-y := a.o\n"}))
    solve(tree, TOY)
    Kbuild(tree, Config([], [], {}))
    ConfiguredTree(tree, TOY, Config([], [], {})).headers.enter("include/linux/a.h")
    assert {loss.file for loss in tree.losses if loss.reason == CONFLICT} == set(files)
