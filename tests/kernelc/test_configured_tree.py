# SPDX-License-Identifier: GPL-2.0-or-later
"""What one profile sees of a small tree: which definition a name means, and its text."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.kernelc.arch_profile import PROFILES, Forced, Profile
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.tree_index import TreeIndex
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]
TOY = Profile("toy", "a toy", "toy", {"TOY": Forced("y", "it is one")}, {"__toy__": "1"})
FILES: dict[str, str | bytes] = {
    "Kconfig": 'source "arch/$(SRCARCH)/Kconfig"\nconfig FANCY\n\tbool "Fancy"\n'
    'config DEBUG\n\tbool "Debug"\n',
    "arch/toy/Kconfig": 'config TOY\n\tbool "Toy"\n',
    ".clang-format": "ForEachMacros:\n  - 'for_each_thing'\n",
    "Kbuild": "obj-y += mm/ kernel/ arch/$(SRCARCH)/\nobj-$(CONFIG_FANCY) += drivers/\n",
    "mm/Makefile": "obj-y := a.o b.o\nobj-$(CONFIG_FANCY) += fancy.o\nobj-$(CONFIG_NO) += no.o\n",
    "kernel/Makefile": "obj-y := weak.o whole.o\n",
    "arch/toy/Kbuild": "obj-y += mm/\n",
    "arch/toy/mm/Makefile": "obj-y := toy.o\n",
    "drivers/Makefile": "obj-y += far.o\n",
    "mm/a.c": """#include <linux/mm.h>
#include "internal.h"

static int same(void) { return 1; }

#ifdef CONFIG_DEBUG
int checked(void)
{
\tfor_each_thing(t) {
#ifdef CONFIG_FANCY
\t\tfancy();
#else
\t\tplain();
#endif
\t}
}
#else
int checked(void) { return 0; }
#endif

/**
 * long_one - has a head of two lines
 *
 * Context: Process context. May sleep.
 */
static __always_inline int
long_one(int a)
{
\treturn a;
}
#define local_macro(x) same(x)
""",
    "mm/b.c": "#include <linux/mm.h>\nstatic int same(void) { return 2; }\nint shared(void) { }\n",
    "mm/fancy.c": "int fancy(void) { }\nint shared(void) { }\n",
    "mm/no.c": "int fancy(void) { }\n",
    "mm/internal.h": "static inline int inside(void) { }\n#define inner_macro() inside()\n",
    "kernel/weak.c": "int __weak hook(void) { }\nint __weak only(void) { }\n",
    "kernel/whole.c": '#include "whole.h"\n#include "part.c"\nstatic int apart(void) { }\n',
    "kernel/part.c": "int in_part(void) { }\nstatic int part_only(void) { }\n",
    "kernel/whole.h": "static inline void whole_only(void) { }\nint from_header(void) { }\n",
    "arch/toy/mm/toy.c": "#include <linux/mm.h>\nint hook(void) { }\nvoid set_many(void) { }\n",
    "arch/toy/include/asm/mm.h": "#define set_many set_many\nvoid set_many(void);\n"
    "#define set_fast set_many\n#define LEVELS (2 + 2)\n",
    "include/linux/mm.h": """#ifndef _MM_H
#define _MM_H
#include <asm/mm.h>
#ifndef set_many
static inline void set_many(void) { }
#endif
#ifndef set_one
#define set_one(x, rest...) \\
\tset_many()
#endif
static inline void wrapped(void) { }
#define wrapped() (count(), wrapped())
#ifdef CONFIG_FANCY
static inline int maybe(void) { }
#endif
#endif
""",
    "drivers/far.c": "int far(void) { }\n",
}


@pytest.fixture
def view(grow: Grow) -> ConfiguredTree:
    """The toy's view of the tree above."""
    return ConfiguredTree(Tree.open(grow(FILES)), TOY)


def places(view: ConfiguredTree, name: str, near: str | None = None) -> list[str]:
    """Where the candidates for a name are."""
    return [item.file for item in view.definitions(name, near)]


def test_the_file_at_hand_comes_first(view: ConfiguredTree) -> None:
    """A static of the same file is meant there, and is no candidate elsewhere."""
    assert places(view, "same", "mm/a.c") == ["mm/a.c"]
    assert places(view, "same", "mm/b.c") == ["mm/b.c"]
    assert places(view, "same", "kernel/weak.c") == []
    assert places(view, "same") == []


