# SPDX-License-Identifier: GPL-2.0-or-later
"""The package as a library: cheap to import, typed, and with a version."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import lazymmu

TOP = Path(__file__).parents[2]


def test_importing_the_package_imports_nothing_heavy():
    """A program that may need one check pays for it when it makes one."""
    code = "import lazymmu, sys; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert not modules & {"rich", "tree_sitter", "argparse", "lazymmu.kernelc", "lazymmu.contract"}


def test_the_version_is_that_of_the_project_file():
    """The installed package, `--version` and the tarball's project file agree."""
    if lazymmu.__version__ == "unknown":
        pytest.skip("lazymmu is not installed here (run from a checkout)")
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert lazymmu.__version__ == project["version"]


def test_an_attribute_that_does_not_exist_is_an_attribute_error():
    """`hasattr` and type checkers see an ordinary module."""
    assert not hasattr(lazymmu, "chekc")


def test_the_package_ships_its_marker_and_its_schema():
    """Users' type checkers read our types, and programs the schema of our JSON."""
    assert files("lazymmu").joinpath("py.typed").is_file()
    assert files("lazymmu.report.check").joinpath("check.schema.json").is_file()
