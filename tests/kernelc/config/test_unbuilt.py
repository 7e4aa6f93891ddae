# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a file is not built."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config
from lazymmu.kernelc.config.unbuilt import Cause
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]
LISTS = "obj-y := a.o\nobj-$(CONFIG_FREE) += b.o\n"
CONFIG = Config(
    ["ON", "SLUB"], ["FREE"], {"BITS": 64}, ["SLUB", "SLAB"], [(["SLUB", "SLAB"], True)]
)


def build(grow: Grow, files: dict[str, str], *sources: str) -> Kbuild:
    """The Kbuild of a tree with these Makefiles, and empty sources."""
    texts: dict[str, str | bytes] = {
        "Kbuild": "obj-y += mm/ arch/$(SRCARCH)/\nobj-$(CONFIG_OFF) += net/\n",
        "arch/toy/Makefile": "",
        "net/Makefile": "obj-y := a.o\n",
        **dict.fromkeys(sources, ""),
        **files,
    }
    return Kbuild(Tree.open(grow(texts)), CONFIG, Profile("toy", "a toy", "toy"))


def test_what_is_built_has_no_reason(grow: Grow) -> None:
    """What is built, by somebody's choice or in any case, has no reason why not."""
    kbuild = build(grow, {"mm/Makefile": LISTS}, "mm/a.c", "mm/b.c")
    assert kbuild.why("mm/a.c") is kbuild.why("mm/b.c") is None


@pytest.mark.parametrize(
    "makefile",
    [
        "ifdef CONFIG_FREE\nelse\nobj-y += a.o\nendif\n",
        "ifndef CONFIG_FREE\nobj-y += a.o\nendif\n",
        "ifneq ($(CONFIG_FREE),y)\nobj-y += a.o\nendif\n",
        "ifeq ($(CONFIG_FREE),)\nobj-y += a.o\nendif\n",
        "ifdef CONFIG_OFF\nelse ifndef CONFIG_FREE\nobj-y += a.o\nendif\n",
    ],
)
def test_the_other_side_of_a_free_symbol_is_built(grow: Grow, makefile: str) -> None:
    """Somebody leaves it out, and builds the file: it is read as that machine reads it."""
    kbuild = build(grow, {"mm/Makefile": makefile}, "mm/a.c")
    assert kbuild.why("mm/a.c") is None
    presence = kbuild.presence("mm/a.c")
    assert presence == ("!CONFIG_FREE",)
    assert kbuild.config.instead(presence) == {"FREE": False}


@pytest.mark.parametrize(
    ("makefile", "reason"),
    [
        ("obj-$(CONFIG_OFF) += a.o\n", "CONFIG_OFF is off on this machine"),
        ("ifdef CONFIG_OFF\nobj-y += a.o\nendif\n", "CONFIG_OFF is off on this machine"),
        ("ifeq ($(CONFIG_OFF),y)\nobj-y += a.o\nendif\n", "CONFIG_OFF is off on this machine"),
        ("ifndef CONFIG_ON\nobj-y += a.o\nendif\n", "CONFIG_ON counts as on on this machine"),
        (
            "ifdef CONFIG_ON\nelse ifndef CONFIG_FREE\nobj-y += a.o\nendif\n",
            "CONFIG_ON counts as on on this machine",
        ),
        (
            "obj-$(CONFIG_FREE) += all.o\nall-$(CONFIG_OFF) += a.o\n",
            "CONFIG_OFF is off on this machine",
        ),
        (
            "obj-$(CONFIG_OFF) += a.o\nobj-$(CONFIG_NEVER) += a.o\n",
            "CONFIG_OFF is off and CONFIG_NEVER is off on this machine",
        ),
        (
            "ifdef CONFIG_SLUB\nobj-$(CONFIG_SLAB) += a.o\nendif\n",
            "CONFIG_SLUB and CONFIG_SLAB exclude each other",
        ),
    ],
)
def test_what_is_off_names_its_symbols(grow: Grow, makefile: str, reason: str) -> None:
    """By a list, by a conditional, by one symbol or by several."""
    why = build(grow, {"mm/Makefile": makefile}, "mm/a.c").why("mm/a.c")
    assert why is not None
    assert (why.cause, str(why)) == (Cause.OFF, reason)


def test_what_no_list_has_is_unnamed(grow: Grow) -> None:
    """A file that no list has is unnamed, whatever options are on."""
    kbuild = build(grow, {"mm/Makefile": "obj-y := b.o\n"}, "mm/a.c", "lost/a.c", "mm/deep/er/a.c")
    found = {rel: str(kbuild.why(rel)) for rel in ("mm/a.c", "lost/a.c", "mm/deep/er/a.c", "no.c")}
    assert found == {
        "mm/a.c": "no Makefile names it",
        "lost/a.c": "lost is not entered: no Makefile names it",
        "mm/deep/er/a.c": "mm/deep is not entered: no Makefile names it",
        "no.c": "there is no such file",
    }


def test_a_directory_that_is_off_says_so(grow: Grow) -> None:
    """The symbol of the directory is the reason for its files."""
    why = build(grow, {}, "net/a.c").why("net/a.c")
    assert str(why) == "CONFIG_OFF is off on this machine"


