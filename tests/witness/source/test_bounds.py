# SPDX-License-Identifier: GPL-2.0-or-later
"""What is too much to be walked or looked at is listed, and unreadable callees are unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.ir.nodes import BRANCH, NOP, RETURN, Function, Node
from lazymmu.snapshot.conflict_markers import CONFLICT
from lazymmu.witness.source import blind_spots, users
from lazymmu.witness.source.function import liveness
from lazymmu.witness.source.function.shape import FunctionFacts
from lazymmu.witness.source.interproc import summaries
from lazymmu.witness.source.path import walker

USES = "void user(int a)\n{{\n\tlazy_mmu_mode_enable();\n{0}\tlazy_mmu_mode_disable();\n}}\n"


def hidden(seen: Any) -> list[str]:
    """Why a check without findings does not mean clean."""
    return [lost.reason for lost in blind_spots.of_walker(seen.walker)]


def avoidable(graph: Function, index: int) -> bool:
    """The definition: some path returns without passing the node."""
    seen, todo = {index}, [0]
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            if graph.nodes[at].op == RETURN:
                return True
            todo.extend(graph.nodes[at].succ)
    return False


@given(st.lists(st.lists(st.integers(0, 9), max_size=2), min_size=1, max_size=10))
def test_what_every_path_passes(edges: list[list[int]]) -> None:
    """All such nodes at once are those that can be told one by one."""
    count = len(edges)
    nodes = [
        Node((RETURN, NOP, BRANCH)[len(to)], None, 1, 1, [at % count for at in to]) for to in edges
    ]
    graph = Function("f", "a.c", 1, (), {}, "", nodes)
    shape = FunctionFacts.of(graph)
    for index in range(count):
        assert shape.always(graph, index) == (not avoidable(graph, index))


@pytest.mark.parametrize("deep", [1, summaries.MAX_DEPTH + 1, summaries.MAX_DEPTH + 2, 40])
def test_what_a_call_comes_to_is_followed_to_a_depth(kernel: Callable[..., Any], deep: int) -> None:
    """A chain of calls that is longer than the bound is not followed to its end."""
    chain = "".join(f"void f{n}(void)\n{{\n\tf{n - 1}();\n}}\n" for n in range(1, deep + 1))
    seen = kernel("void f0(void)\n{\n\tmsleep(1);\n}\n" + chain + USES.format(f"\tf{deep}();\n"))
    found = [one.rule for one in seen.findings()]
    assert found == (["sleep-in-section"] if deep < summaries.MAX_DEPTH + 1 else [])


def test_more_conditions_than_can_be_remembered(
    kernel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function is not walked, and listed with the bound."""
    monkeypatch.setattr(liveness, "MAX_REMEMBERED", 20)
    body = "".join(f"\tif (c{n})\n\t\tf();\n" for n in range(9)) * 2
    seen = kernel(USES.format(body))
    seen.roots()
    assert ["conditions to remember" in why for why in hidden(seen)] == [True]


def test_more_sets_of_constants_than_are_told_apart(
    kernel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function is looked at without any from then on, and listed."""
    monkeypatch.setattr(summaries, "MAX_BINDINGS", 3)
    callee = "void g(int n)\n{\n\tif (n > 7)\n\t\tmsleep(1);\n}\n"
    seen = kernel(callee + USES.format("".join(f"\tg({n});\n" for n in range(6))))
    seen.roots()
    assert hidden(seen) == ["called with more than 3 sets of constants"]


def test_roots_share_what_may_be_walked(
    kernel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the first have had it all, those after them have little each."""
    monkeypatch.setattr(walker, "MAX_IN_ALL", 10)
    monkeypatch.setattr(walker, "MAX_THEN", 5)
    many = "".join(USES.replace("user", f"u{n}").format("\tf();\n\tg();\n") for n in range(3))
    seen = kernel(many)
    seen.roots()
    assert set(hidden(seen)) == {"more than 5 states in what it calls"}


HALF = (
    "static void begin_it(void)\n{{\n{0}}}\n\n"
    "void user(void)\n{{\n\tbegin_it();\n\tlazy_mmu_mode_disable();\n}}\n"
)
MARKS = "<<<<<<< a\n\tlazy_mmu_mode_enable();\n=======\n\tlazy_mmu_mode_enable();\n>>>>>>> b\n"


def test_nothing_is_found_in_what_is_in_conflict_nor_in_its_callers(
    kernel: Callable[..., Any],
) -> None:
    """The caller of a half that cannot be read is not told to have no other half."""
    seen = kernel(HALF.format(MARKS))
    seen.call_transfer.cannot_read(
        d for d in seen.source.naming("lazy_mmu") if seen.program.function(d).broken
    )
    assert [raw for root in seen.roots() for raw in root.raw_reports] == []
    assert list(seen.program.unparsed.values()) == [("begin_it", CONFLICT)]
    assert hidden(seen) == [CONFLICT, "calls begin_it(), which could not be read"]


def test_callers_are_not_looked_for_without_end(
    kernel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions that leave the mode open after so many others are listed."""
    monkeypatch.setattr(users, "MAX_SEARCHES", 2)
    seen = kernel(
        "".join(f"void f{n}(void)\n{{\n\tlazy_mmu_mode_enable();\n}}\n" for n in range(4))
        + "void end(void)\n{\n\tlazy_mmu_mode_disable();\n}\n"
    )
    assert sum(len(list(root.raw_reports)) for root in seen.roots()) == 5
    assert set(hidden(seen)) == {"its callers are not looked for, after those of 2 functions"}
