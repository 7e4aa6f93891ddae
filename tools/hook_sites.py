# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a tree's hooks can be wrong: each change of one statement of a lifted function."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import tree_sitter
import tree_sitter_c

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.lift.lifted import Lifted

__all__ = ["HookMutant", "mutants"]

_PARSER: Final = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))
_OTHERS: Final = {
    b"==": b"!=",
    b"!=": b"==",
    b"<": b"<=",
    b"<=": b"<",
    b">": b">=",
    b">=": b">",
    b"++": b"--",
    b"--": b"++",
    b"&&": b"||",
    b"||": b"&&",
}


@dataclass(frozen=True, slots=True)
class HookMutant:
    """A function of a tree with one change.

    :param function: its name; file: where it is.
    :param kind: what was done to `text`: "without", "swapped", "always", "never", "other".
    :param changed: what becomes of the file.
    """

    function: str
    file: str
    line: int
    kind: str
    text: str
    changed: bytes

    @property
    def name(self) -> str:
        """Return what names it in files: no line, which moves."""
        return f"{self.function}: {self.kind} `{self.text}`"


def mutants(view: ConfiguredTree, lifted: Lifted) -> Iterator[HookMutant]:
    """Yield every mutant of what was lifted, each once by its name."""
    seen: set[str] = set()
    for code in lifted.reached.codes:
        for found in view.functions(code.file):
            if found.name == code.name and found.line == code.line:
                whole = view.tree.read(code.file)
                for one in _of(found.name, code.file, whole, found.start, found.end):
                    if one.name not in seen:
                        seen.add(one.name)
                        yield one


def _of(name: str, file: str, whole: bytes, start: int, end: int) -> Iterator[HookMutant]:
    text = whole[start:end]
    above = whole.count(b"\n", 0, start) + 1

    def made(kind: str, node: tree_sitter.Node, first: int, last: int, by: bytes) -> HookMutant:
        changed = whole[:start] + text[:first] + by + text[last:] + whole[end:]
        shown = b" ".join(text[first:last].split()) if kind != "other" else _shown(node)
        return HookMutant(
            name, file, above + node.start_point[0], kind, shown.decode("latin-1"), changed
        )

    for node in _nodes(_PARSER.parse(text).root_node):
        at, to = node.start_byte, node.end_byte
        bare = node.type == "return_statement" and to - at == len(b"return;")
        if bare or node.type == "expression_statement":
            yield made("without", node, at, to, b";")
        elif node.type == "if_statement":
            test = node.child_by_field_name("condition")
            if test is not None:
                yield made("always", node, test.start_byte, test.end_byte, b"(1)")
                yield made("never", node, test.start_byte, test.end_byte, b"(0)")
        elif node.type in ("binary_expression", "update_expression"):
            word = node.child_by_field_name("operator")
            by = _OTHERS.get(word.text or b"") if word is not None else None
            if word is not None and by is not None:
                yield made("other", node, word.start_byte, word.end_byte, by)
        elif node.type == "compound_statement":
            for one, two in pairwise(node.named_children):
                if one.type == two.type == "expression_statement":
                    first, second = one.text or b"", two.text or b""
                    between = text[one.end_byte : two.start_byte]
                    by = second + between + first
                    yield made("swapped", one, one.start_byte, two.end_byte, by)


def _shown(node: tree_sitter.Node) -> bytes:
    return b" ".join((node.text or b"").split())


def _nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)
