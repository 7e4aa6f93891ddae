# SPDX-License-Identifier: GPL-2.0-or-later
"""What `lazymmu` exports says what it takes and returns, in one form that Sphinx renders."""

from __future__ import annotations

import dataclasses
import inspect
import re

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
