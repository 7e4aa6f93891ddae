# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands at the top of a build: the lists of Kbuild, and those of older top Makefiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]
CONFIG = Config(["ON", "NET"], ["BLOCK", "PM"], {})
PLACES = (
    "init", "kernel", "mm", "lib", "drivers", "net", "virt", "block",
    "arch/toy", "arch/toy/lib", "arch/toy/power", "arch/toy/kernel",
)  # fmt: skip

VERSION = "VERSION = 5\nPATCHLEVEL = 10\nSUBLEVEL = 0\nEXTRAVERSION =\n"
IN_5_10 = """
ifneq ($(sub_make_done),1)
MAKEFLAGS += -rR
core-y := not-in-the-first-round/
endif
ifeq ("$(origin M)", "command line")
  KBUILD_EXTMOD := $(M)
endif
include scripts/subarch.include
ARCH ?= $(SUBARCH)
SRCARCH := $(ARCH)
ifeq ($(KBUILD_EXTMOD),)
core-y\t\t:= init/
drivers-y\t:= drivers/
drivers-$(CONFIG_PM_NOT_THERE) += samples/
drivers-y\t+= net/ virt/
libs-y\t\t:= lib/
endif
include arch/$(SRCARCH)/Makefile
ifeq ($(KBUILD_EXTMOD),)
core-y\t\t+= kernel/ mm/ block/
vmlinux-dirs\t:= $(patsubst %/,%,$(filter %/, $(core-y) $(drivers-y) $(libs-y)))
endif
"""
IN_5_15 = """
ifeq ($(KBUILD_EXTMOD),)
core-y := init/ arch/$(SRCARCH)/
drivers-y := drivers/
drivers-$(CONFIG_NET) += net/
drivers-y += virt/
libs-y := lib/
endif # KBUILD_EXTMOD
include $(srctree)/arch/$(SRCARCH)/Makefile
ifeq ($(KBUILD_EXTMOD),)
core-y\t\t\t+= kernel/ mm/
core-$(CONFIG_BLOCK)\t+= block/
endif
"""
IN_4_19 = """
ifeq ($(KBUILD_EXTMOD),)
init-y := init/
drivers-y := drivers/
net-y := net/
libs-y := lib/
core-y := kernel/ mm/ block/
virt-y := virt/
endif
include arch/$(SRCARCH)/Makefile
init-y := $(patsubst %/, %/built-in.a, $(init-y))
core-y := $(patsubst %/, %/built-in.a, $(core-y))
drivers-y := $(patsubst %/, %/built-in.a, $(drivers-y))
net-y := $(patsubst %/, %/built-in.a, $(net-y))
libs-y1 := $(patsubst %/, %/lib.a, $(libs-y))
virt-y := $(patsubst %/, %/built-in.a, $(virt-y))
"""
IN_6_1 = """
ifeq ($(KBUILD_EXTMOD),)
core-y :=
drivers-y :=
libs-y := lib/
endif
include $(srctree)/arch/$(SRCARCH)/Makefile
export ARCH_CORE := $(core-y)
export ARCH_LIB := $(filter %/, $(libs-y))
export ARCH_DRIVERS := $(drivers-y) $(drivers-m)
"""
KBUILD_6_1 = """
obj-y += init/ arch/$(SRCARCH)/
obj-y += $(ARCH_CORE)
obj-y += kernel/ mm/
obj-$(CONFIG_BLOCK) += block/
obj-y += $(ARCH_LIB) drivers/
obj-$(CONFIG_NET) += net/
obj-y += virt/ $(ARCH_DRIVERS)
"""
ARCH = """
head-y := arch/toy/kernel/head.o
core-y += arch/toy/
libs-y := arch/toy/lib/ $(libs-y)
drivers-$(CONFIG_PM) += arch/toy/power/
"""


