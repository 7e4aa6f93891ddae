# SPDX-License-Identifier: GPL-2.0-or-later
"""What `lazymmu` exports says what it takes and returns, in one form that Sphinx renders."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lazymmu

PUBLIC = [name for name in lazymmu.__all__ if name != "__version__"]
RUN_IN = re.compile(r"^\s*\w+: [^;]+;", re.MULTILINE)
"""A list of arguments in prose ("request: the question; arches: ..."), which renders as one."""


def texts(public):
    """The docstrings of a public thing and of its public members, each with its name."""
    yield public.__name__, inspect.getdoc(public) or ""
    for name, member in vars(public).items() if inspect.isclass(public) else ():
        function = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and inspect.isfunction(function):
            yield f"{public.__name__}.{name}", inspect.getdoc(function) or ""


def described(public):
    """The names that `:param:` describes, for a class in the classes that it is made from, too."""
    classes = inspect.getmro(public) if inspect.isclass(public) else [public]
    return {
        name for one in classes for name in re.findall(r":param (\w+):", inspect.getdoc(one) or "")
    }


def taken(public):
    """The names of what a function takes, or of what a value is made of."""
    if dataclasses.is_dataclass(public):
        return {field.name for field in dataclasses.fields(public)}
    if inspect.isclass(public):
        return set()
    return set(inspect.signature(public).parameters)


@pytest.mark.parametrize("name", PUBLIC)
def test_each_argument_of_what_is_public_is_described_in_one_form(name):
    """Each parameter and field of what `lazymmu` exports has its `:param:`."""
    public = getattr(lazymmu, name)
    assert described(public) == taken(public)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_function_says_what_it_returns_and_raises(name):
    """A caller learns of results and errors where Sphinx shows them, and never in passing."""
    public = getattr(lazymmu, name)
    if inspect.isfunction(public):
        assert ":returns:" in (inspect.getdoc(public) or "")
        assert ":raises lazymmu.Problem:" in (inspect.getdoc(public) or "")
    for where, text in texts(public):
        assert not re.search(r"(?<!:)\b[Rr]aises \w", text), where


@pytest.mark.parametrize("name", PUBLIC)
def test_no_public_docstring_lists_its_arguments_in_prose(name):
    """A list that runs on in a paragraph is rendered as a paragraph, so there is none."""
    for where, text in texts(getattr(lazymmu, name)):
        assert not RUN_IN.search(text), where
        assert text.split("\n\n")[0].rstrip().endswith("."), where


SOURCE = Path(lazymmu.__file__).parent
PARAGRAPH = re.compile(r"^(\w+)(?:, \w+)*: ")
RAISES = re.compile(r"(?:^|[.;] +)[Rr]aises +`?[A-Z]")


def defined(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes of a module without an underscore, and the methods of those."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            yield from defined(node.body) if isinstance(node, ast.ClassDef) else ()


def arguments(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    """What a function takes, or of what a value is made."""
    if isinstance(node, ast.FunctionDef):
        spelt = node.args
        return {one.arg for one in (*spelt.posonlyargs, *spelt.args, *spelt.kwonlyargs)}
    made = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
    fields = [one.target for one in node.body if isinstance(one, ast.AnnAssign)]
    return {one.id for one in fields if isinstance(one, ast.Name)}.union(*map(arguments, made))


def run_in(text: str) -> list[str]:
    """The public things of a module whose docstring lists arguments or errors in prose."""
    wrong = []
    for node in defined(ast.parse(text).body):
        said = ast.get_docstring(node) or ""
        listed = [PARAGRAPH.match(paragraph) for paragraph in said.split("\n\n")[1:]]
        named = {one[1] for one in listed if one} & arguments(node)
        if named or (isinstance(node, ast.FunctionDef) and RAISES.search(" ".join(said.split()))):
            wrong.append(f"{node.lineno} {node.name}")
    return wrong


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_arguments_and_errors_stand_in_fields_all_over_the_product(path):
    """Whatever has no underscore has one form: `:param NAME:` and `:raises ERROR:`, not a list."""
    assert run_in(path.read_text()) == []


def test_a_list_in_prose_is_seen_wherever_it_stands():
    """A function, a method and a value with such a list are each told, and fields are not."""
    text = """
def first(name): "What.\\n\\nname: of it; other: not."
class Value:
    "A value.\\n\\nsize, name: in bytes; name: as told."
    size: int
    def method(self): "What; raises Problem with the reason."
def fine(name): "What.\\n\\n:param name: of it.\\n:raises Problem: it is not there."
def _own(name): "What.\\n\\nname: of it."
"""
    assert [one.partition(" ")[2] for one in run_in(text)] == ["first", "Value", "method"]
