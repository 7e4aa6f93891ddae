# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that says what a witness, a reader and a renderer must provide names what there is."""

from __future__ import annotations

import dataclasses
import importlib
import re
from importlib.resources import files
from pathlib import Path

import pytest

from lazymmu.cli.command import VERBS
from lazymmu.report.common import formats
from lazymmu.report.tools.render import TOOLS
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.witness.finding import Finding
from lazymmu.witness.machine.verdict import Counterexample
from lazymmu.witness.trace.values import TraceFinding

TEXT = (Path(__file__).parents[2] / "docs" / "extending.rst").read_text()
NAMES = sorted(set(re.findall(r"(?<!`)`(lazymmu(?:\.\w+)+)`(?!`)", TEXT)))
FIELDS = re.findall(r"^  ``(\w+)``", TEXT, re.MULTILINE)
CODES = {name: int(number) for number, name in re.findall(r"^  (\d) +``(\w+)``", TEXT, re.M)}
RENDERED = {verb: formats.VERBS[verb] for verb in ("check", "trace")}


def found(name: str) -> object:
    """What a dotted name stands for: a module, or something in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            # A field of a frozen class need not be an attribute of the class.
            held = {one.name for one in dataclasses.fields(value)} if _is_data(value) else set()
            value = part if part in held else getattr(value, part)
        return value
    raise ModuleNotFoundError(name)


def _is_data(value: object) -> bool:
    return isinstance(value, type) and dataclasses.is_dataclass(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_on_the_page_exists(name):
    """Whoever follows the page finds the function or type."""
    found(name)


def test_the_page_names_many_and_a_wrong_one_is_noticed():
    """A test that looked nothing up would always pass."""
    assert len(NAMES) > 35
    with pytest.raises(AttributeError):
        found("lazymmu.witness.finding.Finnding")
    with pytest.raises(AttributeError):
        found("lazymmu.snapshot.tree.Tree.lossses")


def test_the_table_of_fields_has_fields_of_every_finding():
    """What it says is always there is there, whatever the witness."""
    assert len(FIELDS) >= 8
    for kind in (Finding, TraceFinding, Counterexample):
        assert issubclass(kind, Finding)
        assert {*FIELDS, "line", "column", "function"} <= {
            one.name for one in dataclasses.fields(kind)
        }


def test_the_table_of_exit_codes_is_that_of_the_program():
    """All but what no answer has: a Ctrl-C."""
    assert {one.name: one.value for one in ExitCode if one is not ExitCode.INTERRUPTED} == CODES


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.NAME)
def test_every_verb_has_what_the_page_asks_for(verb):
    """The command line is made of it."""
    assert isinstance(verb.NAME, str)
    assert isinstance(verb.SUMMARY, str)
    assert callable(verb.add_arguments)
    assert callable(verb.run)


@pytest.mark.parametrize(
    ("verb", "form"), [(verb, form) for verb, forms in RENDERED.items() for form in forms]
)
def test_a_format_is_a_module_with_render_in_the_room_of_its_verb(verb, form):
    """The formats that `check` and `trace` offer; what tools read is in the room that is theirs."""
    (offered,) = (one.FORMATS for one in VERBS if verb == one.NAME)
    assert tuple(offered) == RENDERED[verb]
    room = "tools" if form in TOOLS else verb
    assert callable(importlib.import_module(f"lazymmu.report.{room}.{form}").render)


def test_every_format_is_offered_by_a_verb_and_every_offer_is_in_the_table():
    """The help, the documentation and the completion scripts are made of one table."""
    offered = {one.NAME: tuple(one.FORMATS) for one in VERBS if hasattr(one, "FORMATS")}
    assert {verb: offered[verb] for verb in formats.VERBS} == formats.VERBS
    assert {form for forms in formats.VERBS.values() for form in forms} == set(formats.FORMATS)


def test_a_schema_stands_beside_a_renderer():
    """In the room of a verb, and nowhere else."""
    rooms = [room for room in files("lazymmu.report").iterdir() if room.is_dir()]
    schemas = [one for room in rooms for one in room.iterdir() if one.name.endswith(".schema.json")]
    assert len(schemas) >= 7