def test_an_override_leads_to_the_architecture(view: ConfiguredTree) -> None:
    """A name that the architecture defines as itself means its function, not the generic one."""
    found = view.definitions("set_many", "mm/a.c")
    assert [(item.file, item.kind) for item in found] == [("arch/toy/mm/toy.c", "function")]


def test_macros_are_candidates_with_their_text(view: ConfiguredTree) -> None:
    """A function-like macro has parameters and a body to parse; an alias is an object."""
    (macro,) = view.definitions("set_one", "mm/a.c")
    assert (macro.kind, macro.params, macro.line) == ("macro", ("x", "rest..."), 8)
    assert view.text(macro).strip() == b"set_many()"
    assert macro.first_line + view.text(macro)[: view.text(macro).find(b"set")].count(b"\n") == 9
    (alias,) = view.definitions("set_fast", "mm/a.c")
    assert (alias.kind, view.text(alias)) == ("object", b"set_many")
    assert view.macro("LEVELS") == b"(2 + 2)"
    assert view.macro("set_one") is None
    assert view.macro("absent") is None


def test_a_macro_hides_a_function_but_not_from_itself(view: ConfiguredTree) -> None:
    """Inside its own text a macro's name means the function."""
    assert [item.kind for item in view.definitions("wrapped", "mm/a.c")] == ["macro"]
    inner = view.definitions("wrapped", "mm/a.c", expanding=frozenset({"wrapped"}))
    assert [item.kind for item in inner] == ["function"]


def test_local_headers_are_seen_by_those_who_include_them(view: ConfiguredTree) -> None:
    """A header outside the include directories gives names to its includers only."""
    assert places(view, "inside", "mm/a.c") == ["mm/internal.h"]
    assert places(view, "inner_macro", "mm/a.c") == ["mm/internal.h"]
    assert places(view, "inside", "mm/b.c") == []
    assert places(view, "inner_macro", "mm/b.c") == []


def test_the_linker_prefers_strong_definitions(view: ConfiguredTree) -> None:
    """A weak function is meant only when no other has its name."""
    assert places(view, "hook", "mm/a.c") == ["arch/toy/mm/toy.c"]
    assert places(view, "only", "mm/a.c") == ["kernel/weak.c"]


def test_several_candidates_are_all_told(view: ConfiguredTree) -> None:
    """Two built files that define one name are both candidates, with what builds them."""
    found = {item.file: item.presence for item in view.definitions("shared", "mm/a.c")}
    assert found == {"mm/b.c": (), "mm/fancy.c": ("CONFIG_FANCY",)}


def test_what_is_not_built_is_no_candidate(view: ConfiguredTree) -> None:
    """Kconfig and Makefiles decide; included .c files are built with those that include them."""
    assert places(view, "fancy", "mm/a.c") == ["mm/fancy.c"]
    assert places(view, "in_part", "mm/a.c") == ["kernel/part.c"]
    assert places(view, "whole_only", "kernel/part.c") == ["kernel/whole.h"]
    assert places(view, "whole_only", "kernel/weak.c") == []
    assert places(view, "whole_only") == places(view, "whole_only", "") == ["kernel/whole.h"]
    assert "mm/no.c" not in view.built
    assert view.presence("mm/no.c") is None
    assert view.presence("mm/fancy.c") == ("CONFIG_FANCY",)


def test_a_file_included_by_two_is_there_with_either(grow: Grow) -> None:
    """The last of those that include it is no more than the others."""
    files = {
        **FILES,
        "drivers/Makefile": "obj-$(CONFIG_DEBUG) += far.o\nobj-$(CONFIG_MORE) += near.o\n",
        "Kconfig": f'{FILES["Kconfig"]!s}config MORE\n\tbool "More"\n',
        "drivers/far.c": '#include "shared.c"\n',
        "drivers/near.c": '#include "shared.c"\n',
        "drivers/shared.c": "void used(void) { }\n",
    }
    view = ConfiguredTree(Tree.open(grow(files)), TOY, extra=["drivers/far.c"])
    assert view.presence("drivers/shared.c") == ("CONFIG_FANCY", "CONFIG_DEBUG || CONFIG_MORE")


def test_files_compiled_together_see_their_statics(view: ConfiguredTree) -> None:
    """A .c file that includes another, and that other, are one to the compiler."""
    assert places(view, "part_only", "kernel/whole.c") == ["kernel/part.c"]
    assert places(view, "apart", "kernel/part.c") == ["kernel/whole.c"]
    assert places(view, "part_only", "kernel/weak.c") == []


