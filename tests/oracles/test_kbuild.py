# SPDX-License-Identifier: GPL-2.0-or-later
"""GNU make, and kmax, build the objects that our reader of Makefiles says, for each configuration.

kmax computes presence conditions as we do, and is the peer; where the two differ make decides. Of
these Makefiles it reads some otherwise than make does, and makefiles.toml names those.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config
from lazymmu.snapshot.tree import Tree
from tests.oracles import kmax

OPTIONS = ("CONFIG_A", "CONFIG_B", "CONFIG_C")
CONFIGURATIONS = [
    frozenset(itertools.compress(OPTIONS, chosen))
    for chosen in itertools.product((False, True), repeat=len(OPTIONS))
]
MAKEFILES = kmax.read()

# As scripts/Makefile.build has them before it reads a Makefile: what is added is expanded at once.
BEFORE = "obj-y :=\nobj-m :=\nlib-y :=\nlib-m :=\n"

# What scripts/Makefile.lib makes of the lists: an object with a list of its own stands for that.
ANSWER = """
expand = $(foreach one,$(1),$(or $(call expand,$($(one:.o=-y)) $($(one:.o=-objs))),$(one)))
answer: ; @echo $(sort $(call expand,$(obj-y) $(obj-m) $(lib-y) $(lib-m)))
"""


@pytest.fixture(params=MAKEFILES, ids=lambda one: one["name"])
def makefile(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each of the Makefiles."""
    return request.param


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str, frozenset[str]], set[str]]:
    """The objects that make builds of a Makefile in a configuration."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")

    def run(text: str, on: frozenset[str]) -> set[str]:
        (tmp_path / "Makefile").write_text(BEFORE + text + ANSWER)
        done = subprocess.run(
            ["make", "-s", "answer", *(f"{name}=y" for name in sorted(on))],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return set(done.stdout.split())

    return run


def words(makefile: dict[str, Any]) -> set[str]:
    """Every object that a Makefile names."""
    return {word for word in makefile["text"].split() if word.endswith(".o")}


def composites(makefile: dict[str, Any]) -> set[str]:
    """The objects that are put together of others, and have no source."""
    own = re.findall(r"^([\w-]+?)-(?:y|objs|\$\(\w+\)) ", makefile["text"], re.MULTILINE)
    return {f"{name}.o" for name in own}


def test_twenty_makefiles_are_held_against_others():
    """The file has twenty Makefiles, each of another kind."""
    assert len({one["name"] for one in MAKEFILES}) == 20


def test_each_configuration_builds_what_make_builds(makefile, made, tmp_path_factory) -> None:
    """With every option decided a file is built where make builds it, and not where not."""
    root = tmp_path_factory.mktemp("tree")
    for folder in ("arch", "include/linux", "mm"):
        (root / folder).mkdir(parents=True)
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 8\n")
    (root / "Kconfig").write_text("")
    (root / "Kbuild").write_text("obj-y += mm/\n")
    (root / "mm" / "Makefile").write_text(makefile["text"])
    for name in words(makefile) - composites(makefile):
        (root / "mm" / name).with_suffix(".c").write_text("")
    for on in CONFIGURATIONS:
        config = Config([name.removeprefix("CONFIG_") for name in on], [], {})
        kbuild = Kbuild(Tree.open(root), config, Profile("toy", "a toy", "toy"))
        ours = {
            name
            for name in words(makefile) - composites(makefile)
            if kbuild.presence(f"mm/{name.removesuffix('.o')}.c") is not None
        }
        assert ours == made(makefile["text"], on), sorted(on)


def by_kmax(makefile: dict[str, Any], on: frozenset[str]) -> set[str]:
    """The objects with a source that are built by kmax's answer."""
    conditions = {name: kmax.tree(when) for name, when in makefile.get("built", {}).items()}
    return {name for name, when in conditions.items() if kmax.holds(when, on)} - composites(
        makefile
    )


def test_kmax_gives_the_same_answer_where_make_does_not_contradict_it(makefile, made) -> None:
    """A presence condition by kmax is what make does, but for the Makefiles that say why not."""
    answers = {on: made(makefile["text"], on) for on in CONFIGURATIONS}
    same = all(by_kmax(makefile, on) == answer for on, answer in answers.items())
    assert same is ("kmax" not in makefile), makefile.get("kmax")


def test_the_answers_of_kmax_are_those_that_were_kept(makefile) -> None:
    """Where kmax is installed it is asked anew, and its answers mean the same."""
    program = shutil.which("kmax")
    if program is None:
        pytest.skip("there is no kmax")
    anew = kmax.ask(program, makefile["text"])
    kept = makefile.get("built", {})
    assert anew.keys() == kept.keys()
    for name, when in anew.items():
        for on in CONFIGURATIONS:
            assert kmax.holds(kmax.tree(when), on) == kmax.holds(kmax.tree(kept[name]), on), name
