# SPDX-License-Identifier: GPL-2.0-or-later
"""A function that is too much to be read is lost with a reason, and nothing else is."""

from __future__ import annotations

import pytest

from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.nodes import RETURN, UNPARSED, Function, spell
from lazymmu.kernelc.parse import masks

NESTED = "nested more than 500 deep"


def read(body: str) -> Function:
    """The graph of a function with this body."""
    whole = f"void f(int a)\n{{\n{body}\n}}\n".encode()
    return lower(masks.mask(whole, frozenset({"for_each_x"})), name="f", file="a.c", line=1)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("a = " + " + ".join(["b"] * 8000) + ";", NESTED),
        ("a = " + "(" * 10_000 + "1" + ")" * 10_000 + ";", NESTED),
        ("{" * 10_000 + "g();" + "}" * 10_000, NESTED),
        ("a = " + "a ? 1 : " * 5000 + "2;", NESTED),
        ("a = " + "g(a) ? g(1) : " * 5000 + "2;", NESTED),
        ("if (a)\n" * 5000 + "g();", NESTED),
        ("".join(f"if (a == {n}) g(); else " for n in range(5000)) + "g();", NESTED),
        ("g(" * 5000 + "a" + ")" * 5000 + ";", NESTED),
        ("if (" + " && ".join(["a"] * 5000) + ") g();", NESTED),
        ("a = " + "a && (" * 5000 + "g()" + ")" * 5000 + ";", NESTED),
        ("if (" + "!" * 9000 + "a) g();", NESTED),
        ("a = b" + "->c" * 9000 + ";", NESTED),
        ("for_each_x(a)\n" * 5000 + "g();", NESTED),
        ("a = " + "({" * 5000 + "1;" + "})" * 5000 + ";", NESTED),
        ("guard(mutex)(&m);\nif (a) return;\n" * 5000, "more than 100 guards held at once"),
        ("a = " + "9" * 5000 + ";", "an integer of more than 200 digits"),
        ("if (a && b && g(c)) h();\n" * 5000, "more than 20000 steps"),
        ("g(" + ", ".join(["a + b"] * 60_000) + ");", "more than 50000 expressions and statements"),
        ("a = 1;\n" * 100_000, "longer than 512 kB"),
        ("g(" * 10_000, UNPARSED),
    ],
)
def test_a_function_beyond_a_bound_is_broken_with_the_reason(body: str, why: str) -> None:
    """Its graph is empty: what it does is not known, and nobody can recurse along it."""
    graph = read(body)
    assert graph.broken == why
    if why != UNPARSED:
        assert graph.unread
        assert [node.op for node in graph.nodes if node.op == RETURN] == [RETURN]
        assert list(graph.calls()) == []


def test_a_function_within_the_bounds_is_read() -> None:
    """Four hundred operands, arms and blocks are none too many."""
    for body in (
        "return " + " + ".join(["b"] * 400) + ";",
        "return " + "a ? 1 : " * 400 + "2;",
        "{" * 400 + "g();" + "}" * 400,
        "switch (a) {\n" + "".join(f"case {n}: g({n}); break;\n" for n in range(4000)) + "}",
    ):
        graph = read(body)
        assert graph.broken == ""
        assert all(node.expr is None or spell(node.expr) for node in graph.nodes)


def test_an_integer_that_has_overflowed_is_not_known() -> None:
    """No shift and no product makes a number that memory could not hold."""
    from lazymmu.kernelc.ir.abstract_value import Evaluator, Int

    def value(code: str) -> object:
        graph = read(f"return {code};")
        returned = next(n.expr for n in graph.nodes if n.op == RETURN and n.expr is not None)
        return Evaluator(lambda _name: None).value(returned)

    assert value("1 << 62") == Int(1 << 62)
    assert value("(1 << 63) << 63") is None
    assert value("1 << 1000000000") == Int(0)
    assert value(" * ".join(["18446744073709551615"] * 300)) is None