def test_a_function_of_a_local_header_can_be_external(view: ConfiguredTree) -> None:
    """A definition without static in a header that one built file includes is linked to all."""
    assert places(view, "from_header", "mm/a.c") == ["kernel/whole.h"]


def test_only_the_core_and_named_files_are_indexed(grow: Grow) -> None:
    """A driver is seen when the caller names a file beside it; its conditions are known anyway."""
    tree = Tree.open(grow(FILES))
    assert places(ConfiguredTree(tree, TOY), "far", "mm/a.c") == []
    assert ConfiguredTree(tree, TOY).presence("drivers/far.c") == ("CONFIG_FANCY",)
    assert places(ConfiguredTree(tree, TOY, extra=["drivers/x.c"]), "far", "mm/a.c") == [
        "drivers/far.c"
    ]


def test_text_is_what_is_compiled(view: ConfiguredTree) -> None:
    """Dead branches and directives are blank, loop macros are loops, lines stay in place."""
    (checked,) = view.definitions("checked", "mm/a.c")
    text = view.text(checked)
    assert len(text) == checked.end - checked.start
    assert b"fancy()" in text
    assert b"plain()" not in text
    assert b"#" not in text
    assert b"while" in text
    assert checked.presence == ("CONFIG_DEBUG",)
    assert text.count(b"\n", 0, text.find(b"fancy")) + checked.first_line == 11


def test_definitions_tell_lines_and_context(view: ConfiguredTree) -> None:
    """The name's line, the first line of the text, and what kernel-doc says about context."""
    (found,) = view.definitions("long_one", "mm/a.c")
    assert (found.line, found.first_line) == (27, 26)
    assert found.context == "Process context. May sleep."
    assert (found.static, found.inline) == (True, True)


def test_functions_of_a_file_are_listed(view: ConfiguredTree) -> None:
    """Those that are compiled, in order; macros and dead branches are not among them."""
    names = [item.name for item in view.functions("mm/a.c")]
    assert names == ["same", "checked", "long_one"]
    assert [item.line for item in view.functions("mm/a.c")][1] == 7


def test_headers_carry_the_choices_around_them(view: ConfiguredTree) -> None:
    """A function under a free symbol in a header says so."""
    (found,) = view.definitions("maybe", "mm/b.c")
    assert found.presence == ("CONFIG_FANCY",)


def test_tables_are_found_by_type_field_and_name(grow: Grow) -> None:
    """Only built files count, with the conditions of the place."""
    tables = {
        "mm/b.c": "static const struct ops one = { .walk = fn, };\n"
        "#ifdef CONFIG_FANCY\nstatic struct ops two = { .sub.walk = fancy_fn };\n#endif\n"
        "#ifdef CONFIG_NO\nstatic struct ops three = { .walk = no_fn };\n#endif\n"
        "void f(void)\n{\n\tone.walk = late_fn;\n}\n",
        "mm/no.c": "static const struct ops four = { .walk = fn };\n",
    }
    view = ConfiguredTree(Tree.open(grow({**FILES, **tables})), TOY)
    found = [(item.table, item.function, item.presence) for item in view.initialisers("ops")]
    assert found == [("one", "fn", ()), ("two", "fancy_fn", ("CONFIG_FANCY",))]
    assert len(view.initialisers(field="walk")) == 3
    assert [item.function for item in view.initialisers(field="sub.walk")] == ["fancy_fn"]
    assert [item.function for item in view.initialisers(table="one")] == ["fn", "late_fn"]
    assert [item.function for item in view.initialisers(struct="ops", table="two")] == ["fancy_fn"]
    assert len(view.initialisers()) == 3


def summary(view: ConfiguredTree) -> dict[str, object]:
    """Everything about a view that a user can tell."""
    names = ["same", "set_many", "set_one", "hook", "shared", "maybe", "checked", "wrapped"]
    found = {name: view.definitions(name, "mm/a.c") for name in names}
    return {
        "definitions": found,
        "texts": [view.text(item) for items in found.values() for item in items],
        "sources": tuple(view.built),
        "files": view.headers.files,
        "reached": {
            rel for rel in view.headers.files if view.headers.inclusions.has("mm/a.c", rel)
        },
        "levels": view.macro("LEVELS"),
        "toy": view.macro("__toy__"),
        "loops": view.loops,
        "fancy": view.config.value("FANCY"),
        "tables": view.initialisers(field="walk"),
    }


