# SPDX-License-Identifier: GPL-2.0-or-later
"""From the text of one function to its flow graph (see nodes.py), by way of tree-sitter.

The syntax tree lives only while its function is lowered.  Input is a slice that masks.py
made parseable: same length and lines as in the file, so that positions are real ones.
"""

from __future__ import annotations

from collections.abc import Callable

import tree_sitter
import tree_sitter_c

from lazymmu.kernelc.ir.bounds import MAX_BYTES, MAX_GUARDS, MAX_NODES, NESTED, Unread
from lazymmu.kernelc.ir.expr import (
    Assign,
    Binary,
    Call,
    Expr,
    Guard,
    LoopHead,
    Name,
    Number,
    Other,
    Temporary,
)
from lazymmu.kernelc.ir.expression_lowering import Lowering, deeper, expression
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    EVAL,
    NOP,
    RETURN,
    SWITCH,
    UNPARSED,
    Function,
    Node,
    has_effect,
)

_LANGUAGE = tree_sitter.Language(tree_sitter_c.language())
_PARSER = tree_sitter.Parser(_LANGUAGE)

TsNode = tree_sitter.Node

_LOOP_MACRO_GAP = len("while ") + 1
"""masks.py turns a loop macro's name into ``while`` and spaces: more of them than anyone types."""


def lower(
    slice_: bytes,
    *,
    name: str,
    file: str,
    line: int,
    column: int = 0,
    macro_params: tuple[str, ...] | None = None,
) -> Function:
    """Lower one definition.

    :param slice_: masked text of the definition; of a macro, of its body.
    :param line: 1-based line in ``file`` at which the slice begins.
    :param column: 0-based column of the slice's first byte.
    :param macro_params: the macro's parameters when the slice is a macro's body.

    Never raises: a definition beyond one of the bounds of bounds.py is broken, and empty.
    """
    try:
        if len(slice_) > MAX_BYTES:
            raise Unread(f"longer than {MAX_BYTES >> 10} kB")
        builder = _Builder(name, file, line, column)
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
    """Return what stands for a definition that is not read, for the reason ``why``.

    Its graph is empty: nothing of what the definition does is known.
    """
    nodes = [Node(NOP, None, line, 1, [1]), Node(RETURN, None, line, 1)]
    macro = macro_params is not None
    return Function(name, file, line, macro_params or (), {}, "", nodes, macro, why)


