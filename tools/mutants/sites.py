# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a function can be changed, found by its syntax.

Left alone is what decides nothing: annotations, docstrings, what an exception says, assertions, and
text with blanks in it, which is for people and may be worded otherwise. So is code outside of
functions.
"""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.mutants import operators
from tools.mutants.operators import Change, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef

_SKIPPED: Final = frozenset(
    {"annotation", "returns", "decorator_list", "type_params", "ctx", "op", "ops", "type_comment"}
)

_ASKS: Final = frozenset({"isinstance", "issubclass", "getattr", "setattr", "hasattr", "cast"})
"""Functions whose arguments cannot change places: any call of theirs would fail."""

LONGEST: Final = 110
"""Characters of a text by which a change is known."""

_EMPTY: Final = {
    **{name: f"{name}()" for name in ("tuple", "list", "set", "frozenset", "dict")},
    "sorted": "[]",
}


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One change of the code: in which module and function, what kind of, and to what text.

    `number`: which of the places in that function that the kind fits; `again`: how many of those
    before it have the same text.
    """

    module: str
    owner: str
    kind: str
    text: str
    number: int
    again: int
    family: str
    lines: range

    @property
    def name(self) -> str:
        """What it is called in the data file: without the module, which may move."""
        return operators.title(self.owner, self.kind, self.text, self.again)


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """All the mutants of a module, function by function."""
    for owner, functions in _functions(ast.parse(source)).items():
        for place, number, again in operators.numbered(_places(functions)):
            yield Mutant(
                module, owner, place.kind, place.text, number, again, place.family, place.lines
            )


def planted(source: str, mutant: Mutant) -> str:
    """The source of the mutant's module with the change made."""
    tree = ast.parse(source)
    places = _places(_functions(tree)[mutant.owner])
    [place for place in places if place.kind == mutant.kind][mutant.number].change()
    return _text(tree)


def plain(source: str) -> str:
    """The same source as `planted` gives, without a change."""
    return _text(ast.parse(source))


def _text(tree: ast.Module) -> str:
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _functions(tree: ast.Module) -> dict[str, list[Function]]:
    """The functions of a module and of its classes; those of one name (overloads) together."""
    found: dict[str, list[Function]] = {}

    def look(body: Sequence[ast.stmt], within: str) -> None:
        for node in body:
            match node:
                case ast.ClassDef():
                    look(node.body, f"{within}{node.name}.")
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    found.setdefault(within + node.name, []).append(node)

    look(tree.body, "")
    return found


def _places(functions: Sequence[Function]) -> list[Place]:
    return [place for function in functions for place in _Finder().look(function)]


