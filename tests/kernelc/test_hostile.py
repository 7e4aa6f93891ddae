# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees that are made to hang or break a reader: each is read, and what is lost is told.

None of these tests looks at a clock: without the bound that it is about, it would not end.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config import kconfig_parser
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.kernelc.config.kconfig_expressions import parse_expression
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.index.name_scan import scan_names
from lazymmu.kernelc.parse.ops_tables import read_initialisers
from lazymmu.kernelc.preprocess.if_bounds import BeyondError
from lazymmu.kernelc.preprocess.if_expression import evaluate
from lazymmu.kernelc.preprocess.macros import Macros
from lazymmu.snapshot.tree import Tree

from .seen import left, selection, walked

Grow = Callable[[dict[str, str | bytes]], Path]
TOY = Profile("toy", "a toy", "toy")
NOTHING = Config([], [], {})


def test_headers_that_include_each_other_twice(grow: Grow) -> None:
    """Two inclusions of itself in each inclusion are more than the universe has atoms."""
    twice = "#include <linux/a.h>\n#include <linux/b.h>\n"
    files = {"mm/x.c": twice, "include/linux/a.h": twice, "include/linux/b.h": twice}
    tree = Tree.open(grow(dict(files)))
    assert len(walked(tree, TOY, NOTHING, ["mm/x.c"]).files) == 2
    assert {loss.file for loss in tree.losses} == {"include/linux/a.h", "include/linux/b.h"}


def test_kconfig_files_that_include_each_other_twice(grow: Grow) -> None:
    """Kconfig files that source each other twice at each step are read to a bound and named."""
    twice = 'source "a"\nsource "b"\nconfig X\n\tdef_bool y\n'
    tree = Tree.open(grow({"Kconfig": twice, "a": twice, "b": twice}))
    assert solve(tree, TOY).value("X") == "y"
    assert tree.losses


def test_a_kconfig_file_that_includes_itself_without_end(grow: Grow) -> None:
    """Sixty times as often as it has lines is too often."""
    tree = Tree.open(grow({"Kconfig": "config X\n\tdef_bool y\n" + 'source "Kconfig"\n' * 50_000}))
    assert solve(tree, TOY).value("X") == "y"
    assert losses(tree) == {"Kconfig files include each other in a circle"}


def test_symbols_that_all_ask_for_a_long_one(grow: Grow) -> None:
    """Each of thousands asks a number with thousands of defaults, or sits in one choice."""
    long = "config N\n\tint\n" + "".join(f"\tdefault {n} if X{n}\n" for n in range(10_000))
    asking = "config R\n\tbool\n" + "\tdefault y if N > 3\n" * 5_000
    choice = "".join(f'config C{n}\n\tbool "{n}"\n' for n in range(10_000))
    for text in (long + asking, f'choice\n\tprompt "c"\n{choice}endchoice\n'):
        tree = Tree.open(grow({"Kconfig": text}))
        solve(tree, TOY)
        assert losses(tree) == {"its symbols are too much to be settled"}


def test_makefiles_that_grow_without_end(grow: Grow) -> None:
    """Variables that double, objects made of themselves, and a file that includes itself."""
    doubling = "a := x.o y.o\n" + "a := $(a) $(a)\n" * 60
    members = "".join(f"m{n}-y := m{n + 1}.o m{n + 1}.o\n" for n in range(60))
    text = f"{doubling}{members}obj-y := m0.o $(a)\nm60-y := m0.o\n" + "include Kbuild\n" * 60
    kbuild = Kbuild(Tree.open(grow({"Kbuild": text, "x.c": "", "m60.c": ""})), NOTHING)
    assert kbuild.presence("x.c") == ()
    assert kbuild.presence("m60.c") == ()


