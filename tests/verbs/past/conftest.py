# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository that is made of two trees, a commit a file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.made_history import make

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="session")
def made_repository(tmp_path_factory):
    """From the older example tree to the newer one, with some files that nobody builds.

    Files of mm/ are commits of their own, and the rest is one.
    """
    place = tmp_path_factory.mktemp("history")
    trees = []
    for name in ("linux-old", "linux-new"):
        trees.append(str(place / name))
        shutil.copytree(EXAMPLES / name, place / name)
        for unbuilt in ("aside", "beside"):
            aside = place / name / "mm" / "aside" / f"{unbuilt}.c"
            aside.parent.mkdir(exist_ok=True)
            aside.write_text(f"int of_{name[6:]};\n")
    make(place / "repository", trees, "mm", 40)
    return place / "repository"


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A store that tests share, as runs of one user do."""
    return tmp_path_factory.mktemp("store")
