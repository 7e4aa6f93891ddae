# SPDX-License-Identifier: GPL-2.0-or-later
"""One Makefile, carried out as GNU make carries it out, and with both sides of what is open."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lazymmu.kernelc.config.makefile import Makefile, Setting
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]

VALUES = {"ON": "y", "FREE": "free", "EITHER": "either", "OTHER": "either"}


def carried_out(grow: Grow, text: str, more: dict[str, str] | None = None) -> Makefile:
    """A Makefile of mm/ with this text, carried out."""
    files: dict[str, str | bytes] = {"mm/Makefile": text, **(more or {})}
    tree = Tree.open(grow(files))
    makefile = Makefile(Setting(tree, lambda name: VALUES.get(name, "n"), lambda _: None), "mm")
    makefile.read("mm/Makefile")
    return makefile


def words(grow: Grow, text: str, name: str = "obj-y") -> list[tuple[str, tuple[str, ...]]]:
    """The words of one list of that Makefile, with their presence conditions."""
    return carried_out(grow, text).words(name)


LATER = "sources = a $(more)\nmore := b\nsources += c\nobj-y := $(addsuffix .o,$(sources))\n"
LINES = (
    LATER,
    "obj-y := $(foreach x,a b,$(foreach y,1 2,$x$(y).o)) $(x)\n",
    "named = $(1)_$(2).o $(0)\nobj-y := $(call named,a,b) $(call named,$(1),c) $(1)\n",
    "define two\nobj-y += $(1)_first.o\nobj-y += $(1)_$$(last).o\nendef\nlast := z\n"
    "$(eval $(call two,a))\n$(eval obj-y += plain.o)\n",
    "define two\nobj-y += a.o\nendef # of two\n$(eval $(two))\nobj-y += b.o\n",
    "define two\nobj-y += a.o # no endef\nendef\n$(eval $(two))\nobj-y += b.o\n",
    "obj-y += $(late) a.o\nlate := x.o\n",
    "obj-y := $(word 2,a b c) $(words a b c) $(firstword a b) $(lastword a b)\n"
    "obj-y += $(wordlist 2,3,a b c) $(subst :, ,a:b) x$(subst a,b c,xaa)y\n",
    "obj-y := $(dir src/a.c b.c) $(notdir src/a.c b) $(basename src/a.c b) $(suffix src/a.c b)\n",
    "obj-y := $(join a b,.o .x) $(if $(no),a,b,c) $(or $(no),d) $(and x,$(no)) $(and x,y)\n",
    "a.b := no\nobj-y := $(origin obj-y) $(if $(filter undefined,$(origin nope)),right)\n",
    "v ?= first\nv ?= second\nobj-y := $(v)\n",
    "obj-y := $(patsubst %.c,%.o,a.c b.h) $(list:.c=.o) $(filter-out b%,a b bc)\nlist := late.c\n",
    "list = x.c y.c\nobj-y := $(list:%.c=%.o) $(subst x,z,$(list)) $(findstring x,$(list))\n",
    "ifeq (a,b)\nobj-y := 1\nelse ifeq (a,a)\nobj-y := 2\nelse\nobj-y := 3\nendif\n",
    "ifdef nope\nobj-y := 1\nelse\nifneq ($(strip  a  b ),a b)\nobj-y := 2\nelse\nobj-y := 3\n"
    "endif\nendif\n",
    "some := a\nifdef some\nobj-y += 1\nendif\nifndef some\nobj-y += 2\nendif\n",
    "obj-$(CONFIG_ON) += on.o\nobj-$(CONFIG_OFF) += off.o\nobj-$(if $(CONFIG_OFF),,y) += not.o\n",
    "obj-y := a.o \\\n\tb.o \\\n  c.o # d.o\n",
    "a = $(b)\nifdef a\nobj-y += a\nendif\nb :=\nifdef b\nobj-y += b\nendif\n",
    "a := $(b)\nb := late\nc = $(b)\nobj-y := x$(a)y $(c)\n",
)


def by_make(folder: Path, text: str, *given: str) -> list[str] | None:
    """What GNU make has in obj-y at the end of this text, behind what Kbuild begins with.

    None when it refuses the text: a variable that names itself, say.
    """
    path = folder / "Makefile.test"
    path.write_text(f"obj-y :=\n{text}\n$(info $(obj-y))\nall:;@:\n")
    done = subprocess.run(
        ["make", "-rR", "-s", "-f", str(path), "CONFIG_ON=y", *given],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
    )
    return done.stdout.split() if done.returncode == 0 else None


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs GNU make")


@needs_make
@pytest.mark.parametrize("text", LINES)
def test_make_comes_to_the_same(grow: Grow, tmp_path: Path, text: str) -> None:
    """Functions, defines, late and early variables and conditionals are those of GNU make."""
    assert [word for word, _ in words(grow, text)] == by_make(tmp_path, text)


_NAME = st.sampled_from(["a", "b", "obj-y"])
_WORD = st.sampled_from(
    ["x.o", "y.o", "$(strip $(a))", "$(strip $(b))", "$(CONFIG_ON)", "$(CONFIG_OFF)"]
)
_VALUE = st.lists(_WORD | st.sampled_from(["$(a)", "$(b)", "p$(a)", "$(a:.o=.c)"]), max_size=3).map(
    " ".join
)
_ASSIGNMENT = st.builds("{} {} {}".format, _NAME, st.sampled_from([":=", "+=", "?="]), _VALUE)
_TEST = st.one_of(
    st.builds("ifeq ({},{})".format, _WORD, _WORD),
    st.builds("ifneq ({},)".format, _WORD),
    st.builds("ifdef {}".format, _NAME),
    st.builds("ifndef {}".format, _NAME),
)
_LINES = st.recursive(
    _ASSIGNMENT,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("\n".join),
        st.builds("{}\n{}\nendif".format, _TEST, inner),
        st.builds("{}\n{}\nelse\n{}\nendif".format, _TEST, inner, inner),
        st.builds("{}\n{}\nelse {}\n{}\nendif".format, _TEST, inner, _TEST, inner),
    ),
    max_leaves=12,
)


@needs_make
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=_LINES)
def test_make_comes_to_the_same_on_any_lines(tmp_path: Path, text: str) -> None:
    """Assignments and conditionals in any order and depth."""
    # A value of blanks alone is defined to make, and empty to us: between two words that are none.
    assume(not ("def " in text and re.search(r"\) +\$\(", text)))
    expected = by_make(tmp_path, text)
    assume(expected is not None)
    (tmp_path / "Makefile").write_text(f"{text}\n")
    setting = Setting(Tree(tmp_path, "0"), lambda name: VALUES.get(name, "n"), lambda _: None)
    makefile = Makefile(setting, "")
    makefile.read("Makefile")
    assert [word for word, _ in makefile.words("obj-y")] == expected


def test_an_open_test_is_read_on_both_sides(grow: Grow) -> None:
    """A member of a choice is on in its branch and off in the other, and both say so."""
    text = (
        "ifdef CONFIG_EITHER\nobj-y += a.o\nelse\nobj-y += b.o\nendif\nobj-$(CONFIG_OTHER) += c.o\n"
    )
    assert words(grow, text) == [
        ("a.o", ("CONFIG_EITHER",)),
        ("b.o", ("!CONFIG_EITHER",)),
        ("c.o", ("CONFIG_OTHER",)),
    ]


def test_what_both_sides_assign_is_there_twice(grow: Grow) -> None:
    """A variable of an open test is each of its values, also inside of a word and in a test."""
    text = (
        "ifeq ($(CONFIG_EITHER),y)\nbits := 64\nelse\nbits := 32\nendif\nobj-y := init_$(bits).o\n"
        "ifeq ($(bits),64)\nobj-y += wide.o\nelse\nobj-y += narrow.o\nendif\n"
    )
    assert words(grow, text) == [
        ("init_64.o", ("CONFIG_EITHER",)),
        ("init_32.o", ("!CONFIG_EITHER",)),
        ("wide.o", ("CONFIG_EITHER",)),
        ("narrow.o", ("!CONFIG_EITHER",)),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v := z.o\nifdef A\nv := x.o\nendif", [("z.o", ("!A",)), ("x.o", ("A",))]),
        ("v := z.o\nifndef A\nv := x.o\nendif", [("z.o", ("A",)), ("x.o", ("!A",))]),
        ("ifndef A\nv := x.o\nelse\nv := y.o\nendif", [("x.o", ("!A",)), ("y.o", ("A",))]),
        ("v = z.o\nifdef A\nv = x.o\nendif", [("z.o", ("!A",)), ("x.o", ("A",))]),
        ("ifdef A\nv := x.o\nendif\nv ?= y.o", [("x.o", ("A",)), ("y.o", ("!A",))]),
        ("v := z.o\nifdef A\nv := x.o\nendif\nv := y.o", [("y.o", ())]),
        (
            "v := z.o\nifdef A\nifdef B\nv := x.o\nendif\nendif",
            [("z.o", ("!A || !B",)), ("x.o", ("A", "B"))],
        ),
    ],
)
@pytest.mark.parametrize("last", ["obj-y := $(v)\n", "obj-y += $(v)\n"])
def test_a_value_stays_where_the_line_that_changes_it_is_not_read(
    grow: Grow, text: str, expected: list[tuple[str, tuple[str, ...]]], last: str
) -> None:
    """The words of before stand beside the new ones, under the opposite of their condition."""
    named = {"A": "CONFIG_EITHER", "B": "CONFIG_OTHER"}

    def real(spelled: str) -> str:
        return re.sub(r"\b[AB]\b", lambda found: named[found[0]], spelled)

    wanted = [(word, tuple(map(real, presence))) for word, presence in expected]
    assert words(grow, real(f"{text}\n{last}")) == wanted


def test_a_value_stays_where_a_free_symbol_is_off(grow: Grow) -> None:
    """A symbol that somebody may turn on or off does not take the words of before away."""
    text = "obj-y := z.o\nifdef CONFIG_FREE\nobj-y := x.o\nendif\n"
    assert words(grow, text) == [("z.o", ("!CONFIG_FREE",)), ("x.o", ("CONFIG_FREE",))]


_OPEN_LINES = st.recursive(
    st.builds(
        "{} {} {}".format,
        _NAME,
        st.sampled_from([":=", "=", "+=", "?="]),
        st.sampled_from(["x.o", "y.o", "x.o z.o", ""]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("\n".join),
        st.builds(
            "{}\n{}\nelse\n{}\nendif".format,
            st.sampled_from(
                ["ifdef CONFIG_EITHER", "ifndef CONFIG_OTHER", "ifeq ($(CONFIG_OTHER),y)"]
            ),
            inner,
            inner,
        ),
        st.builds("ifdef CONFIG_EITHER\n{}\nendif".format, inner),
    ),
    max_leaves=8,
)


@needs_make
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=_OPEN_LINES)
def test_make_comes_to_the_same_for_each_choice(tmp_path: Path, text: str) -> None:
    """Of the words of an open test, those whose condition holds are what GNU make has."""
    text = f"obj-y :=\n{text}\nobj-y += $(a)\n"
    (tmp_path / "Makefile").write_text(text)
    setting = Setting(Tree(tmp_path, "0"), lambda name: VALUES.get(name, "n"), lambda _: None)
    makefile = Makefile(setting, "")
    makefile.read("Makefile")
    found = makefile.words("obj-y")
    for on in ((), ("EITHER",), ("OTHER",), ("EITHER", "OTHER")):
        chosen = {f"CONFIG_{name}" for name in on}
        assert [word for word, own in found if _holds(own, chosen)] == by_make(
            tmp_path, text, *(f"{name}=y" for name in chosen)
        )


def _holds(presence: tuple[str, ...], chosen: set[str]) -> bool:
    return all(
        any((name.lstrip("!") in chosen) != name.startswith("!") for name in clause.split(" || "))
        for clause in presence
    )


def test_an_open_word_that_is_compared_with_another_decides(grow: Grow) -> None:
    """A test that holds on neither side of an open word does not hold, whatever is chosen."""
    text = (
        "ifeq ($(CONFIG_EITHER),y)\nbits := 64\nelse\nbits := 32\nendif\n"
        "ifeq ($(bits),16)\nobj-y += never.o\nelse\nobj-y += always.o\nendif\n"
        "ifneq ($(bits),16)\nobj-y += sure.o\nendif\n"
    )
    assert words(grow, text) == [("always.o", ()), ("sure.o", ())]


@pytest.mark.parametrize(
    "test",
    [
        "ifeq ($(shell uname -m),x86_64)",
        "ifneq ($(unknown-function x),)",
        "ifeq ($(call no-such-define,x),y)",
        "answer := $(shell true)\nifdef answer",
        "answer := $(shell true)\nifeq ($(words $(answer)),1)",
        "answer := $(shell true)\nifneq ($(filter y,$(answer)),)",
    ],
)
def test_a_test_that_cannot_be_evaluated_takes_both_sides(grow: Grow, test: str) -> None:
    """Neither branch is dropped, and both carry the place."""
    found = dict(words(grow, f"{test}\nobj-y += a.o\nelse\nobj-y += b.o\nendif\nobj-y += c.o\n"))
    assert [word for word, presence in found.items() if presence] == ["a.o", "b.o"]
    for word in ("a.o", "b.o"):
        assert all(
            clause.startswith("mm/Makefile:") and clause.endswith(" (not evaluated)")
            for clause in found[word]
        )
    assert found["c.o"] == ()


def test_a_list_named_by_a_shell_is_read_as_built(grow: Grow) -> None:
    """`obj-$(shell ...)` may be obj-y: what it lists counts, with the place."""
    ((word, presence),) = words(grow, "\nobj-$(shell echo y) += a.o\n")
    assert (word, presence) == ("a.o", ("mm/Makefile:2 (not evaluated)",))


def test_tests_of_the_compiler_succeed(grow: Grow) -> None:
    """As with a current GCC; a compiler is not asked."""
    text = (
        "obj-$(call cc-option-yn,-m32) += a.o\nflags := $(call cc-option,-x,-y)\n"
        "ifneq ($(flags),-x)\nobj-y += b.o\nendif\n$(call as-instr,nop,obj-y += c.o)\n"
    )
    assert words(grow, text) == [("a.o", ())]


def test_wildcards_are_answered_by_the_tree(grow: Grow) -> None:
    """Also in a directory that `$(src)` names; nothing outside of the tree is listed."""
    makefile = carried_out(
        grow,
        "obj-y := $(patsubst $(src)/%.c,%.o,$(wildcard $(src)/a*.c))\n"
        "out-y := $(wildcard ../../../*) $(wildcard /etc/*)\n"
        "top-y := $(notdir $(wildcard $(srctree)/mm/a*.c $(srctree)/mm/b.c $(srctree)/mm/c.c))\n"
        "in-y := $(if $(wildcard $(srctree)/mm/),there) $(if $(wildcard $(srctree)/no/),no)\n",
        {"mm/a1.c": "", "mm/a2.c": "", "mm/b.c": ""},
    )
    assert makefile.words("obj-y") == [("a1.o", ()), ("a2.o", ())]
    assert makefile.words("out-y") == []
    assert makefile.words("top-y") == [("a1.c", ()), ("a2.c", ()), ("b.c", ())]
    assert makefile.words("in-y") == [("there", ())]


def test_a_missing_include_is_a_loss(grow: Grow) -> None:
    """Unless the line can do without, or the build makes the file."""
    makefile = carried_out(
        grow,
        "include $(srctree)/mm/gone\n-include $(srctree)/mm/may\n"
        "include include/config/auto.conf\ninclude arch/toy/include/generated/asm-offsets.mk\n"
        "include mm/.a.o.cmd\n",
    )
    assert [(loss.file, loss.reason) for loss in makefile.setting.tree.losses] == [
        ("mm/Makefile", "line 1 includes mm/gone, which is not there")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"v{n + 1} = $(v{n}) $(v{n})\n" for n in range(60)) + "obj-y := $(v60)\n",
        "v0 = a\n"
        + "".join(f"v{n + 1} = $(v{n}) $(v{n})\n" for n in range(60))
        + "obj-y := $(v60)\n",
        "obj-y := " + "$(foreach a,1 2 3 4 5 6 7 8 9,$(a) " * 30 + ")" * 30 + "\n",
        "f = $(call f,$(1)) $(call f,$(1))\nobj-y := $(call f,x)\n",
        "a = $(a)\nobj-y := $(a)\n",
        "obj-y := " + "$(" * 5000 + ")" * 5000 + "\n",
        "obj-y := " + "a.o " * 20_000 + "\n" + "obj-y += b.o\n" * 2_000,
        "include mm/Makefile\nobj-y := a.o\n",
        "obj-y := a\n" + "obj-y := $(obj-y)$(obj-y)\n" * 60,
        "obj-y := a\n" + "obj-y := $(subst a,aa,$(obj-y))\n" * 60,
        "obj-y := a b\n" + "obj-y := $(foreach x,$(obj-y),$(obj-y))\n" * 9,
        "a := $(shell x) " + "b " * 999 + "\nobj-y := $(addprefix $(a),$(addprefix $(a),$(a)))\n",
        "define f\n$(eval $(call f))\nendef\n$(eval $(call f))\n",
        "ifeq (a,a)\n" * 5000,
        "ifeq ($(shell x),)\na += b\nelse\na += c\nendif\n" * 20 + "obj-y := " + "$(a)" * 30 + "\n",
    ],
)
def test_a_makefile_without_an_end_is_cut(grow: Grow, text: str) -> None:
    """Each ends soon, and within bounds."""
    assert len(words(grow, text)) <= 2 * 5_000


def test_files_that_include_each_other_again_and_again_are_cut(grow: Grow) -> None:
    """Ten files, each of which includes the next a hundred times."""
    files = {f"mm/{n}": f"include mm/{n + 1}\n" * 100 for n in range(10)}
    files["mm/10"] = "obj-y += a.o\n"
    makefile = carried_out(grow, "include mm/0\n", files)
    reasons = {loss.reason for loss in makefile.setting.tree.losses}
    assert "includes files without end" in reasons
