# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections begun and ended through a table of functions: followed, or told to be a loss."""

from __future__ import annotations

import pytest

from tests.witness.source.same_as_plain import CALLS, INCLUDE, Seen, plain, seen, users

BOTH = pytest.mark.parametrize("which", ["new", "old"])

TABLE = """
struct batch_ops { void (*begin)(void); void (*end)(void); };
struct batch { const struct batch_ops *ops; int nr; };
static const struct batch_ops batch_ops = { .begin = BEGIN, .end = END };
static void nothing(void)
{
}
static const struct batch_ops no_ops = { .begin = nothing, .end = nothing };
"""


def told(which: str, begin: str, end: str, local: str, more: str = "") -> Seen:
    """What an example tree comes to with three functions that use a table."""
    table = TABLE.replace("BEGIN", CALLS[which][0]).replace("END", CALLS[which][1])
    begin, end = (
        text.replace("BEGIN", CALLS[which][0]).replace("END", CALLS[which][1])
        for text in (begin, end)
    )
    return seen(which, INCLUDE + table + more + users(begin, end, local), {})


@BOTH
@pytest.mark.parametrize(
    ("begin", "end", "local"),
    [
        ("batch_ops.begin()", "batch_ops.end()", ""),
        ("(&batch_ops)->begin()", "(&batch_ops)->end()", ""),
        ("if (batch_ops.begin) batch_ops.begin()", "if (batch_ops.end) batch_ops.end()", ""),
        ("ops->begin()", "ops->end()", "const struct batch_ops *ops = &batch_ops;\n\t"),
        ("b.ops->begin()", "b.ops->end()", "struct batch b = { .ops = &batch_ops };\n\t"),
        ("b.ops = &batch_ops; b.ops->begin()", "b.ops->end()", "struct batch b;\n\t"),
        ("b.nr = 1; b.ops->begin()", "b.ops->end()", "struct batch b = { .ops = &batch_ops };\n\t"),
    ],
)
def test_a_table_that_a_function_calls_by_itself_is_followed(
    which: str, begin: str, end: str, local: str
) -> None:
    """By its name, by a pointer, and by a member of a structure that the function has to itself."""
    assert told(which, begin, end, local) == plain(which)


@BOTH
@pytest.mark.parametrize(
    ("begin", "end", "local", "more"),
    [
        (
            "start(&batch_ops)",
            "stop(&batch_ops)",
            "",
            "static void start(const struct batch_ops *ops)\n{\n\tops->begin();\n}\n"
            "static void stop(const struct batch_ops *ops)\n{\n\tops->end();\n}\n",
        ),
        (
            "ops->begin()",
            "ops->end()",
            "const struct batch_ops *ops = chosen();\n\t",
            "static const struct batch_ops *chosen(void)\n{\n\treturn &batch_ops;\n}\n",
        ),
        (
            "ops->begin()",
            "ops->end()",
            "const struct batch_ops *ops = addr > 5 ? &batch_ops : &no_ops;\n\t",
            "",
        ),
        (
            "change(&b); b.ops->begin()",
            "b.ops->end()",
            "struct batch b = { .ops = &batch_ops };\n\t",
            "void change(struct batch *b);\n",
        ),
        (
            "(*fn)(batch_ops.begin)",
            "(*fn)(batch_ops.end)",
            "void (*fn)(void (*which)(void)) = do_it;\n\t",
            "void do_it(void (*which)(void));\n",
        ),
        ("b.ops->begin()", "b.ops->end()", "struct batch b = { &batch_ops };\n\t", ""),
        (
            "b.ops->begin(); BEGIN()",
            "END(); b.ops->end()",
            "struct batch b = { &batch_ops };\n\t",
            "",
        ),
        ("now->begin()", "now->end()", "", "static const struct batch_ops *now = &batch_ops;\n"),
        ("top.ops->begin()", "top.ops->end()", "", "static struct batch top = { &batch_ops };\n"),
        (
            "kept->ops->begin()",
            "kept->ops->end()",
            "",
            "extern struct batch *kept;\nvoid keep(void)\n{\n\tkept->ops = &batch_ops;\n}\n",
        ),
    ],
)
def test_a_table_that_goes_to_anybody_else_is_a_loss(
    which: str, begin: str, end: str, local: str, more: str
) -> None:
    """Nobody was seen to call it there, and nothing is said to be clean."""
    result = told(which, begin, end, local, more)
    assert {file for file, _ in result.blind} == {"mm/own.c"}


@BOTH
def test_a_variable_and_a_member_of_a_table_s_name_are_none(which: str) -> None:
    """What only has the same name takes nothing anywhere."""
    more = (
        "struct other { int batch_ops; };\n"
        "int count(struct other *one, int nr)\n{\n\tint batch_ops = nr;\n\n"
        "\treturn one->batch_ops + batch_ops;\n}\n"
    )
    assert told(which, "batch_ops.begin()", "batch_ops.end()", "", more) == plain(which)
