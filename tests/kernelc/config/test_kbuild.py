# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files Makefiles build, and under which choices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]
CONFIG = Config(["ON", "MMU"], ["FREE", "OTHER", "THIRD"], {"BITS": 64})
TOP = "obj-y += mm/ arch/$(SRCARCH)/\nobj-$(CONFIG_FREE) += block/\nobj-$(CONFIG_OFF) += net/\n"


def build(grow: Grow, files: dict[str, str], *sources: str) -> Kbuild:
    """The Kbuild of a tree with these Makefiles, and empty sources."""
    texts: dict[str, str | bytes] = {"Kbuild": TOP, **dict.fromkeys(sources, ""), **files}
    return Kbuild(Tree.open(grow(texts)), CONFIG, Profile("toy", "a toy", "toy"))


def test_lists_build_what_is_on_or_free(grow: Grow) -> None:
    """`obj-y` and symbols that are on build unconditionally, free ones with their name."""
    kbuild = build(
        grow,
        {
            "mm/Makefile": "obj-y := a.o\nobj-$(CONFIG_ON) += b.o\nobj-$(CONFIG_FREE) += c.o\n"
            "obj-$(CONFIG_OFF) += d.o\nobj-m += e.o\nlib-y += f.o \\\n\tg.o # h.o\n"
        },
        *(f"mm/{name}.c" for name in "abcdefgh"),
    )
    found = {name: kbuild.presence(f"mm/{name}.c") for name in "abcdefgh"}
    assert found == {
        **dict.fromkeys("abefg", ()),
        "c": ("CONFIG_FREE",),
        "d": None,
        "h": None,
    }
    assert kbuild.presence("mm/absent.c") is None


def test_directories_pass_their_conditions_down(grow: Grow) -> None:
    """A file needs what its directory needs; a directory that no list enters builds nothing."""
    kbuild = build(
        grow,
        {
            "block/Makefile": "obj-$(CONFIG_OTHER) += a.o\nobj-y += deep/\n",
            "block/deep/Kbuild": "obj-y := b.o\n",
            "block/deep/Makefile": "obj-y := not-this-one.o\n",
            "net/Makefile": "obj-y := a.o\n",
            "lost/Makefile": "obj-y := a.o\n",
        },
        "block/a.c",
        "block/deep/b.c",
        "net/a.c",
        "lost/a.c",
    )
    assert kbuild.presence("block/a.c") == ("CONFIG_FREE", "CONFIG_OTHER")
    assert kbuild.presence("block/deep/b.c") == ("CONFIG_FREE",)
    assert kbuild.presence("net/a.c") is None
    assert kbuild.presence("lost/a.c") is None


def test_composite_objects_and_variables_hand_on_their_members(grow: Grow) -> None:
    """`x-y`, `x-objs` and collecting variables ask for what every step asks for."""
    kbuild = build(
        grow,
        {
            "mm/Makefile": "mmu-y := no.o\nmmu-$(CONFIG_MMU) := yes.o\n"
            "mmu-$(CONFIG_FREE) += too.o\nobj-y := $(mmu-y)\n"
            "obj-$(CONFIG_OTHER) += whole.o\nwhole-objs := one.o\nwhole-$(CONFIG_FREE) += two.o\n"
        },
        *(f"mm/{name}.c" for name in ("no", "yes", "too", "whole", "one", "two")),
    )
    assert kbuild.presence("mm/no.c") is None
    assert kbuild.presence("mm/yes.c") == ()
    assert kbuild.presence("mm/too.c") == ("CONFIG_FREE",)
    assert kbuild.presence("mm/one.c") == ("CONFIG_OTHER",)
    assert kbuild.presence("mm/two.c") == ("CONFIG_OTHER", "CONFIG_FREE")


def test_what_is_no_object_in_a_list_hides_no_object_behind_it(grow: Grow) -> None:
    """A word without its suffix, or one that was there before, is passed over by itself."""
    kbuild = build(
        grow,
        {"mm/Makefile": "obj-y := all.o\nall-y := one.o odd two.o one.o note.txt three.o\n"},
        *(f"mm/{name}.c" for name in ("one", "odd", "two", "three")),
    )
    found = {name: kbuild.presence(f"mm/{name}.c") for name in ("one", "odd", "two", "three")}
    assert found == {"one": (), "odd": None, "two": (), "three": ()}


def test_two_ways_to_a_file_need_either(grow: Grow) -> None:
    """A file that two lists name needs less than each of them says."""
    kbuild = build(
        grow,
        {
            "mm/Makefile": "obj-$(CONFIG_FREE) += a.o b.o\nobj-$(CONFIG_OTHER) += a.o\n"
            "obj-y += b.o\n"
        },
        "mm/a.c",
        "mm/b.c",
    )
    assert kbuild.presence("mm/a.c") == ("CONFIG_FREE || CONFIG_OTHER",)
    assert kbuild.presence("mm/b.c") == ()


