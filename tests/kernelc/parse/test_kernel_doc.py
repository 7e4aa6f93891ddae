# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments above definitions."""

from __future__ import annotations

import pytest

from lazymmu.kernelc.parse.kernel_doc import doc_context
from lazymmu.kernelc.parse.slices import definitions

BODY = "{\n\treturn 0;\n}\n"


def context(text: str) -> str:
    """The Context section above the last definition of a text."""
    return doc_context(text.encode(), definitions(text.encode())[-1])


def test_a_context_section_is_read_to_the_next_section() -> None:
    """Lines are joined, and the words of other sections are not part of it."""
    text = (
        "/**\n * frob() - frob a box.\n * @box: the box. Context: not this.\n *\n"
        " * Context: May sleep. Takes and\n *   releases the lock.\n *\n * It goes on.\n"
        " * Return: 0.\n */\nstatic int\nfrob(struct box *box)\n" + BODY
    )
    assert context(text) == "May sleep. Takes and releases the lock. It goes on."


@pytest.mark.parametrize("word", ["Context", "context", "CONTEXT", "Locking"])
def test_the_word_may_be_written_in_several_ways(word: str) -> None:
    """kernel-doc sections are found whatever their case; Locking says the same."""
    text = f"/**\n * frob - frob\n * {word}:\tany context\n */\nint frob(void)\n{BODY}"
    assert context(text) == "any context"


def test_several_sections_are_all_returned() -> None:
    """Each on a line of its own."""
    text = (
        f"/**\n * f - f\n * Context: one\n * Note: two\n * Context: three\n */\nint f(void)\n{BODY}"
    )
    assert context(text) == "one\nthree"


def test_attributes_and_conditions_may_stand_between() -> None:
    """An #if or an attribute on a line of its own does not part a comment from its function."""
    text = f"/**\n * f - f\n * Context: any\n */\n#ifdef CONFIG_A\n__odd\nint f(void)\n{BODY}"
    assert context(text) == "any"


@pytest.mark.parametrize(
    "between",
    ["int g;\n", "/* another */\n", "#define X 1\n", "EXPORT(g);\n"],
)
def test_a_comment_that_is_not_right_above_is_none(between: str) -> None:
    """What stands between belongs to something else."""
    text = f"/**\n * g - g\n * Context: any\n */\n{between}int f(void)\n{BODY}"
    assert context(text) == ""


def test_an_ordinary_comment_has_no_sections() -> None:
    """An ordinary comment has no sections, because only kernel-doc is read."""
    assert context(f"/*\n * Context: any\n */\nint f(void)\n{BODY}") == ""
    assert context(f"int f(void)\n{BODY}") == ""
    assert context("/**\n * m() - m\n * Context: any\n */\n#define m(x) (x)\n") == "any"