def test_another_architecture_is_elsewhere(grow: Grow) -> None:
    """It is looked at as another machine, or not at all."""
    why = build(grow, {"arch/um/Makefile": "obj-y := a.o\n"}, "arch/um/a.c").why("arch/um/a.c")
    assert why is not None
    assert (why.cause, str(why)) == (Cause.ELSEWHERE, "arch/um is not built here")


@pytest.mark.parametrize(
    "makefile",
    [
        "obj-y := $(shell ls *.o)\n",
        "names := $(shell ls)\nobj-y := $(names:.c=.o)\n",
        "obj-y := $(call read-it,x)\n",
        "obj-y := all.o\nall-y := $(shell ls)\n",
        "obj-y := $(file < list)\n",
    ],
)
def test_a_list_that_is_made_by_a_shell_may_name_it(grow: Grow, makefile: str) -> None:
    """That is no file that is known not to be built; the reason has the place."""
    why = build(grow, {"mm/Makefile": makefile}, "mm/a.c").why("mm/a.c")
    assert why is not None
    assert why.cause is Cause.UNREADABLE
    assert "mm/Makefile:1 (not evaluated)" in str(why) or "mm/Makefile:2" in str(why)


def test_a_directory_that_a_shell_may_enter_says_so(grow: Grow) -> None:
    """The list above it is the place."""
    why = build(grow, {"mm/Makefile": "obj-y := $(shell ls -d */)\n"}, "mm/deep/a.c").why(
        "mm/deep/a.c"
    )
    assert why is not None
    assert why.cause is Cause.UNREADABLE
    assert str(why).startswith("mm/deep is not entered: ")


def test_a_makefile_that_is_missing_or_unreadable_is_the_reason(grow: Grow) -> None:
    """The directory is built, but nobody can say of what."""
    kbuild = build(grow, {}, "mm/a.c")
    why = kbuild.why("mm/a.c")
    assert why is not None
    assert why.cause is Cause.UNREADABLE
    assert "mm/Makefile could not be read" in str(why)
    assert [loss.file for loss in kbuild.tree.losses] == ["mm/Makefile"]


def test_a_far_makefile_names_it_after_all(grow: Grow) -> None:
    """All Makefiles are read before it is said that none does."""
    kbuild = build(grow, {"arch/toy/Kbuild": "obj-y := ../../virt/kvm.o\n"}, "virt/kvm.c")
    assert kbuild.why("virt/kvm.c") is None
    assert kbuild.presence("virt/kvm.c") == ()


def test_a_renamed_object_is_built_from_its_source(grow: Grow) -> None:
    """`%.pi.o: %.o` is a rule of the kernel for code that runs before its addresses hold."""
    makefile = (
        "obj-$(CONFIG_FREE) := early.o\n$(obj)/%.pi.o: $(obj)/%.o FORCE\n\t$(call if_changed)\n"
        "obj-y := $(patsubst %.o,%.pi.o,$(obj-y))\n"
    )
    text = {"mm/Makefile": makefile.replace("obj-$(CONFIG_FREE)", "obj-y")}
    assert build(grow, text, "mm/early.c").presence("mm/early.c") == ()


def test_members_of_a_choice_are_conditions(grow: Grow) -> None:
    """Each builds its files, and what is built without one is built as well."""
    kbuild = build(
        grow,
        {
            "mm/Makefile": "obj-$(CONFIG_SLUB) += slub.o both.o\n"
            "obj-$(CONFIG_SLAB) += slab.o both.o\n"
            "ifndef CONFIG_SLUB\nobj-y += not.o\nendif\n"
            "ifndef CONFIG_SLUB\nifndef CONFIG_SLAB\nobj-y += none.o\nendif\nendif\n"
        },
        *(f"mm/{name}.c" for name in ("slub", "slab", "both", "not", "none")),
    )
    found = {n: kbuild.presence(f"mm/{n}.c") for n in ("slub", "slab", "both", "not", "none")}
    assert found == {
        "slub": ("CONFIG_SLUB",),
        "slab": ("CONFIG_SLAB",),
        "both": ("CONFIG_SLUB || CONFIG_SLAB",),
        "not": ("!CONFIG_SLUB",),
        "none": None,
    }


def test_several_ways_to_one_side_of_a_test_are_joined_as_alternatives(grow: Grow) -> None:
    """A word that two branches give builds what rests on it in either of them."""
    kbuild = build(
        grow,
        {
            "mm/Makefile": "ifdef CONFIG_SLUB\nv := a\nelse ifdef CONFIG_SLAB\nv := b\n"
            "else\nv := c\nendif\n"
            "ifeq ($(v),a)\nobj-y += one.o\nelse\nobj-y += two.o\nendif\n"
        },
        *(f"mm/{name}.c" for name in ("one", "two")),
    )
    assert kbuild.presence("mm/one.c") == ("CONFIG_SLUB",)
    assert kbuild.presence("mm/two.c") == ("!CONFIG_SLUB",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_makefile_without_permission_is_the_reason(grow: Grow) -> None:
    """A Makefile that may not be read is the reason, with what the system says."""
    kbuild = build(grow, {"mm/Makefile": "obj-y := a.o\n"}, "mm/a.c")
    (kbuild.tree.root / "mm/Makefile").chmod(0)
    assert "permission denied" in str(kbuild.why("mm/a.c"))
