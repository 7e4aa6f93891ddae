# SPDX-License-Identifier: GPL-2.0-or-later
"""What Kconfig leaves open: members of choices, tests of the toolchain, what cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.kernelc.arch_profile import Forced, Profile
from lazymmu.kernelc.config import kconfig_truth
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]

CHOICE = """
config DEPENDS
\tbool "Ask"
choice
\tprompt "Allocator"
\tdefault SLUB
config SLAB
\tbool "SLAB"
config SLUB
\tbool "SLUB"
\tselect WITH_SLUB
config SLOB
\tbool "SLOB"
\tdepends on NO_SUCH_SYMBOL
endchoice
config WITH_SLUB
\tbool
config WITH_SLAB
\tdef_bool y
\tdepends on SLAB
config WITHOUT
\tdef_bool y
\tdepends on !SLUB
config BOTH
\tdef_bool SLAB && SLUB
config NEITHER
\tdef_bool y
\tdepends on !SLAB && !SLUB
config EITHER
\tdef_bool SLAB || SLUB
config NUMBER
\tint
\tdefault 1 if SLAB
\tdefault 2
"""


def solved(grow: Grow, text: str, **fixed: str) -> Config:
    """Solve a tree whose top Kconfig is `text`, with some symbols fixed by the profile."""
    config = {name: Forced(value, "the test says so") for name, value in fixed.items()}
    return solve(Tree.open(grow({"Kconfig": text})), Profile("toy", "a toy", "toy", config))


def may(config: Config, *names: str) -> list[str]:
    """What each of the symbols may be."""
    return [config.may(name) for name in names]


def test_each_member_that_can_be_chosen_may_be_on(grow: Grow) -> None:
    """And what follows from it; a member that cannot be chosen is off."""
    config = solved(grow, CHOICE)
    assert may(config, "SLAB", "SLUB", "SLOB") == ["either", "either", "n"]
    assert may(config, "WITH_SLAB", "WITH_SLUB", "WITHOUT") == ["either"] * 3


def test_members_are_not_all_on_nor_all_off(grow: Grow) -> None:
    """Two together, or none at all, is no configuration."""
    config = solved(grow, CHOICE)
    assert may(config, "BOTH", "NEITHER", "EITHER") == ["n", "n", "y"]
    assert config.excludes(("CONFIG_SLAB", "CONFIG_SLUB"))
    assert config.excludes(("!CONFIG_SLAB", "!CONFIG_SLUB"))
    assert config.excludes(("CONFIG_SLAB", "!CONFIG_SLAB"))
    assert not config.excludes(("CONFIG_SLAB", "!CONFIG_SLUB", "CONFIG_DEPENDS"))


def test_the_headers_are_those_of_the_default(grow: Grow) -> None:
    """One consistent machine: its numbers and symbols are the default member's."""
    config = solved(grow, CHOICE)
    assert [config.value(name) for name in ("SLAB", "SLUB", "WITHOUT")] == ["n", "y", "n"]
    assert config.number("NUMBER") == 2
    assert config.instead(("CONFIG_SLAB",)) == {"SLAB": True, "SLUB": False}
    assert config.instead(("CONFIG_SLUB",)) == {}


@pytest.mark.parametrize(("chosen", "other"), [("SLAB", "SLUB"), ("SLUB", "SLAB")])
def test_a_member_that_the_profile_fixes_decides(grow: Grow, chosen: str, other: str) -> None:
    """The others are off, and nothing is open."""
    config = solved(grow, CHOICE, **{chosen: "y"})
    assert may(config, chosen, other) == ["y", "n"]
    assert config.choices == ()


def test_a_member_that_the_profile_forbids_leaves_one(grow: Grow) -> None:
    """The last one that can be chosen must be."""
    assert may(solved(grow, CHOICE, SLUB="n"), "SLAB", "SLUB") == ["y", "n"]


def test_a_choice_that_nobody_is_asked_takes_its_default(grow: Grow) -> None:
    """Without its prompt the choice is made."""
    config = solved(grow, CHOICE.replace('"Allocator"', '"Allocator" if NO_SUCH_SYMBOL'))
    assert may(config, "SLAB", "SLUB") == ["n", "y"]


def test_an_optional_choice_may_have_no_member(grow: Grow) -> None:
    """`optional` is a property of old kernels."""
    config = solved(grow, CHOICE.replace("\tdefault SLUB\n", "\tdefault SLUB\n\toptional\n", 1))
    assert may(config, "NEITHER", "BOTH") == ["either", "n"]
    assert not config.excludes(("!CONFIG_SLAB", "!CONFIG_SLUB"))