def build(grow: Grow, makefile: str, arch: str = ARCH, kbuild: str = "", **more: str) -> Kbuild:
    """A tree with this top Makefile, whose directories have one file each."""
    files: dict[str, str | bytes] = {"Makefile": VERSION + makefile, "Kbuild": kbuild}
    for place in PLACES:
        files[f"{place}/Makefile"] = "obj-y := a.o\n"
        files[f"{place}/a.c"] = ""
    files["arch/toy/kernel/head.c"] = ""
    files["arch/toy/Makefile"] = arch
    files["arch/toy/Kbuild"] = "obj-y := a.o kernel/\n"
    files["scripts/subarch.include"] = "SUBARCH := $(shell uname -m)\n"
    files.update({name.replace("__", "/"): text for name, text in more.items()})
    return Kbuild(Tree.open(grow(files)), CONFIG, Profile("toy", "a toy", "toy"))


def conditions(kbuild: Kbuild) -> dict[str, tuple[str, ...] | None]:
    """What each directory's file rests on, those that nothing lists left out."""
    return {
        place: presence
        for place in PLACES
        if (presence := kbuild.presence(f"{place}/a.c")) is not None
    }


@pytest.mark.parametrize(
    ("makefile", "kbuild", "optional"),
    [
        (IN_4_19, "", False),
        (IN_5_10, "", False),
        (IN_5_15, "", True),
        (IN_6_1, KBUILD_6_1, True),
        (IN_5_15.replace("core-y := init/ ", "core-y := "), "obj-y += init/\n", True),
    ],
    ids=["4.19", "5.10", "5.15", "6.1", "some lists here, some there"],
)
def test_every_directory_is_entered(grow: Grow, makefile: str, kbuild: str, optional: bool) -> None:
    """Whichever of the forms a release has, and both together."""
    built = build(grow, makefile, kbuild=kbuild)
    assert conditions(built) == {
        **dict.fromkeys(PLACES, ()),
        "block": ("CONFIG_BLOCK",) if optional else (),
        "arch/toy/power": ("CONFIG_PM",),
    }
    assert built.presence("not-in-the-first-round/a.c") is None
    assert built.tree.losses == []


def test_the_head_of_the_kernel_is_built(grow: Grow) -> None:
    """head-y lists objects, which no directory's obj-y has."""
    assert build(grow, IN_5_10).presence("arch/toy/kernel/head.c") == ()


def test_a_top_makefile_need_not_include_the_architecture(grow: Grow) -> None:
    """What the architecture's Makefile adds counts all the same."""
    makefile = "core-y := init/ kernel/ mm/\n"
    assert set(conditions(build(grow, makefile))) == {
        "init", "kernel", "mm", "arch/toy", "arch/toy/kernel", "arch/toy/lib", "arch/toy/power",
    }  # fmt: skip


def test_a_module_of_a_list_counts(grow: Grow) -> None:
    """A module of a list (`drivers-m`) is built as well as what is built in."""
    assert "net" in conditions(build(grow, "drivers-m := net/\n"))


def test_no_makefile_chooses_another_architecture(grow: Grow) -> None:
    """ARCH and SRCARCH are the machine's that is looked at, whatever the host answers."""
    kbuild = build(
        grow,
        "SRCARCH := other\nARCH := other\ninclude arch/$(SRCARCH)/Makefile\n",
        arch__other__Makefile="core-y += arch/other/\n",
        arch__other__Kbuild="obj-y := a.o\n",
        arch__other__a__c="",
    )
    assert "arch/toy" in conditions(kbuild)
    assert not [path for path in kbuild._directories if path.startswith("arch/other")]


def test_a_directory_without_a_makefile_is_a_loss(grow: Grow) -> None:
    """It is built, but nothing says of what."""
    kbuild = build(grow, "core-y := gone/ mm/\n")
    assert kbuild.presence("gone/a.c") is None
    assert [(loss.file, loss.reason) for loss in kbuild.tree.losses] == [
        ("gone/Makefile", "is not there, but the directory is built")
    ]
