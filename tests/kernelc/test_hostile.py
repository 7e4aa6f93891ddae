# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees that are made to hang or break a reader: each is read, and what is lost is told.

None of these tests looks at a clock: without the bound that it is about, it would not end.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from lazymmu.kernelc import kconfig_text
from lazymmu.kernelc.condition import BeyondError, evaluate
from lazymmu.kernelc.cpp import Macros, select
from lazymmu.kernelc.headers import walk
from lazymmu.kernelc.initialisers import read_initialisers
from lazymmu.kernelc.kbuild import Kbuild
from lazymmu.kernelc.kconfig import Config, solve
from lazymmu.kernelc.names import survey
from lazymmu.kernelc.profile import Profile
from lazymmu.kernelc.tree import Tree
from lazymmu.kernelc.view import View

Grow = Callable[[dict[str, str | bytes]], Path]
TOY = Profile("toy", "a toy", "toy")
NOTHING = Config([], [], {})


def test_headers_that_include_each_other_twice(grow: Grow) -> None:
    """Two inclusions of itself in each inclusion are more than the universe has atoms."""
    twice = "#include <linux/a.h>\n#include <linux/b.h>\n"
    files = {"mm/x.c": twice, "include/linux/a.h": twice, "include/linux/b.h": twice}
    tree = Tree.open(grow(dict(files)))
    assert len(walk(tree, TOY, NOTHING, ["mm/x.c"]).files) == 2
    assert {loss.file for loss in tree.losses} == {"include/linux/a.h", "include/linux/b.h"}


def test_kconfig_files_that_include_each_other_twice(grow: Grow) -> None:
    """The same for `source`."""
    twice = 'source "a"\nsource "b"\nconfig X\n\tdef_bool y\n'
    tree = Tree.open(grow({"Kconfig": twice, "a": twice, "b": twice}))
    assert solve(tree, TOY).value("X") == "y"
    assert tree.losses


def test_makefiles_that_grow_without_end(grow: Grow) -> None:
    """Variables that double, objects made of themselves, and a file that includes itself."""
    doubling = "a := x.o y.o\n" + "a := $(a) $(a)\n" * 60
    members = "".join(f"m{n}-y := m{n + 1}.o m{n + 1}.o\n" for n in range(60))
    text = f"{doubling}{members}obj-y := m0.o $(a)\nm60-y := m0.o\n" + "include Kbuild\n" * 60
    kbuild = Kbuild(Tree.open(grow({"Kbuild": text, "x.c": "", "m60.c": ""})), NOTHING)
    assert kbuild.conditions("x.c") == ()
    assert kbuild.conditions("m60.c") == ()


@pytest.mark.parametrize("text", ["$(" * 4000, "(" * 4000, "$(if " * 2000 + ")" * 2000])
def test_brackets_without_end(grow: Grow, text: str) -> None:
    """Nesting beyond all depth says nothing, in Makefiles, Kconfig files and conditions."""
    kbuild = Kbuild(
        Tree.open(grow({"Kbuild": f"obj-y := {text}\nobj-y += a.o\n", "a.c": ""})), NOTHING
    )
    assert kbuild.conditions("a.c") == ()
    assert kconfig_text.condition(text) in ("n", "y", "")
    with pytest.raises(BeyondError) if text[0] == "(" else nullcontext():
        assert evaluate(text, Macros()) == (False, ())
    assert kconfig_text.parse(f"config A\n\tdepends on {text}\n\tbool\n").items


def test_macros_that_grow_without_end() -> None:
    """A condition whose macros double has no value."""
    table = Macros({f"A{n}": f"A{n + 1} + A{n + 1}" for n in range(60)})
    with pytest.raises(BeyondError):
        evaluate("A0", table)


@pytest.mark.parametrize(
    "text",
    [
        b"word\n" * 400_000,
        b"word (\n" * 200_000,
        b"/*\nword\n" * 100_000,
        b"static struct a b __x" + b"__a" * 60_000 + b" c = {\n",
        b"struct a b = { .c = {\n" * 4_000,
        b"#if 1\n" * 200_000,
        b"#define A \\\n" * 200_000,
        b"\x00\xff\n" * 200_000,
    ],
    ids=["words", "calls", "comments", "attributes", "braces", "ifs", "defines", "junk"],
)
def test_files_that_are_no_c(text: bytes) -> None:
    """Megabytes of one thing are read in the time that their length takes."""
    survey(text, header=False)
    assert len(select(text, Macros())) == len(text)
    assert sum(1 for _ in read_initialisers("a.c", text[:200_000])) >= 0


def test_a_view_of_a_tree_of_junk(grow: Grow) -> None:
    """Junk wherever a view looks: nothing is found, and nothing breaks."""
    junk = bytes(range(256)) * 64
    names = [
        "Kconfig",
        "Kbuild",
        "mm/Makefile",
        "mm/a.c",
        "include/linux/kconfig.h",
        ".clang-format",
    ]
    view = View(Tree.open(grow(dict.fromkeys(names, junk))), TOY)
    assert view.definitions("main", "mm/a.c") == ()
    assert view.initialisers() == ()
    assert view.functions("mm/a.c") == ()