@pytest.mark.parametrize("text", ["$(" * 4000, "(" * 4000, "$(if " * 2000 + ")" * 2000])
def test_brackets_without_end(grow: Grow, text: str) -> None:
    """Nesting beyond all depth says nothing, in Makefiles, Kconfig files and conditions."""
    kbuild = Kbuild(
        Tree.open(grow({"Kbuild": f"obj-y := {text}\nobj-y += a.o\n", "a.c": ""})), NOTHING
    )
    assert kbuild.presence("a.c") == ()
    assert parse_expression(text) in ("n", "y", "")
    with pytest.raises(BeyondError) if text[0] == "(" else nullcontext():
        assert evaluate(text, Macros()) == (False, ())
    assert kconfig_parser.parse(f"config A\n\tdepends on {text}\n\tbool\n").items


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
    scan_names(text, header=False)
    assert all(end <= len(text) for _, end in selection(text, Macros()).dead)
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
    view = ConfiguredTree(Tree.open(grow(dict.fromkeys(names, junk))), TOY)
    assert view.definitions("main", "mm/a.c") == ()
    assert view.initialisers() == ()
    assert view.functions("mm/a.c") == ()


def losses(tree: Tree) -> set[str]:
    """Why something of a tree is lost."""
    return {loss.reason for loss in tree.losses}


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"if A{n}\n" for n in range(20_000)) + "config Q\n\tbool\n",
        'menu "m"\n\tdepends on A\n\tvisible if B\n' * 20_000,
        "config Q\n\tbool\n" + "".join(f"\tdepends on A{n}\n" for n in range(20_000)),
        "config Q\n\tbool\n\tdepends on " + " \\\n&& ".join(f"A{n}" for n in range(20_000)) + "\n",
        "config Q\n\tbool\n\tdepends on " + "(" * 5000 + "A" + ")" * 5000 + "\n",
        "config Q\n\tbool\n\tdepends on " + "!" * 5000 + "A\n",
    ],
    ids=["ifs", "menus", "depends", "continued", "parentheses", "nots"],
)
def test_a_kconfig_file_beyond_a_bound_is_a_loss(grow: Grow, text: str) -> None:
    """What is beyond it never holds, and the rest of the tree's symbols are what they are."""
    tree = Tree.open(grow({"Kconfig": 'source "a"\nconfig R\n\tdef_bool y\n', "a": text}))
    config = solve(tree, TOY)
    assert config.value("R") == "y"
    assert config.value("Q") == "n"
    assert {loss.file for loss in tree.losses} == {"a"}


def test_numbers_of_thousands_of_digits_are_no_numbers(grow: Grow) -> None:
    """In Kconfig, in #if and in a Makefile that asks for one."""
    text = f"config N\n\thex\n\tdefault 0x{'9' * 5000}\nconfig M\n\tint\n\tdefault {'9' * 5000}\n"
    tree = Tree.open(grow({"Kconfig": text + "config R\n\tbool\n\tdefault y if N > M\n"}))
    config = solve(tree, TOY)
    assert (config.number("N"), config.number("M")) == (None, None)
    assert evaluate("9" * 5000 + " > 1", Macros()) == (False, ())
    assert evaluate("1 << 1000000000000", Macros())[0] in (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "a := x\n" + "a := $(a)$(a)\n" * 60 + "obj-y += $(a).o\n",
        "a := bbbb\n" + "a := $(subst b,bb,$(a))\n" * 60,
        "a := " + "%b.o " * 4000 + "\nb := " + "c.o " * 4000 + "\nobj-y += $(filter $(a),$(b))\n",
        "a = " + "b " * 4000 + "\nc = $(a:b=" + "x" * 400 + ")\nobj-y += $(c)\n",
        "ifeq (" + "$(if a," * 3000 + "b" + ")" * 3000 + ",b)\nendif\n",
    ],
    ids=["joined", "replaced", "filtered", "late", "nested"],
)
def test_a_line_of_a_makefile_that_is_too_much_is_a_loss(grow: Grow, text: str) -> None:
    """The other lines of the file count."""
    tree = Tree.open(grow({"Kbuild": f"{text}obj-y += a.o\n", "a.c": ""}))
    assert Kbuild(tree, NOTHING).presence("a.c") == ()
    assert losses(tree) & {
        "a line that expands to too much",
        "puts together a word without end",
        "references nested more than 100 deep",
    }


def test_a_line_that_looks_like_a_rule_without_end(grow: Grow) -> None:
    """It takes time as long as the line."""
    text = "%" * 200_000 + "\n" + "%.o" * 100_000 + "\nobj-y += a.o\n"
    tree = Tree.open(grow({"Kbuild": text, "a.c": ""}))
    assert Kbuild(tree, NOTHING).presence("a.c") == ()


