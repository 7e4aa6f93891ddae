# SPDX-License-Identifier: GPL-2.0-or-later
"""Macro expansion in `#if` expressions, and the tests of options and features that stand in them.

Macros are replaced as C11 6.10.3 has it, arguments first and `##` carried out; what is left are
values, operators, and names that are no macros. On top of it come `defined`, the kernel's option
tests (IS_ENABLED and its kin: include/linux/kconfig.h) and the compiler's feature tests. What a
macro's text gives has that macro's presence condition besides its own.
"""

from __future__ import annotations

from typing import Final, Protocol

from lazymmu.kernelc.preprocess.if_bounds import (
    MAX_CHARACTERS,
    BeyondError,
    NoExpressionError,
    Work,
)
from lazymmu.kernelc.preprocess.if_tokens import PaintedName, Token, is_name, tokenise
from lazymmu.kernelc.preprocess.if_values import Value
from lazymmu.kernelc.presence import PresenceCondition, both

__all__ = ["OPTION_TESTS", "MacroTable", "expand"]

OPTION_TESTS: Final = frozenset({"IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE"})
# Answered yes: the profile's compiler is a current GCC, and what the kernel asks for by these
# names are attributes and builtins that it uses when they exist
# (include/linux/compiler_attributes.h).
_FEATURE_TESTS: Final = frozenset({"__has_attribute", "__has_builtin"})
_ABSENT_TESTS: Final = frozenset(
    {"__has_feature", "__has_extension", "__has_include", "__has_include_next", "IS_MODULE"}
)
_MAX_DEPTH: Final = 40
"""Macros in the text of macros, and arguments in arguments."""

Tokens = tuple[Token, ...] | list[Token]