def test_no_way_to_a_file_is_forgotten_for_a_shorter_one(grow: Grow) -> None:
    """A file with a way of two symbols and one of a third is built by either way."""
    kbuild = build(
        grow,
        {
            "mm/Makefile": "obj-$(CONFIG_THIRD) += a.o\nobj-$(CONFIG_FREE) += ab.o\n"
            "ab-$(CONFIG_OTHER) += a.o\n"
        },
        "mm/a.c",
    )
    assert kbuild.presence("mm/a.c") == (
        "CONFIG_THIRD || CONFIG_FREE",
        "CONFIG_THIRD || CONFIG_OTHER",
    )


def test_conditionals_choose(grow: Grow) -> None:
    """ifdef, ifeq and their else are decided by the configuration."""
    kbuild = build(
        grow,
        {
            "mm/Makefile": "ifdef CONFIG_FREE\nobj-y += a.o\nelse\nobj-y += b.o\nendif\n"
            "ifeq ($(CONFIG_ON),y)\n  ifndef CONFIG_OFF\n  obj-y += c.o\n  endif\n"
            "else ifeq ($(BITS),64)\nobj-y += d.o\nendif\n"
            'ifneq ("$(CONFIG_OFF)$(CONFIG_OTHER)","")\nobj-y += e.o\nendif\n'
            "ifeq ($(CONFIG_BITS),64)\nobj-y += f_$(CONFIG_BITS).o\nendif\n"
            "define rule\nobj-y += b.o\nendef\n"
        },
        *(f"mm/{name}.c" for name in ("a", "b", "c", "d", "e", "f_64")),
    )
    found = {name: kbuild.presence(f"mm/{name}.c") for name in ("a", "b", "c", "d", "e", "f_64")}
    assert found == {
        "a": ("CONFIG_FREE",),
        "b": ("!CONFIG_FREE",),
        "c": (),
        "d": None,
        "e": ("CONFIG_OTHER",),
        "f_64": (),
    }


def test_functions_of_make_are_carried_out(grow: Grow) -> None:
    """Those that kernel Makefiles use on lists of objects."""
    kbuild = build(
        grow,
        {
            "mm/Makefile": "all := a.x b.y\nobj-y := $(patsubst %.x,%.o,$(filter %.x,$(all)))\n"
            "obj-y += $(addsuffix .o,$(addprefix c,1 2)) $(all:.y=.o)\n"
            "obj-$(subst m,y,$(CONFIG_FREE)) += d.o\n"
            "obj-y += $(if $(CONFIG_OFF),e.o,f.o) $(shell echo g.o)\n"
            "include $(srctree)/mm/Makefile.more\n",
            "mm/Makefile.more": "obj-y += h.o\n",
        },
        *(f"mm/{name}.c" for name in ("a", "b", "c1", "c2", "d", "e", "f", "g", "h")),
    )
    built = [
        n
        for n in ("a", "b", "c1", "c2", "d", "e", "f", "g", "h")
        if kbuild.presence(f"mm/{n}.c") is not None
    ]
    assert built == ["a", "b", "c1", "c2", "d", "f", "h"]


def test_the_architecture_adds_its_own(grow: Grow) -> None:
    """Directories of arch/*/Makefile are entered, and its variables are known below."""
    kbuild = build(
        grow,
        {
            "Kbuild": TOP + "obj-y += $(ARCH_CORE) $(ARCH_LIB) $(ARCH_DRIVERS)\n",
            "arch/toy/Makefile": "ifdef CONFIG_ON\nBITS := 64\nendif\nlibs-y += arch/toy/lib/\n"
            "drivers-$(CONFIG_FREE) += arch/toy/pci/\n",
            "arch/toy/Kbuild": "obj-y += mm/\n",
            "arch/toy/mm/Makefile": "obj-y := init_$(BITS).o\n"
            "ccflags-y := -I$(src)/inc -I $(srctree)/mm\n",
            "arch/toy/lib/Makefile": "lib-y := a.o\n",
            "arch/toy/pci/Makefile": "obj-y := a.o\n",
            "lib/Makefile": "lib-y := b.o\n",
        },
        "arch/toy/mm/init_64.c",
        "arch/toy/mm/init_32.c",
        "arch/toy/lib/a.c",
        "arch/toy/pci/a.c",
        "lib/b.c",
    )
    assert kbuild.presence("arch/toy/mm/init_64.c") == ()
    assert kbuild.presence("arch/toy/mm/init_32.c") is None
    assert kbuild.presence("arch/toy/lib/a.c") == ()
    assert kbuild.presence("arch/toy/pci/a.c") == ("CONFIG_FREE",)
    assert kbuild.presence("lib/b.c") == ()
    assert kbuild.include_directories("arch/toy/mm/init_64.c") == ("arch/toy/mm/inc", "mm")


@given(st.text(alphabet="obj-y:=+$()\n\tifdefndeqabc.o/ %,\\#\"'", max_size=160))
def test_any_makefile_is_read(tmp_path_factory: object, text: str) -> None:
    """No text makes the reader fail or hang."""
    folder: Path = tmp_path_factory.mktemp("tree")  # type: ignore[attr-defined]
    (folder / "Kbuild").write_text(text)
    Kbuild(Tree(folder, "0"), CONFIG).presence("a.c")
