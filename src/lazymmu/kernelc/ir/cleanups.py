# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables with a cleanup function whose value is there whenever the function is called.

    DEFINE_FREE(batch, struct batch *, if (_T) batch_end(_T))

    struct batch *b __free(batch) = batch_begin(given);

A begin that hands back what it was handed, and does not ask for it, takes it to be there, as the
constructor of a guard does; so does a function with a pointer that it was given itself.
`no_free_ptr()` and what else may empty the variable leave it open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lazymmu.kernelc.ir.expr import (
    Address,
    AnyCall,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Not,
)
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    RETURN,
    SWITCH,
    Function,
    Node,
    calls_in,
    strip_casts,
    uses,
    walk,
    writes,
)

__all__ = ["keeps_value"]

Finder = Callable[[str], Function | None]
"""The function that a name means, None when it is none, or a macro."""


def keeps_value(graph: Function, variable: str, find: Finder) -> bool:
    """Whether a variable is given but what is taken to be there, and is never emptied.

    :param graph: the function that has the variable, before its scopes are filled.
    """
    given = list(_given(graph, variable))
    if not given or not all(_handed_back(v, find) or _is_own(v, graph) for v in given):
        return False
    handed = [call for call in _calls(graph) if Name(variable) in map(strip_casts, call.args)]
    return all(call.name is not None and find(call.name) is not None for call in handed)


def _given(graph: Function, variable: str) -> Iterator[Expr | None]:
    """What a variable is given; None for what cannot be seen."""
    for index, node in enumerate(graph.nodes):
        if node.expr is None or index in graph.scoped:
            continue
        for target, value in writes(node.expr):
            if target == Name(variable):
                yield value
        if Address(Name(variable)) in walk(node.expr):
            yield None


def _calls(graph: Function) -> Iterator[AnyCall]:
    for node in graph.nodes:
        yield from calls_in(node.expr) if node.expr is not None else ()


def _handed_back(value: Expr | None, find: Finder) -> bool:
    """Whether a value is what a function was handed, which does not ask whether it is there."""
    call = strip_casts(value) if value is not None else None
    if not isinstance(call, Call) or call.name is None:
        return False
    begin = find(call.name)
    if begin is None:
        return False
    said = {strip_casts(n.expr) for n in begin.nodes if n.op == RETURN and n.expr is not None}
    own = {v.spelling for v in said if isinstance(v, Name) and v.spelling in begin.params}
    written = {t for n in begin.nodes if n.expr is not None for t, _ in writes(n.expr)}
    asked = {name for node in begin.nodes for name in _asked(node)}
    return len(said) == len(own) > 0 and not (own & asked or written & set(map(Name, own)))


def _is_own(value: Expr | None, graph: Function) -> bool:
    """Whether a value is a pointer that a function was given, and neither asks for nor changes."""
    name = strip_casts(value) if value is not None else None
    if not isinstance(name, Name) or name.spelling not in graph.params:
        return False
    pointer = graph.types.get(name.spelling, "").endswith("*")
    written = {t for n in graph.nodes if n.expr is not None for t, _ in writes(n.expr)}
    asked = {used for node in graph.nodes for used in _asked(node)}
    return pointer and name not in written and name.spelling not in asked


def _asked(node: Node) -> Iterator[str]:
    """The variables that a node asks for."""
    if node.expr is None:
        return
    if node.op in (BRANCH, SWITCH):
        yield from uses(node.expr)
    for part in walk(node.expr):
        match part:
            case Conditional(test):
                yield from uses(test)
            case Not() | Binary("&&" | "||" | "==" | "!="):
                yield from uses(part)