class _Macro(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def parameters(self) -> tuple[str, ...] | None: ...
    @property
    def value(self) -> str: ...
    @property
    def presence(self) -> PresenceCondition: ...


class _Options(Protocol):
    def value(self, symbol: str) -> str: ...
    def number(self, symbol: str) -> int | None: ...


class MacroTable(Protocol):
    """What an expression may ask about macros (see macros.Macros)."""

    @property
    def options(self) -> _Options | None:
        """What the kernel's configuration says."""
        ...

    @property
    def work(self) -> Work:
        """What may still be spent on expressions."""
        ...

    def get(self, name: str) -> _Macro | None:
        """Return the definition of `name`, None when it has none."""
        ...

    def defined(self, name: str) -> tuple[bool, PresenceCondition]:
        """Tell whether `name` is defined, and under which presence condition that is so."""
        ...


def expand(tokens: Tokens, table: MacroTable) -> list[Token]:
    """Replace option tests and macros in `tokens` by values; names that are neither stay.

    :raises NoExpressionError: for what no compiler takes.
    :raises BeyondError: for what is beyond a bound.
    """
    return _Expansion(table).expand(tokens, frozenset(), 0)


class _Expansion:
    """Expands over one table of macros.

    hidden: the macros being replaced, which C does not replace in their own text; depth: how
    many there are.
    """

    __slots__ = ("_table", "_work")

    def __init__(self, table: MacroTable) -> None:
        self._table = table
        self._work = table.work

    def expand(
        self, tokens: Tokens, hidden: frozenset[str], depth: int, *, argument: bool = False
    ) -> list[Token]:
        """Replace option tests and macros by values; names that are neither stay.

        argument: of a call, whose `defined` is only looked at where the argument is put.
        """
        if depth > _MAX_DEPTH:
            raise BeyondError
        self._work.spend(len(tokens))
        result: list[Token] = []
        index = 0
        rest = list(tokens)
        while index < len(rest):
            token = rest[index]
            index += 1
            if not isinstance(token, str) or not is_name(token):
                result.append(token)
                continue
            called = index < len(rest) and rest[index] == "("
            asked = None
            if token != "defined" or not argument:
                asked = self._test(token, rest, index, called)
            if asked is not None:
                value, index = asked
                result.append(value)
                continue
            if token in hidden or isinstance(token, PaintedName):
                result.append(PaintedName(token))
                continue
            macro = self._table.get(token)
            if macro is None:
                # One that is not set is no macro, and stays a name for what comes of it.
                option = token.startswith("CONFIG_") and self._table.defined(token)[0]
                result.append(_option(token, self._table) if option else token)
                continue
            if macro.parameters is not None and not called:
                result.append(token)
                continue
            body, index = self._body(macro, rest, index, hidden, depth)
            expanded = self.expand(body, hidden | {token}, depth + 1, argument=argument)
            if expanded and isinstance(expanded[-1], str) and rest[index : index + 1] == ["("]:
                # What came out last may name a function-like macro whose arguments follow.
                rest.insert(index, expanded.pop())
            result += expanded
        return result

    def _test(
        self, name: str, tokens: list[Token], index: int, called: bool
    ) -> tuple[Value, int] | None:
        """Carry out `defined` and the tests of options and features; None for other names.

        Returns the value, and the index of what follows.
        """
        if name == "defined":
            operand, index = _operand(tokens, index)
            truth, presence = self._table.defined(operand)
            return Value(int(truth), False, presence), index
        if called and name in OPTION_TESTS:
            operand, index = _operand(tokens, index)
            return _option(operand, self._table), index
        if called and (name in _FEATURE_TESTS or name in _ABSENT_TESTS):
            _, index = _arguments(tokens, index)
            return Value(int(name in _FEATURE_TESTS)), index
        return None

    def _body(
        self, macro: _Macro, tokens: list[Token], index: int, hidden: frozenset[str], depth: int
    ) -> tuple[list[Token], int]:
        """Return a macro's text for one use of it, and the index of what follows the use."""
        if len(macro.text) > MAX_CHARACTERS:
            raise BeyondError
        body: list[Token] = list(tokenise(macro.value))
        parameters = macro.parameters
        if parameters is not None:
            arguments, index = _arguments(tokens, index)
            body = self._substitute(body, parameters, arguments, hidden, depth)
        body = _paste(body)
        if macro.presence:
            body = [_under(item, macro.presence) for item in body]
        return body, index

    def _substitute(
        self,
        body: list[Token],
        parameters: tuple[str, ...],
        arguments: list[list[Token]],
        hidden: frozenset[str],
        depth: int,
    ) -> list[Token]:
        """Put the arguments of a call into a macro's body; beside `##` they go in unexpanded."""
        values = dict(zip(parameters, arguments, strict=False))
        variable = ""
        if parameters and parameters[-1].endswith("..."):
            # GNU C lets them have a name (GCC's manual, "Variadic Macros").
            variable = parameters[-1][:-3].strip() or "__VA_ARGS__"
            rest = arguments[len(parameters) - 1 :]
            values[variable] = [token for item in rest for token in [*item, ","]][:-1]
        result: list[Token] = []
        for position, token in enumerate(body):
            if token == variable and body[max(position - 2, 0) : position] == [",", "##"]:
                # `, ## __VA_ARGS__` pastes nothing: the comma goes where there are none.
                del result[-1 if values[variable] else -2 :]
                result += values[variable]
                continue
            if not isinstance(token, str) or token not in values:
                result.append(token)
                continue
            pasted = "##" in (body[position - 1 : position] + body[position + 1 : position + 2])
            value = values[token]
            if pasted:
                self._work.spend(len(value))
                # What is empty still has two sides to be joined.
                result += value or [""]
            else:
                result += self.expand(value, hidden, depth + 1, argument=True)
        return result


def _operand(tokens: list[Token], index: int) -> tuple[str, int]:
    """Return the name that `defined` at `index` - 1 asks for, and the index after it."""
    rest = tokens[index : index + 3]
    if rest and isinstance(rest[0], str):
        if rest[0] != "(":
            return rest[0], index + 1
        if len(rest) == 3 and isinstance(rest[1], str) and rest[2] == ")":
            return rest[1], index + 3
    raise NoExpressionError


def _arguments(tokens: list[Token], index: int) -> tuple[list[list[Token]], int]:
    """Return the arguments of the call whose parenthesis opens at `index`, and what follows."""
    depth, arguments = 0, [list[Token]()]
    for position in range(index, len(tokens)):
        token = tokens[position]
        if token == "(":
            depth += 1
            if depth == 1:
                continue
        elif token == ")":
            depth -= 1
            if depth == 0:
                return arguments, position + 1
        elif token == "," and depth == 1:
            arguments.append([])
            continue
        arguments[-1].append(token)
    raise NoExpressionError


def _option(name: str, table: MacroTable) -> Value:
    """Return what the preprocessor sees for a symbol of the configuration, 0 when not set."""
    macro = table.get(name)
    if macro is not None:
        tokens = tokenise(macro.value)
        if len(tokens) == 1 and isinstance(tokens[0], Value):
            return tokens[0]._replace(presence=macro.presence)
        return Value(0, False, macro.presence)
    truth, presence = table.defined(name)
    if truth and table.options is not None and name.startswith("CONFIG_"):
        number = table.options.number(name[7:])
        if number is not None:
            return Value(number, False, presence)
    return Value(int(truth), False, presence)


def _under(token: Token, presence: PresenceCondition) -> Token:
    """Return a token as it is where a macro with this presence condition puts it."""
    if isinstance(token, Value):
        return token._replace(presence=both(token.presence, presence))
    return token


def _paste(body: list[Token]) -> list[Token]:
    """Carry out the `##` operators of a macro's body."""
    if "##" not in body:
        return body
    result: list[Token] = []
    index = 0
    while index < len(body):
        if body[index] == "##" and result and index + 1 < len(body):
            left, right = result.pop(), body[index + 1]
            result += _glue(left, right)
            index += 2
        else:
            result.append(body[index])
            index += 1
    return [token for token in result if token != ""]


def _glue(left: Token, right: Token) -> tuple[Token, ...]:
    # A number and its suffix, as _AC(1, UL) joins them (include/uapi/linux/const.h), too.
    texts = [token if isinstance(token, str) else str(token.number) for token in (left, right)]
    return tokenise("".join(texts))