def test_objects_made_of_objects_by_each_set_of_symbols(grow: Grow) -> None:
    """Sixty choices between two ways are more than anybody can list."""
    parts = "".join(f"m{n}-y := m{n + 1}.o\nm{n}-$(CONFIG_F{n}) += m{n + 1}.o\n" for n in range(60))
    tree = Tree.open(grow({"Kbuild": f"obj-y := m0.o\n{parts}"}))
    Kbuild(tree, Config([], [f"F{n}" for n in range(60)], {}))
    assert losses(tree) == {"`m0.o` is made of too many objects, or is one of too many"}


def test_an_object_of_thousands_that_is_listed_thousands_of_times(grow: Grow) -> None:
    """It is looked at once for each set of conditions that it is listed under."""
    members = "".join(f" o{n}.o" for n in range(4_000))
    text = f"m-y :={members}\nobj-y :={' m.o' * 4_000}\n"
    tree = Tree.open(grow({"Kbuild": text, "o3999.c": ""}))
    assert Kbuild(tree, NOTHING).presence("o3999.c") == ()
    assert losses(tree) == set()


def test_rules_without_end(grow: Grow) -> None:
    """Rules that make objects from others, for each of which every object is looked at."""
    rules = "".join(f"a{n}%.o: b{n}%.o\n" for n in range(5_000))
    tree = Tree.open(grow({"Kbuild": f"{rules}obj-y := a.o\n", "a.c": ""}))
    assert Kbuild(tree, NOTHING).presence("a.c") == ()
    assert losses(tree) == {"makes objects by too many rules"}


@pytest.mark.parametrize(
    "text",
    [
        "#if " + " + ".join(["1"] * 100_000) + "\n#endif\n",
        "".join(f"#define B{n}(x) B{n + 1}(x) + B{n + 1}(x x)\n" for n in range(30))
        + "#if B0(1)\n#endif\n" * 50,
        "#define F(x) x\n#if " + "F(" * 3000 + "1" + ")" * 3000 + "\n#endif\n",
    ],
    ids=["long", "growing", "nested"],
)
def test_a_condition_that_is_too_much_is_a_loss(grow: Grow, text: str) -> None:
    """Nobody knows whether it holds; that is said once for the file."""
    files = {"mm/x.c": "#include <linux/a.h>\n", "include/linux/a.h": f"{text}#define Z 1\n"}
    tree = Tree.open(grow(dict(files)))
    assert walked(tree, TOY, NOTHING, ["mm/x.c"]).macros.get("Z") is not None
    assert [(loss.file, loss.reason) for loss in tree.losses] == [
        ("include/linux/a.h", "a condition of #if that is too much to be evaluated")
    ]


def test_a_header_that_includes_itself_without_end(grow: Grow) -> None:
    """It is lost, and the header behind it is read."""
    tree = Tree.open(
        grow(
            {
                "mm/x.c": "#include <linux/a.h>\n#include <linux/b.h>\n",
                "include/linux/a.h": "#include <linux/a.h>\n" * 20_000,
                "include/linux/b.h": "#define Z 1\n",
            }
        )
    )
    assert walked(tree, TOY, NOTHING, ["mm/x.c"]).macros.get("Z") is not None
    assert {loss.file for loss in tree.losses} == {"include/linux/a.h"}


def test_a_directive_in_a_comment_that_another_opened_is_none() -> None:
    """`#define A /*` goes on to the end of its comment."""
    text = b"#define A /* one\n#if 0\n*/\nint a;\n"
    assert left(text, selection(text, Macros())) == [b"int", b"a;"]


def test_a_hundred_thousand_functions_in_one_file(grow: Grow) -> None:
    """Each has its line, whether it stands on one line or has no end."""
    count = 100_000
    text = "".join(f"static void f{n}(void) {{ g(); }}\n" for n in range(count))
    view = ConfiguredTree(Tree.open(grow({"mm/Makefile": "obj-y := a.o\n", "mm/a.c": text})), TOY)
    assert [d.first_line for d in view.functions("mm/a.c")] == list(range(1, count + 1))
