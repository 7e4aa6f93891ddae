# SPDX-License-Identifier: GPL-2.0-or-later
"""`--version -v`: what answers here, for a report of a bug."""

from __future__ import annotations

import importlib.metadata
import shutil

import pytest

import lazymmu
from lazymmu.cli import about
from lazymmu.contract.rules import RULES

NAMES = ["python", "engine", "libraries", "programs", "cache", "source", "machines", "contract"]


@pytest.mark.parametrize(
    "options", [["--version", "-v"], ["-v", "--version"], ["--version", "--verbose"]]
)
def test_it_names_engine_libraries_cache_and_kernel_facts(run, options):
    """One line each, as a mail takes them; the first is that of plain --version."""
    ran = run(*options)
    assert (ran.code, ran.err) == (0, "")
    first, *others = ran.out.splitlines()
    assert first == f"lazymmu {lazymmu.__version__}"
    told = dict(line.split(": ", 1) for line in others)
    assert list(told) == NAMES
    assert f"lark {importlib.metadata.version('lark')}" in told["libraries"]
    assert f"{len(RULES)} rules" in told["contract"]
    assert "6.12.8" in told["machines"]


def test_every_library_that_the_project_asks_for_is_named():
    """One that is added is one that a bug may come from."""
    asked = importlib.metadata.requires("lazymmu") or []
    for line in asked:
        name = line.split(";")[0].split(">")[0].strip()
        assert name in about.LIBRARIES


def test_what_is_not_there_is_said_to_be_absent(run, monkeypatch):
    """No traceback for a program or a library that nobody installed."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)
    real = importlib.metadata.version

    def version(name):
        if name == "numba":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(about, "version", version)
    said = run("--version", "-v").out
    assert "numba is not installed" in said
    assert "git: not found (--since, --diff, sarif need it)" in said


@pytest.mark.parametrize("home", ["/nonexistent", "/proc/none", "/dev/null"])
def test_a_home_that_is_none_is_said_and_not_made(run, monkeypatch, home):
    """To ask for the version writes nothing anywhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    ran = run("--version", "-v")
    assert ran.code == 0
    assert f"cache: {home}/lazymmu (" in ran.out


def test_plain_version_stays_one_line(run):
    """Programs compare it, so nothing is added to it."""
    assert run("--version").out == f"lazymmu {lazymmu.__version__}\n"