class _Builder(Lowering):
    """Builds the nodes of one function; the state is what is open at the current place."""

    def __init__(self, name: str, file: str, line: int, column: int) -> None:
        self.out = Function(name, file, line, (), {}, "", [])
        self.nodes = self.out.nodes
        self.first_line = line
        self.first_column = column
        self.row_shift = 0
        self.at = -1
        self.entered: set[int] = set()
        self.temps = 0
        self.breaks: list[tuple[list[int], int]] = []
        self.continues: list[tuple[list[int], int]] = []
        self.labels: dict[str, tuple[int, int]] = {}
        self.gotos: list[tuple[int, str, list[Guard]]] = []
        self.guards: list[Guard] = []
        self.depth = self.met = 0
        self.holding: dict[int, bool] = {}

    # -- positions and nodes ------------------------------------------------------------

    def place(self, ts: TsNode) -> tuple[int, int]:
        row, col = ts.start_point
        row -= self.row_shift
        return self.first_line + max(row, 0), col + 1 + (self.first_column if row <= 0 else 0)

    def node(self, op: int, expr: Expr | None, ts: TsNode | None) -> int:
        """Append a node after the current place and go there; -1 when nothing gets here."""
        line, col = self.place(ts) if ts is not None else (self.first_line, 1)
        index = len(self.nodes)
        if index >= MAX_NODES:
            raise Unread(f"more than {MAX_NODES} steps")
        self.nodes.append(Node(op, expr, line, col))
        if self.at >= 0:
            self._edge(self.at, index)
        self.at = index
        return index

    def _edge(self, source: int, target: int) -> None:
        self.nodes[source].succ.append(target)
        self.entered.add(target)

    def detached(self, ts: TsNode | None) -> int:
        """A NOP that nothing leads to yet: a join or a label."""
        before, self.at = self.at, -1
        index = self.node(NOP, None, ts)
        self.at = before
        return index

    def jump(self, target: int) -> None:
        if self.at >= 0:
            self._edge(self.at, target)
        self.at = -1

    def effect(self, expr: Expr, ts: TsNode) -> None:
        if self.at >= 0 or not self.nodes:
            self.node(EVAL, expr, ts)

    def temp(self) -> Temporary:
        self.temps += 1
        return Temporary(self.temps)

    # -- whole definitions ----------------------------------------------------------------

    def function(self, root: TsNode) -> Function:
        out = self.out
        definition = _first(root, "function_definition")
        if definition is None:
            out.broken = UNPARSED
            self.node(NOP, None, None)
            self.node(RETURN, None, None)
            return out
        out.broken = UNPARSED if root.has_error else ""
        out.returns = _text(definition.child_by_field_name("type"))
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
            self.block(body)
            self._end(body)
        else:
            self._end(definition)
        return self._finish()

    def macro(self, body: bytes, params: tuple[str, ...]) -> Function:
        """A macro's body is an expression or statements; it is read as both need it."""
        out = self.out
        out.macro = True
        out.params = params
        self.row_shift = 1
        stripped = body.strip()
        as_value = b"void f(void)\n{ return " + b"(" + body.rstrip().rstrip(b";") + b"\n); }"
        as_code = b"void f(void)\n{ " + body + b"\n; }"
        tree = None
        if not stripped.startswith((b"do", b"if", b"for", b"while", b"{", b"return", b"switch")):
            tree = _PARSER.parse(as_value)
        if tree is None or tree.root_node.has_error:
            tree = _PARSER.parse(as_code)
        root = tree.root_node
        out.broken = UNPARSED if root.has_error else ""
        self.node(NOP, None, None)
        definition = _first(root, "function_definition")
        inner = definition.child_by_field_name("body") if definition is not None else None
        if inner is not None:
            self.block(inner)
            self._end(inner)
        else:
            self._end(root)
        return self._finish()

    def _end(self, ts: TsNode) -> None:
        if self.at >= 0:
            self.node(RETURN, None, ts)
            line, col = ts.end_point[0] - self.row_shift + self.first_line, ts.end_point[1]
            self.nodes[-1].line, self.nodes[-1].column = line, max(col, 1)

    def _params(self, ts: TsNode | None) -> None:
        names: list[str] = []
        for child in ts.named_children if ts is not None else ():
            if child.type == "variadic_parameter":
                names.append("...")
            elif child.type == "parameter_declaration":
                name = _declared(child.child_by_field_name("declarator"))
                names.append(name or f"<{len(names)}>")
                kind = _text(child.child_by_field_name("type"))
                self.out.types[names[-1]] = kind + _stars(child.child_by_field_name("declarator"))
        if names == ["<0>"] and self.out.types["<0>"] == "void":
            names = []
        self.out.params = tuple(names)

    def _finish(self) -> Function:
        """Connect the gotos, then let edges skip the nodes at which nothing happens."""
        self._link_gotos()
        final: dict[int, int] = {}
        for node in self.nodes:
            for place, target in enumerate(node.succ):
                seen = {target}
                while target not in final:
                    through = self.nodes[target]
                    if through.op != NOP or len(through.succ) != 1 or through.succ[0] in seen:
                        break
                    target = through.succ[0]
                    seen.add(target)
                node.succ[place] = final.get(target, target)
                for passed in seen - {target}:
                    final[passed] = target
        return self.out

    def _link_gotos(self) -> None:
        for index, label, guards in self.gotos:
            target = self.labels.get(label)
            if target is None:
                self.out.broken = self.out.broken or UNPARSED
                continue
            self.at = index
            self._unguard(guards, target[1], None)
            self.jump(target[0])

    # -- statements -----------------------------------------------------------------------

    def block(self, ts: TsNode) -> None:
        depth = len(self.guards)
        for child in ts.named_children:
            self.statement(child)
        self._close(depth, ts)

    def _close(self, depth: int, ts: TsNode) -> None:
        if self.at >= 0:
            line = self.first_line + max(ts.end_point[0] - self.row_shift, 0)
            self._unguard(self.guards, depth, ts, (line, max(ts.end_point[1], 1)))
        del self.guards[depth:]

    def _unguard(
        self,
        guards: list[Guard],
        depth: int,
        ts: TsNode | None,
        where: tuple[int, int] | None = None,
    ) -> None:
        """Drop the guards of the scopes that are left, where they are left."""
        for guard in reversed(guards[depth:]):
            taken = guard.line, guard.column
            line, column = where or (self.place(ts) if ts is not None else taken)
            self.node(EVAL, guard._replace(line=line, column=column, dropped=True), ts)

    def statement(self, ts: TsNode) -> None:
        deeper(self)
        kind = ts.type
        handler = _STATEMENTS.get(kind)
        if handler is not None:
            handler(self, ts)
        elif kind == "ERROR" or kind.startswith("preproc") or kind in _SILENT:
            for child in ts.named_children if kind == "ERROR" else ():
                self.statement(child)
        else:
            # An expression where a statement may stand: in a macro's body, or after an ERROR.
            value = expression(self, ts)
            if has_effect(value):
                self.effect(value, ts)
        self.depth -= 1

    def hold(self, guard: Guard) -> None:
        """Hold a guard until the block at hand is left."""
        if len(self.guards) >= MAX_GUARDS:
            raise Unread(f"more than {MAX_GUARDS} guards held at once")
        self.guards.append(guard)

    def _labelled(self, ts: TsNode) -> None:
        label = _text(ts.child_by_field_name("label"))
        join = self.detached(ts)
        if self.at >= 0:
            self._edge(self.at, join)
        self.at = join
        self.labels[label] = (join, len(self.guards))
        for child in ts.named_children[1:]:
            self.statement(child)

    def _expression_statement(self, ts: TsNode) -> None:
        for child in ts.named_children:
            value = expression(self, child)
            match value:
                case Call(Call("guard", (cls, *_)), args, line, column):
                    # guard(class)(arg): taken here, dropped when the block is left.
                    guard = _guard(cls, args, line, column)
                    self.effect(guard, child)
                    self.hold(guard)
                    continue
            if has_effect(value):
                self.effect(value, child)

    def _declaration(self, ts: TsNode) -> None:
        kind = _text(ts.child_by_field_name("type"))
        for child in ts.children_by_field_name("declarator"):
            inner = child
            value: Expr | None = None
            if child.type == "init_declarator":
                inner = child.child_by_field_name("declarator") or child
                initial = child.child_by_field_name("value")
                value = expression(self, initial) if initial is not None else None
            name = _declared(inner)
            if not name:
                continue
            self.out.types[name] = kind + _stars(inner)
            if value is not None:
                self.effect(Assign("=", Name(name), value), child)

    def _if(self, ts: TsNode) -> None:
        test = ts.child_by_field_name("condition")
        yes, no = self.condition(test, ts)
        join = self.detached(ts)
        self.at = yes
        then = ts.child_by_field_name("consequence")
        if then is not None:
            self.statement(then)
        self.jump(join)
        self.at = no
        other = ts.child_by_field_name("alternative")
        if other is not None:
            for child in other.named_children:
                self.statement(child)
        self.jump(join)
        self.at = join if join in self.entered else -1

    def condition(self, ts: TsNode | None, where: TsNode) -> tuple[int, int]:
        """Lower a condition; the two places where it is true and where it is false."""
        if self.at < 0:
            return -1, -1
        yes, no = self.detached(where), self.detached(where)
        if ts is None:
            self.jump(yes)
        else:
            self.branch(ts, yes, no)
        self.at = -1
        return yes, no

    def branch(self, ts: TsNode, yes: int, no: int) -> None:
        """Lower a condition so that it continues at node ``yes`` or at node ``no``."""
        deeper(self)
        self._branch(ts, yes, no)
        self.depth -= 1

    def _branch(self, ts: TsNode, yes: int, no: int) -> None:
        while ts.type == "parenthesized_expression" and ts.named_child_count == 1:
            inner = ts.named_children[0]
            if inner.type == "compound_statement":
                break
            ts = inner
        if ts.type == "binary_expression":
            op = _text(ts.child_by_field_name("operator"))
            left, right = ts.child_by_field_name("left"), ts.child_by_field_name("right")
            if op in ("&&", "||") and left is not None and right is not None:
                middle = self.detached(right)
                if op == "&&":
                    self.branch(left, middle, no)
                else:
                    self.branch(left, yes, middle)
                self.at = middle
                self.branch(right, yes, no)
                return
        if ts.type == "unary_expression" and _text(ts.child_by_field_name("operator")) == "!":
            inner_ts = ts.child_by_field_name("argument")
            if inner_ts is not None:
                self.branch(inner_ts, no, yes)
                return
        if ts.type == "call_expression":
            callee = _text(ts.child_by_field_name("function"))
            args = ts.child_by_field_name("arguments")
            if (
                callee in ("likely", "unlikely")
                and args is not None
                and args.named_child_count == 1
            ):
                self.branch(args.named_children[0], yes, no)
                return
        value = expression(self, ts)
        self.test(value, yes, no, ts)

    def test(self, value: Expr, yes: int, no: int, ts: TsNode) -> None:
        index = self.node(BRANCH, value, ts)
        self._edge(index, yes)
        self._edge(index, no)
        self.at = -1

    def _loop(self, ts: TsNode, *, post: bool = False) -> None:
        depth = len(self.guards)
        start = ts.child_by_field_name("initializer")
        if start is not None:
            if start.type == "declaration":
                self._declaration(start)
            else:
                value = expression(self, start)
                if has_effect(value):
                    self.effect(value, start)
        head = self.detached(ts)
        after = self.detached(ts)
        again = self.detached(ts)
        test = ts.child_by_field_name("condition")
        body = ts.child_by_field_name("body")
        self.jump(head)
        self.at = head
        scope = self._scoped(test)
        if scope is not None:
            self._take(*scope, ts, after)
        elif not post:
            if test is not None and _heads_macro(ts, test):
                yes, no = self._loop_macro(test, ts)
            else:
                yes, no = self.condition(test, ts)
            self.at = no
            self.jump(after)
            self.at = yes
        self.breaks.append(([after], depth))
        self.continues.append(([again], depth))
        if body is not None:
            self.statement(body)
        self._close(depth, ts)
        self.breaks.pop()
        self.continues.pop()
        self.jump(again)
        self.at = again
        update = ts.child_by_field_name("update")
        if update is not None:
            value = expression(self, update)
            if has_effect(value):
                self.effect(value, update)
        if post:
            yes, no = self.condition(test, ts)
            self.at = yes
            self.jump(head)
            self.at = no
            self.jump(after)
        elif scope is not None:
            self.jump(after)
        else:
            self.jump(head)
        self.at = after if after in self.entered else -1

    def _loop_macro(self, test: TsNode, where: TsNode) -> tuple[int, int]:
        """A loop macro sets its arguments in ways that only its body tells."""
        if self.at < 0:
            return -1, -1
        args = [expression(self, item) for item in _items(test)]
        yes, no = self.detached(where), self.detached(where)
        line, column = self.place(where)
        self.test(LoopHead(tuple(args), line, column), yes, no, where)
        return yes, no

    def _scoped(self, test: TsNode | None) -> tuple[Guard, Expr | None] | None:
        """``while(_guard,class, args)``, the form that masks.py leaves of a guard, is no loop.

        The guard, and for scoped_cond_guard() what is returned when it is not had.
        """
        items = _items(test) if test is not None else []
        head = _text(items[0]) if len(items) > 1 else ""
        if head not in ("_guard", "_cond_guard"):
            return None
        values = [expression(self, item) for item in items[1:]]
        line, column = self.place(items[0])
        if head == "_guard":
            return _guard(values[0], tuple(values[1:]), line, column), None
        fail = values[1] if len(values) > 1 else Other()
        return _guard(values[0], tuple(values[2:]), line, column), fail

    def _take(self, guard: Guard, fail: Expr | None, ts: TsNode, after: int) -> None:
        """Take a guard for the statement that follows, or leave by ``fail``.

        A ``fail`` that is no jump goes on behind that statement (include/linux/cleanup.h).
        """
        if fail is not None:
            taken, missed = self.detached(ts), self.detached(ts)
            self.test(Other(), taken, missed, ts)
            self.at = missed
            match fail:
                case Binary("+", Name("RETURN"), value):
                    self._returns(value, ts)
                case Name("RETURN"):
                    self._returns(None, ts)
                case Binary("+", Name("GOTO"), Name(label)):
                    self._goes_to(label, ts)
                case _ if has_effect(fail):
                    self.effect(fail, ts)
            self.jump(after)
            self.at = taken
        self.effect(guard, ts)
        self.hold(guard)

    def _switch(self, ts: TsNode) -> None:
        test = ts.child_by_field_name("condition")
        value = expression(self, test) if test is not None else Other()
        head = self.node(SWITCH, value, ts)
        after = self.detached(ts)
        self.at = -1
        depth = len(self.guards)
        self.breaks.append(([after], depth))
        cases: list[int | None] = []
        targets: list[int] = []
        has_default = False
        body = ts.child_by_field_name("body")
        for child in body.named_children if body is not None else ():
            if child.type != "case_statement":
                self.statement(child)
                continue
            join = self.detached(child)
            if self.at >= 0:
                self._edge(self.at, join)
            self.at = join
            label = child.child_by_field_name("value")
            const = expression(self, label) if label is not None else None
            cases.append(const.value if isinstance(const, Number) else None)
            targets.append(join)
            for inner in child.named_children:
                if label is not None and inner.start_byte == label.start_byte:
                    continue
                self.statement(inner)
            has_default = has_default or label is None
        self._close(depth, ts)
        self.jump(after)
        self.breaks.pop()
        if not has_default:
            cases.append(None)
            targets.append(after)
        for target in targets:
            self._edge(head, target)
        self.nodes[head].cases = tuple(cases)
        self.at = after if after in self.entered else -1

    def _leave_to(self, where: list[tuple[list[int], int]], ts: TsNode) -> None:
        if not where:
            # ``break`` in a macro's body speaks of the loop around its use.
            self._end(ts)
            self.at = -1
            return
        targets, depth = where[-1]
        if self.at >= 0:
            self._unguard(self.guards, depth, ts)
        self.jump(targets[0])

    def _break(self, ts: TsNode) -> None:
        self._leave_to(self.breaks, ts)

    def _continue(self, ts: TsNode) -> None:
        self._leave_to(self.continues, ts)

    def _goto(self, ts: TsNode) -> None:
        self._goes_to(_text(ts.child_by_field_name("label")), ts)

    def _goes_to(self, label: str, ts: TsNode) -> None:
        if self.at >= 0:
            self.gotos.append((self.node(NOP, None, ts), label, list(self.guards)))
        self.at = -1

    def _return(self, ts: TsNode) -> None:
        self._returns(expression(self, ts.named_children[0]) if ts.named_child_count else None, ts)

    def _returns(self, value: Expr | None, ts: TsNode) -> None:
        if self.at < 0:
            return
        if self.guards and value is not None and has_effect(value):
            kept = self.temp()
            self.node(EVAL, Assign("=", kept, value), ts)
            value = kept
        self._unguard(self.guards, 0, ts)
        self.node(RETURN, value, ts)
        self.at = -1


