# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes one safeguard out of a machine's source: by its syntax, never by a list.

What acts is left out (a store, a counter's change, a step, a call), each condition is made always
true and always false, a part of it is dropped, and two acts that follow each other change places.
What only says what happened (`emit()` and its like) is no safeguard and stays.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lazymmu
from tools.mutants import operators
from tools.mutants.operators import Place

MACHINE: Final = Path(lazymmu.__file__).parent / "machine"

FILES: Final = (
    "generic_api.py",
    "arch/xen.py",
    "arch/xen_cpu.py",
    "arch/xen_task.py",
    "arch/batch.py",
    "arch/batch_flagged.py",
    "arch/powerpc.py",
    "arch/sparc64.py",
    "arch/arm64.py",
    "arch/arm64_warns.py",
)
"""The generic API and the architectures that releases have."""

SAYS: Final = frozenset(
    {
        "emit",
        "cost",
        "_count",
        "observe",
        "updated",
        "flushed",
        "_observed",
        "_begins",
        "_returns",
        "begin",
        "touch",
        "end",
    }
)
"""Calls that tell what happens, and change nothing."""

_QUIET: Final = ("_say_", "say_")

_WATCHING: Final = frozenset(
    {
        *("__init__", "mode_on", "pending", "_observed", "observe", "touch"),
        *("access", "access_write", "is_spurious_el1_translation_fault"),
    }
)
"""Methods that only look or tell, and the one that nothing can go without."""


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One change: where, what kind of, and the text that it is about.

    `number`: which of the places in that method that the kind fits; `again`: how many of those
    before it have the same text.
    """

    file: str
    owner: str
    method: str
    kind: str
    number: int
    text: str
    again: int = 0

    @property
    def name(self) -> str:
        """What it is called in the data file: class, method, kind and text."""
        return operators.title(f"{self.owner}.{self.method}", self.kind, self.text, self.again)


def source(file: str) -> str:
    """The text of one of `FILES`."""
    return (MACHINE / file).read_text(encoding="utf-8")


def mutants() -> list[Mutant]:
    """All of them, in the order of files, classes and lines."""
    return [mutant for file in FILES for mutant in _of(file)]


def planted(mutant: Mutant) -> str:
    """The source of the mutant's file with the change made."""
    tree = ast.parse(source(mutant.file))
    for owner, method in _methods(tree):
        if (owner.name, method.name) == (mutant.owner, mutant.method):
            places = [one for one in _places(method) if one.kind == mutant.kind]
            places[mutant.number].change()
    return ast.unparse(ast.fix_missing_locations(tree))


def _of(file: str) -> Iterator[Mutant]:
    for owner, method in _methods(ast.parse(source(file))):
        for place, number, again in operators.numbered(_places(method)):
            yield Mutant(file, owner.name, method.name, place.kind, number, place.text, again)


def _methods(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, ast.FunctionDef]]:
    for owner in tree.body:
        if isinstance(owner, ast.ClassDef):
            for method in owner.body:
                if isinstance(method, ast.FunctionDef) and method.name not in _WATCHING:
                    yield owner, method


def _places(method: ast.FunctionDef) -> Iterator[Place]:
    for node in ast.walk(method):
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                yield from _in_block(block)
        match node:
            case ast.If() if not any(_does(one) for one in (*node.body, *node.orelse)):
                pass  # what it decides is only whether something is told
            case ast.If() | ast.IfExp():
                yield from _condition(node, "test")
            case ast.Return(value=ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not())):
                yield from _condition(node, "value")
            case ast.BoolOp():
                for text, change in operators.conjuncts(node):
                    yield Place("drop", text, change)


def _condition(node: ast.AST, field: str) -> Iterator[Place]:
    text = ast.unparse(getattr(node, field))
    for word, change in operators.deciding(node, field):
        yield Place(word, text, change)


def _in_block(block: list[ast.stmt]) -> Iterator[Place]:
    for index, one in enumerate(block):
        if _acts(one):
            yield Place("without", ast.unparse(one), operators.deleting(block, index))
            after = block[index + 1] if index + 1 < len(block) else None
            if after is not None and _acts(after):
                text = f"{ast.unparse(one)}; {ast.unparse(after)}"
                yield Place("swapped", text, operators.swapping(block, index))


def _acts(one: ast.stmt) -> bool:
    """Whether a statement does something that another could not do without."""
    match one:
        case (
            ast.Expr(value=ast.Call() as call) | ast.Expr(value=ast.Yield(value=ast.Call() as call))
        ):
            name = _last(call.func)
            return name not in SAYS and not name.startswith(_QUIET)
        case ast.Assign(targets=[target]) | ast.AugAssign(target=target):
            return isinstance(target, ast.Attribute) or (
                isinstance(target, ast.Tuple)
                and all(isinstance(part, ast.Attribute) for part in target.elts)
            )
    return False


def _does(one: ast.stmt) -> bool:
    """Whether a statement matters at all, to what is done or to where it goes on."""
    return not isinstance(one, ast.Expr) or _acts(one)


def _last(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
