# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a syntax tree the lowering reads: texts, declared names, the parts of a list."""

from __future__ import annotations

import re

import tree_sitter

TsNode = tree_sitter.Node

_TYPEOF = re.compile(r"(?:__)?(?:typeof|TYPEOF)\w*")
"""Keywords, and a macro for one (include/linux/compiler_types.h)."""


def source_text(ts: TsNode | None) -> str:
    """Return the text of a syntax node, "" where there is none."""
    text = ts.text if ts is not None else None  # Made anew each time that it is asked for.
    return text.decode("latin-1") if text is not None else ""


def first_of(root: TsNode, kind: str) -> TsNode | None:
    """Return the first node of a kind below a root, or below what was not understood in it."""
    for child in root.named_children:
        if child.type == kind:
            return child
    for child in root.named_children:
        found = first_of(child, kind) if child.type == "ERROR" else None
        if found is not None:
            return found
    return None


def is_typeof(name: str) -> bool:
    """Whether a name stands for a type, by the value that masks.py blanks behind it."""
    return _TYPEOF.fullmatch(name) is not None


def comma_parts(ts: TsNode) -> list[TsNode]:
    """What commas part in an expression in parentheses."""
    found: list[TsNode] = []
    todo = ts.named_children[::-1]
    while todo:
        child = todo.pop()
        if child.type == "comma_expression":
            todo += child.named_children[::-1]
        elif child.type != "comment":
            found.append(child)
    return found


def declared(ts: TsNode | None) -> str:
    """Return the name that a declarator declares."""
    while ts is not None and ts.type != "identifier":
        inner = ts.child_by_field_name("declarator")
        if inner is None:
            inner = ts.named_children[0] if ts.named_child_count else None
        ts = inner
    return source_text(ts)


def has_cleanup(ts: TsNode) -> bool:
    """Whether an array's declarator is none: masks.py writes a cleanup function as a size."""
    return source_text(ts.child_by_field_name("size"))[:2] in ("~~", "!!")


def stars(ts: TsNode | None) -> str:
    """Return what a declarator adds to its type: ` *` for each pointer or array, ` ()`."""
    out = ""
    while ts is not None and ts.type != "identifier":
        if ts.type in ("pointer_declarator", "abstract_pointer_declarator") or (
            ts.type == "array_declarator" and not has_cleanup(ts)
        ):
            out += " *"
        elif ts.type == "function_declarator":
            out += " ()"
        inner = ts.child_by_field_name("declarator")
        if inner is None and ts.type == "parenthesized_declarator":
            inner = ts.named_children[0] if ts.named_child_count else None
        ts = inner
    return out
