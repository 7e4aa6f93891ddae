# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures of the documentation: made from the code, and whole."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lazymmu.contract.deferral import ROWS

TOP = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def pictures():
    """The module that makes them, as Sphinx imports it."""
    sys.path.insert(0, str(TOP / "docs"))
    try:
        yield importlib.import_module("pictures")
    finally:
        sys.path.remove(str(TOP / "docs"))


@pytest.fixture(scope="module")
def drawn(pictures):
    """Each picture, parsed, by its name."""
    return {name: ElementTree.fromstring(text) for name, text in pictures.pictures().items()}


def words(picture):
    """All that is written in a picture."""
    return " ".join("".join(text.itertext()) for text in picture.iter(f"{SVG}text"))


def test_a_picture_says_what_it_shows_and_nothing_lies_outside(drawn):
    """Who cannot see it hears its title; what is drawn is within its frame."""
    for picture in drawn.values():
        assert picture.find(f"{SVG}title").text == picture.get("aria-label")
        width, height = (float(picture.get(side)) for side in ("width", "height"))
        for box in picture.iter(f"{SVG}rect"):
            assert float(box.get("x", 0)) + float(box.get("width")) <= width
            assert float(box.get("y", 0)) + float(box.get("height")) <= height


def test_all_packages_and_all_architectures_are_drawn(drawn):
    """What comes to the code comes to its pictures."""
    layers = words(drawn["layers.svg"]).split()
    packages = {path.parent.name for path in (TOP / "src" / "lazymmu").glob("*/__init__.py")}
    assert packages <= set(layers)
    assert set(ROWS) <= set(words(drawn["deferral.svg"]).split())
    assert {"off", "on", "paused"} <= set(words(drawn["states.svg"]).split())


def test_the_pages_beside_the_documentation_name_no_folder_of_this_machine(pictures):
    """They are published, and nobody needs to know where they were made."""
    for text in pictures.pages().values():
        assert str(TOP) not in text
        assert len(text) < 1_000_000