_SILENT = frozenset({"comment", "type_definition", "attributed_statement", "struct_specifier"})

_STATEMENTS: dict[str, Callable[[_Builder, TsNode], None]] = {
    "compound_statement": _Builder.block,
    "expression_statement": _Builder._expression_statement,
    "declaration": _Builder._declaration,
    "labeled_statement": _Builder._labelled,
    "if_statement": _Builder._if,
    "while_statement": _Builder._loop,
    "for_statement": _Builder._loop,
    "do_statement": lambda self, ts: self._loop(ts, post=True),
    "switch_statement": _Builder._switch,
    "break_statement": _Builder._break,
    "continue_statement": _Builder._continue,
    "goto_statement": _Builder._goto,
    "return_statement": _Builder._return,
}


def _heads_macro(loop: TsNode, test: TsNode) -> bool:
    """Whether a loop's head is a macro that masks.py made a ``while``."""
    return loop.type == "while_statement" and test.start_byte - loop.start_byte > _LOOP_MACRO_GAP


def _items(ts: TsNode) -> list[TsNode]:
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


def _guard(cls: Expr, args: tuple[Expr, ...], line: int, column: int) -> Guard:
    return Guard(cls.spelling if isinstance(cls, Name) else "?", args, line, column)


def _text(ts: TsNode | None) -> str:
    return ts.text.decode("latin-1") if ts is not None and ts.text is not None else ""


def _first(root: TsNode, kind: str) -> TsNode | None:
    for child in root.named_children:
        if child.type == kind:
            return child
    for child in root.named_children:
        found = _first(child, kind) if child.type == "ERROR" else None
        if found is not None:
            return found
    return None


def _declared(ts: TsNode | None) -> str:
    while ts is not None and ts.type != "identifier":
        inner = ts.child_by_field_name("declarator")
        if inner is None:
            inner = ts.named_children[0] if ts.named_child_count else None
        ts = inner
    return _text(ts)


def _stars(ts: TsNode | None) -> str:
    out = ""
    while ts is not None and ts.type != "identifier":
        if ts.type in ("pointer_declarator", "abstract_pointer_declarator", "array_declarator"):
            out += " *"
        elif ts.type == "function_declarator":
            out += " ()"
        inner = ts.child_by_field_name("declarator")
        if inner is None and ts.type == "parenthesized_declarator":
            inner = ts.named_children[0] if ts.named_child_count else None
        ts = inner
    return out