class _Finder:
    """Goes through a function from its first line to its last."""

    def __init__(self) -> None:
        self._around: list[ast.AST] = []
        self._found: list[Place] = []

    def look(self, function: Function) -> list[Place]:
        """The places of a function, and of those inside it."""
        self._visit(function)
        return self._found

    def _visit(self, node: ast.AST) -> None:
        self._found += self._here(node)
        self._around.append(node)
        for field, value in ast.iter_fields(node):
            if field in _SKIPPED or self._is_silent(node, field):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_prose(child, node):
                    self._visit(child)
        self._around.pop()

    @staticmethod
    def _is_silent(node: ast.AST, field: str) -> bool:
        return isinstance(node, ast.Assert) or (isinstance(node, ast.Raise) and field == "exc")

    def _here(self, node: ast.AST) -> Iterator[Place]:
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                yield from _in_block(node, block)
        match node:
            case ast.If(orelse=orelse):
                yield from _decided(node, "test", "condition")
                if orelse and not (len(orelse) == 1 and isinstance(orelse[0], ast.If)):
                    yield _place(
                        "without else of", node.test, operators.setting(node, "orelse", [])
                    )
            case ast.IfExp() | ast.match_case(guard=ast.expr()):
                field = "guard" if isinstance(node, ast.match_case) else "test"
                yield from _decided(node, field, "condition")
            case ast.While():
                yield from list(_decided(node, "test", "condition"))[1:]
            case ast.comprehension(ifs=ifs):
                for index, test in enumerate(ifs):
                    change = operators.dropping(ifs, index)
                    yield _place("without the filter", test, change, "condition")
            case ast.Return(value=ast.expr() as value):
                yield from _returned(node, value)
            case ast.Match(cases=cases) if len(cases) > 1:
                for index, case in enumerate(cases):
                    change = _removing(cases, index)
                    yield _place("without case", case.pattern, change, "branch")
            case ast.Compare():
                yield from _compared(node)
            case ast.BoolOp():
                yield from _joined(node)
            case ast.UnaryOp(op=ast.Not()):
                yield _place("without not", node, _replacing(node, node.operand), "logic")
            case ast.BinOp() | ast.AugAssign():
                yield from _combined(node)
            case ast.Constant():
                yield from self._constant(node)
            case ast.Call():
                yield from _called(node)

    def _constant(self, node: ast.Constant) -> Iterator[Place]:
        around = next((one for one in self._around[::-1] if _is_whole(one)), node)
        if isinstance(around, ast.Constant):
            return
        match node.value:
            case bool(value):
                yield _valued(node, not value, around, "constant")
            case int(value):
                yield _valued(node, value + 1, around, "constant")
            case str(value) if value and not any(map(str.isspace, value)):
                yield _valued(node, f"{value}_", around, "word")


# ---- what can be changed at one node -------------------------------------------------------------


def _place(kind: str, node: ast.AST, change: Change, family: str = "branch") -> Place:
    first = getattr(node, "lineno", 0)
    last = getattr(node, "end_lineno", None) or first
    text = " ".join(ast.unparse(node).split())
    return Place(kind, textwrap.shorten(text, LONGEST), change, family, range(first, last + 1))


def _decided(node: ast.AST, field: str, family: str) -> Iterator[Place]:
    for word, change in operators.deciding(node, field):
        yield _place(word, getattr(node, field), change, family)


def _in_block(owner: ast.AST, block: list[ast.stmt]) -> Iterator[Place]:
    for index, one in enumerate(block):
        match one:
            case ast.Continue() | ast.Break():
                why = owner.test if isinstance(owner, ast.If) else block[max(0, index - 1)]
                other, kind = (
                    (ast.Break(), "break for continue at")
                    if isinstance(one, ast.Continue)
                    else (ast.Continue(), "continue for break at")
                )
                yield _place(kind, why, _putting(block, index, other), "loop")
            case (
                ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom())
                | ast.AugAssign()
                | ast.Delete()
                | ast.Raise()
                | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            ):
                yield _place("without", one, operators.deleting(block, index), "statement")


def _returned(node: ast.Return, value: ast.expr) -> Iterator[Place]:
    match value:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            yield from _decided(node, "value", "result")
        case ast.Tuple(elts=[_, *_]) | ast.List(elts=[_, *_]) | ast.ListComp():
            empty = "()" if isinstance(value, ast.Tuple) else "[]"
            yield _place("nothing of", value, _expression(node, empty), "result")
        case ast.Dict(keys=[_, *_]) | ast.DictComp():
            yield _place("nothing of", value, _expression(node, "{}"), "result")
        case ast.Call(func=ast.Name(id=name), args=[_, *_]) if name in _EMPTY:
            yield _place("nothing of", value, _expression(node, _EMPTY[name]), "result")


def _expression(node: ast.Return, text: str) -> Change:
    return operators.setting(node, "value", ast.parse(text, mode="eval").body)


def _compared(node: ast.Compare) -> Iterator[Place]:
    for index, op in enumerate(node.ops):
        for table in (operators.OPPOSITE, operators.BOUNDARY):
            if type(op) in table:
                other = table[type(op)]
                kind = _instead(operators.SIGNS[other], operators.SIGNS[type(op)])
                yield _place(kind, node, _putting(node.ops, index, other()), "comparison")