def test_a_view_from_the_cache_is_the_same(grow: Grow, tmp_path: Path) -> None:
    """Cold, with two processes, and from the cache, a view says the same."""
    root = grow(FILES)
    plain = summary(ConfiguredTree(Tree.open(root), TOY))
    for jobs in (1, 2, 1):
        with Cache(tmp_path / "cache") as cache:
            assert summary(ConfiguredTree(Tree.open(root), TOY, jobs=jobs, cache=cache)) == plain
    library = TreeIndex(Tree.open(root), jobs=2)
    assert summary(ConfiguredTree(library.tree, TOY, library=library)) == plain


def test_what_profiles_share_is_read_once(grow: Grow, tmp_path: Path) -> None:
    """Views of several profiles over one library are the views that each has alone."""
    root = grow({**FILES, "arch/other/Kconfig": 'config OTHER\n\tbool "Other"\n'})
    other = Profile("other", "another", "other")
    with Cache(tmp_path / "cache") as cache:
        libraries = [TreeIndex(Tree.open(root), jobs=jobs) for jobs in (1, 2)]
        libraries.append(TreeIndex(Tree.open(root), jobs=2, cache=cache))
        for profile in (TOY, other):
            alone = summary(ConfiguredTree(Tree.open(root), profile))
            for library in libraries:
                assert summary(ConfiguredTree(library.tree, profile, library=library)) == alone
            assert summary(ConfiguredTree(Tree.open(root), profile, cache=cache)) == alone
        first = dict(libraries[0].kconfig)
        ConfiguredTree(libraries[0].tree, TOY, library=libraries[0])
        assert first["Kconfig"] is libraries[0].kconfig["Kconfig"]


@pytest.mark.parametrize(
    ("path", "text", "name", "expected"),
    [
        ("mm/b.c", "int other(void) { }\n", "other", ["mm/b.c"]),
        ("include/linux/mm.h", "static inline int new(void) { }\n", "new", ["include/linux/mm.h"]),
        ("arch/toy/include/asm/mm.h", "", "set_many", ["include/linux/mm.h"]),
        ("mm/Makefile", "obj-y := a.o\n", "shared", []),
        ("Kconfig", "", "fancy", []),
        ("arch/toy/include/linux/mm.h", "int f(void) { }\n", "f", ["arch/toy/include/linux/mm.h"]),
        ("mm/Kbuild", "obj-y := no.o a.o\n", "fancy", ["mm/no.c"]),
    ],
)
def test_a_changed_tree_is_looked_at_again(
    grow: Grow, tmp_path: Path, path: str, text: str, name: str, expected: list[str]
) -> None:
    """A file that changes, or one that appears and hides another, is noticed."""
    root = grow(FILES)
    with Cache(tmp_path / "cache") as cache:
        ConfiguredTree(Tree.open(root), TOY, cache=cache)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        os.utime(root / path, ns=(1, 1))
        assert places(ConfiguredTree(Tree.open(root), TOY, cache=cache), name, "mm/a.c") == expected


class Hostile:
    """A cache that has an answer to everything, and never the right one."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def get(self, kind: str, key: str) -> object | None:
        """The same whatever is asked."""
        return self.answer

    def get_many(self, kind: str, keys: object) -> dict[str, object]:
        """The same for every key."""
        return dict.fromkeys(keys, self.answer)  # type: ignore[call-overload,no-any-return]

    def put(self, kind: str, key: str, value: object) -> None:
        """Forget."""

    def put_many(self, kind: str, values: object) -> None:
        """Forget."""


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        {"states": {}},
        {"states": {}, "on": 7, "free": [], "numbers": []},
        {"states": {"mm/a.c": [1, 2, 3]}},
        {"mm/a.c": [[1], [2], [], [], []], "mm/b.c": "x", "mm": None},
    ],
)
def test_a_hostile_cache_is_a_miss(grow: Grow, answer: object) -> None:
    """Whatever a cache holds, the view is that of the tree."""
    root = grow(FILES)
    plain = summary(ConfiguredTree(Tree.open(root), TOY))
    assert summary(ConfiguredTree(Tree.open(root), TOY, cache=Hostile(answer))) == plain


def test_a_tree_without_anything_has_an_empty_view(grow: Grow) -> None:
    """No Kbuild, no headers, no sources: no error, and nothing is found."""
    view = ConfiguredTree(Tree.open(grow({})), PROFILES["x86"])
    assert view.definitions("set_ptes", "mm/a.c") == ()
    assert not view.built
