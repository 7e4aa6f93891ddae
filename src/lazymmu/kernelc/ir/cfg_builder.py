# SPDX-License-Identifier: GPL-2.0-or-later
"""From the text of one function to its flow graph (see nodes.py), by way of tree-sitter.

The syntax tree lives only while its function is lowered. Input is a slice that masks.py made
parseable: same length and lines as in the file, so that positions are real ones.
"""

from __future__ import annotations

import tree_sitter
import tree_sitter_c

from lazymmu.kernelc.ir import statements
from lazymmu.kernelc.ir.bounds import MAX_BYTES, NESTED, Unread
from lazymmu.kernelc.ir.flow_graph import FlowGraph, Places
from lazymmu.kernelc.ir.nodes import NOP, RETURN, UNPARSED, Function, Node
from lazymmu.kernelc.ir.syntax import TsNode, declared, first_of, source_text, stars

_LANGUAGE = tree_sitter.Language(tree_sitter_c.language())
_PARSER = tree_sitter.Parser(_LANGUAGE)

_AS_VALUE = b"void f(void)\n{ return ("
_AS_CODE = b"void f(void)\n{ "
"""What a macro's body is read behind."""


def lower(
    slice_: bytes,
    *,
    name: str,
    file: str,
    line: int,
    column: int = 0,
    macro_params: tuple[str, ...] | None = None,
    places: Places | None = None,
) -> Function:
    """Lower one definition.

    :param slice_: masked text of the definition; of a macro, of its body.
    :param line: 1-based line in `file` at which the slice begins.
    :param column: 0-based column of the slice's first byte.
    :param macro_params: the macro's parameters when the slice is a macro's body.
    :param places: line and column of each offset, where the slice is not as the file has it.

    Never raises: a definition beyond one of the bounds of bounds.py is broken, and empty.
    """
    try:
        if len(slice_) > MAX_BYTES:
            raise Unread(f"longer than {MAX_BYTES >> 10} kB")
        builder = _Builder(name, file, line, column, places)
        if macro_params is None:
            root = _PARSER.parse(slice_).root_node
            return builder.function(root)
        return builder.macro(slice_, macro_params)
    except Unread as why:
        return unread(str(why), name=name, file=file, line=line, macro_params=macro_params)
    except RecursionError:
        return unread(NESTED, name=name, file=file, line=line, macro_params=macro_params)


def unread(
    why: str, *, name: str, file: str, line: int, macro_params: tuple[str, ...] | None = None
) -> Function:
    """Return what stands for a definition that is not read, for the reason `why`.

    Its graph is empty: nothing of what the definition does is known.
    """
    nodes = [Node(NOP, None, line, 1, [1]), Node(RETURN, None, line, 1)]
    macro = macro_params is not None
    return Function(name, file, line, macro_params or (), {}, "", nodes, macro, why)


class _Builder(FlowGraph):
    """Builds the graph of one definition."""

    # No methods that only pass on: each frame counts where statements are nested deeply.
    statement = statements.statement
    branch = statements.branch

    def function(self, root: TsNode) -> Function:
        out = self.out
        definition = first_of(root, "function_definition")
        if definition is None:
            out.broken = UNPARSED
            self.node(NOP, None, None)
            self.node(RETURN, None, None)
            return out
        out.broken = UNPARSED if root.has_error else ""
        out.returns = source_text(definition.child_by_field_name("type"))
        declarator = definition.child_by_field_name("declarator")
        while declarator is not None and declarator.type != "function_declarator":
            if declarator.type == "pointer_declarator":
                out.returns += " *"
            declarator = declarator.child_by_field_name("declarator")
        if declarator is not None:
            self._params(declarator.child_by_field_name("parameters"))
        self.node(NOP, None, definition)
        body = definition.child_by_field_name("body")
        if body is not None:
            statements.block(self, body)
            self.end(body)
        else:
            self.end(definition)
        return self.finish()

    def macro(self, body: bytes, params: tuple[str, ...]) -> Function:
        """A macro's body is an expression or statements; it is read as both need it."""
        out = self.out
        out.macro = True
        out.params = params
        self.row_shift, self.shift = 1, len(_AS_CODE)
        stripped = body.strip()
        as_value = _AS_VALUE + body.rstrip().rstrip(b";") + b"\n); }"
        as_code = _AS_CODE + body + b"\n; }"
        tree = None
        if not stripped.startswith((b"do", b"if", b"for", b"while", b"{", b"return", b"switch")):
            tree = _PARSER.parse(as_value)
            self.shift = len(_AS_VALUE)
        if tree is None or tree.root_node.has_error:
            tree = _PARSER.parse(as_code)
            self.shift = len(_AS_CODE)
        root = tree.root_node
        out.broken = UNPARSED if root.has_error else ""
        self.node(NOP, None, None)
        definition = first_of(root, "function_definition")
        inner = definition.child_by_field_name("body") if definition is not None else None
        if inner is not None:
            statements.block(self, inner)
            self.end(inner)
        else:
            self.end(root)
        return self.finish()

    def _params(self, ts: TsNode | None) -> None:
        names: list[str] = []
        for child in ts.named_children if ts is not None else ():
            if child.type == "variadic_parameter":
                names.append("...")
            elif child.type == "parameter_declaration":
                name = declared(child.child_by_field_name("declarator"))
                names.append(name or f"<{len(names)}>")
                kind = source_text(child.child_by_field_name("type"))
                self.out.types[names[-1]] = kind + stars(child.child_by_field_name("declarator"))
        if names == ["<0>"] and self.out.types["<0>"] == "void":
            names = []
        self.out.params = tuple(names)
