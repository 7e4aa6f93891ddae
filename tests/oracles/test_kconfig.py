# SPDX-License-Identifier: GPL-2.0-or-later
"""kconfiglib, and the kernel's own conf, reach the states of options that our reader says.

For a made-up file every way to answer what is asked is tried. What our reader says is always on is
on in all of them, and what it says is never on is off; where it says that somebody may choose, most
often both are seen. That they need not be is a limit of it (kernelc/config/kconfig_solver.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from lazymmu.kernelc import arch_profile
from lazymmu.kernelc.arch_profile import Forced, Profile
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.snapshot.tree import Tree
from tests.oracles.kconfigs import MadeUp, Reach, by_conf, by_kconfiglib, kconfigs

CASES = int(os.environ.get("LAZYMMU_FUZZ", "25"))
ORACLE = partial(
    settings, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TOY = Profile("toy", "a toy", "toy", {"MODULES": Forced("y", "as every profile has it")})
BOTH = {True, False}
ALLOWED: Mapping[str, set[bool]] = {"y": {True}, "n": {False}, "free": BOTH, "either": BOTH}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with nothing in it but a place for a Kconfig file."""
    root = tmp_path_factory.mktemp("toy")
    for folder in ("arch", "include/linux", "mm"):
        (root / folder).mkdir(parents=True)
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 8\n")
    return root


@pytest.fixture(scope="session")
def build_conf(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Build the configuration program of a kernel tree, outside of it."""
    missing = [name for name in ("gcc", "flex", "bison") if shutil.which(name) is None]

    def build(tree: Path) -> Path:
        if missing:
            pytest.skip(f"the kernel's conf is built with {', '.join(missing)}, which is not here")
        home = tmp_path_factory.mktemp("conf")
        for folder in ("kconfig", "include"):
            if (tree / "scripts" / folder).is_dir():
                shutil.copytree(tree / "scripts" / folder, home / folder)
        units = ("conf", "confdata", "expr", "menu", "preprocess", "symbol", "util")
        files = [f"{name}.c" for name in (*units, "lexer.lex", "parser.tab")]
        for command in (
            ["flex", "-L", "-o", "lexer.lex.c", "lexer.l"],
            ["bison", "-t", "-l", "-o", "parser.tab.c", "-d", "parser.y"],
            ["gcc", "-w", "-I.", "-I../include", *files, "-o", "../conf"],
        ):
            subprocess.run(command, cwd=home / "kconfig", check=True, capture_output=True)
        return home / "conf"

    return build


def config_of(root: Path, made: MadeUp) -> Config:
    """What our reader makes of a file."""
    (root / "Kconfig").write_text(made.text)
    return solve(Tree.open(root), TOY)


def unsound(root: Path, made: MadeUp, reach: Reach) -> list[str]:
    """The symbols that are in some configuration what our reader says they never are."""
    config = config_of(root, made)
    return [
        f"{name} is {config.may(name)} and was seen {states}"
        for name, states in reach(root, made).items()
        if not states <= ALLOWED[config.may(name)]
    ]


@given(made=kconfigs(plain=False))
@ORACLE(max_examples=CASES)
def test_what_is_decided_is_so_in_every_configuration(toy: Path, made: MadeUp) -> None:
    """Negations, comparisons, choices, selects and defaults decide no more than they should."""
    pytest.importorskip("kconfiglib")
    assert unsound(toy, made, by_kconfiglib) == [], made.text


@given(made=kconfigs(plain=True))
@ORACLE(max_examples=CASES)
def test_tristate_options_are_on_and_off_where_they_can_be(toy: Path, made: MadeUp) -> None:
    """A module counts as on, so that what it selects and what depends on it can be on."""
    pytest.importorskip("kconfiglib")
    assert unsound(toy, made, by_kconfiglib) == [], made.text


def test_nearly_all_that_somebody_may_choose_is_seen_both_ways(toy: Path) -> None:
    """Options that exclude each other are said to be open where they are not: a tenth at most."""
    pytest.importorskip("kconfiglib")
    seen: Counter[bool] = Counter()

    @given(made=kconfigs(plain=False))
    @ORACLE(max_examples=60, derandomize=True, database=None)
    def count(made: MadeUp) -> None:
        config = config_of(toy, made)
        for name, states in by_kconfiglib(toy, made).items():
            seen[states == ALLOWED[config.may(name)]] += 1

    count()
    assert seen[True] > 200
    assert seen[False] * 10 <= seen.total()


def test_the_kernels_own_program_agrees(toy: Path, kernel_tree, build_conf) -> None:
    """kconfiglib is of 2020; the program of a recent tree reaches no state that is denied, too."""
    conf = build_conf(kernel_tree("6.12.8"))

    @given(made=kconfigs(plain=False, most=2))
    @ORACLE(max_examples=12, derandomize=True, database=None)
    def hold(made: MadeUp) -> None:
        assert unsound(toy, made, partial(by_conf, conf)) == [], made.text

    hold()


GCC_13 = """\
#!/bin/sh
exec gcc -U__GNUC__ -D__GNUC__=13 -U__GNUC_MINOR__ -D__GNUC_MINOR__=2 "$@"
"""


@pytest.mark.parametrize(
    ("version", "mode"), [("6.12.8", "--randconfig"), ("7.3", "--alldefconfig")]
)
def test_a_real_configuration_is_one_that_we_allow(
    version: str, mode: str, kernel_tree, build_conf, tmp_path: Path
) -> None:
    """x86's options in a configuration of the tree's own program are as the profile's solution."""
    tree = kernel_tree(version)
    conf, profile = build_conf(tree), arch_profile.load("x86")
    config = solve(Tree.open(tree), profile)
    (tmp_path / "cc").write_text(GCC_13)  # the profile's compiler
    (tmp_path / "cc").chmod(0o755)
    asked = {"X86_64", "XEN", "XEN_PV", "SMP", "PREEMPT", "PARAVIRT", "MODULES", "HYPERVISOR_GUEST"}
    off = ("EXPERT", "COMPILE_TEST", "PREEMPT_RT")
    (tmp_path / "all.config").write_text(
        "".join(f"CONFIG_{name}=y\n" for name in sorted(asked))
        + "".join(f"# CONFIG_{name} is not set\n" for name in off)
    )
    tools = {
        name.upper(): name for name in ("ld", "ar", "nm", "objcopy", "rustc", "bindgen", "pahole")
    }
    environment = tools | {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "srctree": str(tree),
        "ARCH": "x86",
        "SRCARCH": "x86",
        "CC": str(tmp_path / "cc"),
        "HOSTCC": "gcc",
        "CC_VERSION_TEXT": "gcc 13.2",
        "KERNELVERSION": version,
        "KCONFIG_ALLCONFIG": "all.config",
        "KCONFIG_SEED": "1",
    }
    # In a folder of its own: the program writes beside the configuration what it made of it.
    subprocess.run(
        [conf, mode, "Kconfig"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    lines = (tmp_path / ".config").read_text().splitlines()
    on = {line[7:-2] for line in lines if line[:7] == "CONFIG_" and line[-2:] in ("=y", "=m")}
    assert len(on) > 400
    assert asked <= on
    known = set(profile.config)
    assert {name for name in on - known if config.may(name) == "n"} == set()
    assert {name for name in config.on - on - known if config.may(name) == "y"} == set()