def test_members_that_are_modules_do_not_exclude_each_other(grow: Grow) -> None:
    """A choice of tristates may have all of its members as modules."""
    text = CHOICE.replace('choice\n\tprompt "Allocator"', 'choice\n\ttristate "Allocator"')
    config = solved(grow, text)
    assert config.may("BOTH") == "either"
    assert not config.excludes(("CONFIG_SLAB", "CONFIG_SLUB"))


def test_a_choice_below_a_free_symbol_may_be_off(grow: Grow) -> None:
    """Its members are free as long as the choice is."""
    text = CHOICE.replace("\tdefault SLUB\n", "\tdefault SLUB\n\tdepends on DEPENDS\n", 1)
    config = solved(grow, text)
    assert may(config, "SLAB", "SLUB", "NEITHER") == ["either", "either", "free"]


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        ("$(success,true)", "either"),
        ("!$(success,true)", "either"),
        ("$(cc-option,-fthis)", "either"),
        ("$(failure,command -v x)", "either"),
        ("$(as-instr,nop) && Y", "either"),
        ("$(if-success,true,y,n)", "either"),
        ("$(if-success,true,n,y)", "either"),
        ("$(shell,echo y)", "free"),
        ('$(shell,uname -m) = "x86_64"', "free"),
        ('"$(shell,uname -m)" != "x86_64"', "free"),
        ("$(a-macro-of-the-file)", "free"),
        ("Y &&", "free"),
        ("Y Y", "free"),
        ("(" * 50 + "Y", "free"),
        ("$(success,true) && N", "n"),
        ("$(shell,x) || Y", "y"),
    ],
)
@pytest.mark.parametrize("form", ["\tdef_bool y\n\tdepends on {}\n", "\tdef_bool {}\n"])
def test_what_cannot_be_read_is_never_silently_off(
    grow: Grow, condition: str, state: str, form: str
) -> None:
    """A test of the tools may fail or succeed; so may what a shell would answer."""
    text = "config Y\n\tdef_bool y\nconfig N\n\tdef_bool n\nconfig X\n" + form.format(condition)
    assert solved(grow, text).may("X") == state


def test_a_missing_kconfig_file_is_a_loss(grow: Grow) -> None:
    """Unless the line may do without it."""
    tree = Tree.open(
        grow({"Kconfig": 'source "no/Kconfig"\nosource "may/Kconfig"\norsource "x"\n'})
    )
    solve(tree, Profile("toy", "a toy", "toy"))
    assert [(loss.file, loss.reason) for loss in tree.losses] == [
        ("no/Kconfig", "is not there, but Kconfig includes it")
    ]


def test_older_forms_are_read(grow: Grow) -> None:
    """`$SRCARCH`, `option env`, `---help---` and `def_tristate`."""
    text = (
        'config SRCARCH\n\tstring\n\toption env="SRCARCH"\n'
        'source "arch/$SRCARCH/Kconfig"\nsource "init/Kconfig"\n'
    )
    files: dict[str, str | bytes] = {
        "Kconfig": text,
        "arch/toy/Kconfig": "config TOY\n\tdef_bool y\n\tselect MORE if TOY\n\t---help---\n"
        "\t  config HIDDEN\n\t  \tdef_bool y\n\nconfig MORE\n\tbool\n",
        "init/Kconfig": "config OLD\n\tdef_tristate m if TOY\n\toption modules\n",
    }
    tree = Tree.open(grow(files))
    config = solve(tree, Profile("toy", "a toy", "toy"))
    assert [config.value(name) for name in ("TOY", "MORE", "OLD", "HIDDEN")] == ["y"] * 3 + ["n"]
    assert tree.losses == []


def test_the_only_member_of_a_choice_is_on_if_any_of_its_definitions_is_asked(grow: Grow) -> None:
    """Another definition, which asks nobody, takes nothing away."""
    for more in ("", "config ONLY\n\tselect MORE\n"):
        config = solved(
            grow,
            'choice\n\tprompt "Allocator"\nconfig ONLY\n\tbool "Only"\nendchoice\n'
            f"{more}config MORE\n\tbool\n",
        )
        assert may(config, "ONLY", "MORE") == ["y", "y" if more else "n"]


def test_symbols_that_are_too_much_to_be_settled_are_a_loss(
    grow: Grow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known until then counts, and that the rest is not is said."""
    monkeypatch.setattr(kconfig_truth, "_MAX_WORK", 20)
    tree = Tree.open(grow({"Kconfig": CHOICE}))
    solve(tree, Profile("toy", "a toy", "toy"))
    assert [(loss.file, loss.reason) for loss in tree.losses] == [
        ("Kconfig", "its symbols are too much to be settled")
    ]