def _joined(node: ast.BoolOp) -> Iterator[Place]:
    other = ast.Or if isinstance(node.op, ast.And) else ast.And
    kind = _instead(operators.SIGNS[other], operators.SIGNS[type(node.op)])
    yield _place(kind, node, operators.setting(node, "op", other()), "logic")
    for (_, change), part in zip(operators.conjuncts(node), node.values, strict=True):
        yield _place("drop", part, change, "logic")


def _combined(node: ast.BinOp | ast.AugAssign) -> Iterator[Place]:
    match node.op:
        case ast.BitOr() | ast.BitAnd():
            other = ast.BitAnd if isinstance(node.op, ast.BitOr) else ast.BitOr
            kind = _instead(operators.SIGNS[other], operators.SIGNS[type(node.op)])
            yield _place(kind, node, operators.setting(node, "op", other()), "set")
        case ast.Add() | ast.Sub() if isinstance(node, ast.BinOp):
            if not _is_text(node.left) and not _is_text(node.right):
                for side, word in (("left", "right"), ("right", "left")):
                    whole = _replacing(node, getattr(node, side))
                    yield _place(f"without the {word} of", node, whole, "set")


def _called(node: ast.Call) -> Iterator[Place]:
    match node.func:
        case ast.Name(id=name) if name in operators.RENAMED and len(node.args) == 1:
            other = operators.RENAMED[name]
            keywords = [] if other == "list" else node.keywords
            call = ast.Call(ast.Name(other, ast.Load()), node.args, keywords)
            yield _place(_instead(other, name), node, _replacing(node, call), "order")
        case ast.Attribute(attr=name) if name in operators.METHODS:
            other = operators.METHODS[name]
            change = operators.setting(node.func, "attr", other)
            yield _place(_instead(other, name), node, change, "order")
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    for index, pair in enumerate(zip(node.args, node.args[1:], strict=False)):
        texts = {ast.unparse(one) for one in pair}
        if name not in _ASKS and all(map(_is_named, pair)) and len(texts) > 1:
            change = operators.swapping(node.args, index)
            kind = f"arguments {index + 1} and {index + 2} swapped in"
            yield _place(kind, node, change, "arguments")


# ---- helpers -------------------------------------------------------------------------------------


def _instead(new: str, old: str) -> str:
    return f"{new} for {old} in"


def _valued(node: ast.Constant, value: object, around: ast.AST, family: str) -> Place:
    kind = _instead(repr(value), repr(node.value))
    return _place(kind, around, operators.setting(node, "value", value), family)


def _replacing(node: ast.AST, other: ast.AST) -> Change:
    """Makes a node one of another class, where it stands."""

    def change() -> None:
        node.__class__ = other.__class__
        node.__dict__.clear()
        node.__dict__.update(other.__dict__)

    return change


def _putting(
    nodes: list[ast.AST] | list[ast.stmt] | list[ast.cmpop], index: int, other: ast.AST
) -> Change:
    return lambda: nodes.__setitem__(index, other)  # type: ignore[call-overload]


def _removing(cases: list[ast.match_case], index: int) -> Change:
    return lambda: cases.__delitem__(index)


def _is_prose(node: ast.AST, within: ast.AST) -> bool:
    """Whether it is a docstring, or the words of a formatted text."""
    if isinstance(within, ast.JoinedStr):
        return isinstance(node, ast.Constant)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_named(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def _is_whole(node: ast.AST) -> bool:
    """Whether a node's text tells what a constant in it is for, and is short."""
    return isinstance(
        node,
        ast.Call
        | ast.Compare
        | ast.BinOp
        | ast.BoolOp
        | ast.Subscript
        | ast.Return
        | ast.Assign
        | ast.AugAssign
        | ast.AnnAssign
        | ast.IfExp
        | ast.pattern
        | ast.Dict
        | ast.Set
        | ast.Tuple
        | ast.List
        | ast.Yield
        | ast.arguments,
    )
