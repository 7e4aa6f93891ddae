# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions of `#if` and `#elif`: their value, and the presence condition of that value.

The arithmetic is that of C11 6.10.1: 64-bit signed or unsigned integers, unknown names are
zero, macros are replaced first. On top of it come the kernel's option tests (IS_ENABLED and
its kin: include/linux/kconfig.h) and the compiler's feature tests.

Every value has a presence condition: in which configurations it is this value, and may be
another elsewhere. `a && b` that holds is there under both conditions of its sides, one that fails
under that of a side that fails, or under either when both do.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Protocol

from lazymmu.kernelc.presence import ALWAYS, PresenceCondition, both, either

__all__ = ["evaluate"]


class _Macro(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def parameters(self) -> tuple[str, ...] | None: ...
    @property
    def value(self) -> str: ...
    @property
    def presence(self) -> PresenceCondition: ...


class _Table(Protocol):
    """What an expression may ask about macros (see cpp.Macros)."""

    @property
    def options(self) -> _Options | None: ...
    @property
    def work(self) -> Work: ...
    def get(self, name: str) -> _Macro | None: ...
    def defined(self, name: str) -> tuple[bool, PresenceCondition]: ...


class _Options(Protocol):
    def value(self, symbol: str) -> str: ...
    def number(self, symbol: str) -> int | None: ...


class _Value(NamedTuple):
    """An integer of the preprocessor, and its presence condition."""

    number: int
    unsigned: bool = False
    presence: PresenceCondition = ALWAYS


_Token = str | _Value

_TOKEN: Final = re.compile(
    r"[ \t\r\n\f]*(?:"
    r"([A-Za-z_$]\w*)"
    r"|(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlLzZ]*)"
    r"|'((?:[^'\\]|\\.)+)'"
    r"|(##|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>()!~&|^?:,#.])"
    r'|("(?:[^"\\]|\\.)*")'
    r"|(\S))"
)
_OPTION_TESTS: Final = frozenset({"IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE"})
# Answered yes: the profile's compiler is a current GCC, and what the kernel asks for by these
# names are attributes and builtins that it uses when they exist
# (include/linux/compiler_attributes.h).
_FEATURE_TESTS: Final = frozenset({"__has_attribute", "__has_builtin"})
_ABSENT_TESTS: Final = frozenset(
    {"__has_feature", "__has_extension", "__has_include", "__has_include_next", "IS_MODULE"}
)
_DEPTH: Final = 40
"""Macros in the text of macros, and arguments in arguments."""
_LENGTH: Final = 20_000
"""Tokens that are looked at for one condition; the most in 7.3 are 187."""
_ALL: Final = 2_000_000
"""The same of all conditions of a walk; in 7.3 they are 19,000."""
_CHARACTERS: Final = 20_000
"""Length of a condition as written."""
_NESTED: Final = 200
"""How deep a condition's parentheses and operators stand inside each other."""
_KEPT: Final = 2_000
"""Characters of a text whose tokens are kept."""
_MASK: Final = (1 << 64) - 1
_QUOTES: Final = frozenset("'\"")
_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "0": 0, "\\": 92, "'": 39, "a": 7, "b": 8}
_SIMPLE: Final = re.compile(r"(!?)[ ]?(?:defined|IS_ENABLED)[ ]?\(([A-Za-z_]\w*)\)\Z")

_BINARY: Final = {
    "*": 10,
    "/": 10,
    "%": 10,
    "+": 9,
    "-": 9,
    "<<": 8,
    ">>": 8,
    "<": 7,
    ">": 7,
    "<=": 7,
    ">=": 7,
    "==": 6,
    "!=": 6,
    "&": 5,
    "^": 4,
    "|": 3,
    "&&": 2,
    "||": 1,
}


class _NoExpressionError(Exception):
    """The tokens are no expression of the preprocessor."""


class BeyondError(Exception):
    """The condition is too long or too deep, or its macros grow too much, to be evaluated."""


class Work:
    """How many tokens may still be looked at: for one condition, and for all of one walk."""

    __slots__ = ("left", "still")

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self.still = _ALL
        self.left = 0

    def begin(self) -> None:
        """Begin another condition."""
        self.left = min(_LENGTH, self.still)

    def spend(self, tokens: int) -> None:
        """Count tokens. Raises BeyondError when they are too many."""
        self.left -= tokens
        self.still -= tokens
        if self.left < 0:
            raise BeyondError


_tokens: dict[str, tuple[_Token, ...]] = {}


def evaluate(text: str, table: _Table) -> tuple[bool, PresenceCondition]:
    """Return whether the expression `text` is true, and the presence condition of that.

    `text` has no comments and no line continuations. What is no expression is false: a
    compiler would stop there.  Raises BeyondError for what is beyond a bound: nobody knows then
    whether it holds.
    """
    simple = _SIMPLE.match(text)
    if simple is not None and ("defined" in text or simple[2].startswith("CONFIG_")):
        truth, presence = table.defined(simple[2])
        return truth != bool(simple[1]), presence
    if len(text) > _CHARACTERS:
        raise BeyondError
    try:
        table.work.begin()
        parser = _Parser(_expand(_tokenise(text), table, frozenset(), 0, table.work))
        value = parser.conditional()
        if parser.position != len(parser.tokens):
            raise _NoExpressionError
    except _NoExpressionError:
        return False, ALWAYS
    return value.number != 0, value.presence


def _tokenise(text: str) -> tuple[_Token, ...]:
    known = _tokens.get(text)
    if known is not None:
        return known
    tokens: list[_Token] = []
    text = text.strip()
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            break
        position = match.end()
        name, number, suffix, character, operator, string, other = match.groups()
        if number is not None:
            base = 8 if len(number) > 1 and number.isdigit() and number[0] == "0" else 0
            try:
                value = int(number, base)
            except ValueError:
                value = 0
            unsigned = "u" in suffix.lower() or value > _MASK >> 1
            tokens.append(_wrap(value, unsigned, ALWAYS))
        elif character is not None:
            code = ord(character) if len(character) == 1 else _ESCAPES.get(character[1:], 0)
            tokens.append(_Value(code))
        else:
            tokens.append(name or operator or string or other)
            if other in _QUOTES:
                # One that nothing closes: whatever follows, this is no expression.
                break
    if len(text) > _KEPT:
        return tuple(tokens)
    if len(_tokens) > 20000:
        _tokens.clear()
    return _tokens.setdefault(text, tuple(tokens))


def _wrap(number: int, unsigned: bool, presence: PresenceCondition) -> _Value:
    number &= _MASK
    if not unsigned and number >> 63:
        number -= 1 << 64
    return _Value(number, unsigned, presence)


def _operand(tokens: tuple[_Token, ...] | list[_Token], index: int) -> tuple[str, int]:
    """Return the name that `defined` at `index` - 1 asks for, and the index after it."""
    rest = tokens[index : index + 3]
    if rest and isinstance(rest[0], str):
        if rest[0] != "(":
            return rest[0], index + 1
        if len(rest) == 3 and isinstance(rest[1], str) and rest[2] == ")":
            return rest[1], index + 3
    raise _NoExpressionError


def _arguments(tokens: list[_Token], index: int) -> tuple[list[list[_Token]], int]:
    """Return the arguments of the call whose parenthesis opens at `index`, and what follows."""
    depth, arguments = 0, [list[_Token]()]
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
    raise _NoExpressionError


def _expand(
    tokens: tuple[_Token, ...] | list[_Token],
    table: _Table,
    hidden: frozenset[str],
    depth: int,
    left: Work,
) -> list[_Token]:
    """Replace option tests and macros by values; names that are neither stay."""
    if depth > _DEPTH:
        raise BeyondError
    left.spend(len(tokens))
    result: list[_Token] = []
    index = 0
    work = list(tokens)
    while index < len(work):
        token = work[index]
        index += 1
        if not isinstance(token, str) or not (token[0].isalpha() or token[0] in "_$"):
            result.append(token)
            continue
        if token == "defined":
            name, index = _operand(work, index)
            truth, presence = table.defined(name)
            result.append(_Value(int(truth), False, presence))
            continue
        called = index < len(work) and work[index] == "("
        if called and token in _OPTION_TESTS:
            name, index = _operand(work, index)
            result.append(_option(name, table))
            continue
        if called and (token in _FEATURE_TESTS or token in _ABSENT_TESTS):
            _, index = _arguments(work, index)
            result.append(_Value(int(token in _FEATURE_TESTS)))
            continue
        # `hidden` are the macros being replaced, which C does not replace in their own text.
        macro = table.get(token) if token not in hidden else None
        if macro is None:
            if token.startswith("CONFIG_") and token not in hidden:
                result.append(_option(token, table))
            else:
                result.append(token)
            continue
        parameters = macro.parameters
        if len(macro.text) > _CHARACTERS:
            raise BeyondError
        body: list[_Token] = list(_tokenise(macro.value))
        if parameters is not None:
            if not called:
                result.append(token)
                continue
            arguments, index = _arguments(work, index)
            body = _substitute(body, parameters, arguments, table, hidden, depth, left)
        body = _paste(body)
        if macro.presence:
            body = [_under(item, macro.presence) for item in body]
        expanded = _expand(body, table, hidden | {token}, depth + 1, left)
        if expanded and isinstance(expanded[-1], str) and work[index : index + 1] == ["("]:
            # What came out last may name a function-like macro whose arguments follow.
            work.insert(index, expanded.pop())
        result += expanded
    return result


def _option(name: str, table: _Table) -> _Value:
    """Return what the preprocessor sees for a symbol of the configuration, 0 when not set."""
    macro = table.get(name)
    if macro is not None:
        tokens = _tokenise(macro.value)
        if len(tokens) == 1 and isinstance(tokens[0], _Value):
            return tokens[0]._replace(presence=macro.presence)
        return _Value(0, False, macro.presence)
    truth, presence = table.defined(name)
    if truth and table.options is not None and name.startswith("CONFIG_"):
        number = table.options.number(name[7:])
        if number is not None:
            return _Value(number, False, presence)
    return _Value(int(truth), False, presence)


def _under(token: _Token, presence: PresenceCondition) -> _Token:
    """Return a token as it is where a macro with this presence condition puts it."""
    if isinstance(token, _Value):
        return token._replace(presence=both(token.presence, presence))
    return token


def _substitute(
    body: list[_Token],
    parameters: tuple[str, ...],
    arguments: list[list[_Token]],
    table: _Table,
    hidden: frozenset[str],
    depth: int,
    left: Work,
) -> list[_Token]:
    """Put the arguments of a call into a macro's body; beside `##` they go in unexpanded."""
    values = dict(zip(parameters, arguments, strict=False))
    if parameters and parameters[-1] == "...":
        rest = arguments[len(parameters) - 1 :]
        values["__VA_ARGS__"] = [token for item in rest for token in [*item, ","]][:-1]
    result: list[_Token] = []
    for position, token in enumerate(body):
        if not isinstance(token, str) or token not in values:
            result.append(token)
            continue
        pasted = "##" in (body[position - 1 : position] + body[position + 1 : position + 2])
        value = values[token]
        if pasted:
            left.spend(len(value))
            result += value
        else:
            result += _expand(value, table, hidden, depth + 1, left)
    return result


def _paste(body: list[_Token]) -> list[_Token]:
    """Carry out the `##` operators of a macro's body."""
    if "##" not in body:
        return body
    result: list[_Token] = []
    index = 0
    while index < len(body):
        if body[index] == "##" and result and index + 1 < len(body):
            left, right = result.pop(), body[index + 1]
            result += _glue(left, right)
            index += 2
        else:
            result.append(body[index])
            index += 1
    return result


def _glue(left: _Token, right: _Token) -> tuple[_Token, ...]:
    # A number and its suffix, as _AC(1, UL) joins them (include/uapi/linux/const.h), too.
    texts = [token if isinstance(token, str) else str(token.number) for token in (left, right)]
    return _tokenise("".join(texts))


class _Parser:
    """Precedence climbing over expanded tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    def _peek(self) -> _Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _expect(self, token: str) -> None:
        if self._peek() != token:
            raise _NoExpressionError
        self.position += 1

    def conditional(self) -> _Value:
        """Parse a whole expression."""
        self._deeper()
        test = self._binary(1)
        if self._peek() != "?":
            self.depth -= 1
            return test
        self.position += 1
        yes = self.conditional()
        self._expect(":")
        no = self.conditional()
        self.depth -= 1
        unsigned = yes.unsigned or no.unsigned
        chosen = yes if test.number else no
        return _wrap(chosen.number, unsigned, both(test.presence, chosen.presence))

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _NESTED:
            raise BeyondError

    def _binary(self, level: int) -> _Value:
        left = self._unary()
        while True:
            operator = self._peek()
            if not isinstance(operator, str):
                return left
            rank = _BINARY.get(operator, 0)
            if rank < level or rank == 0:
                return left
            self.position += 1
            left = _operate(operator, left, self._binary(rank + 1))

    def _unary(self) -> _Value:
        token = self._peek()
        self.position += 1
        if token is None:
            raise _NoExpressionError
        if isinstance(token, _Value):
            return token
        if token == "(":
            value = self.conditional()
            self._expect(")")
            return value
        if token in ("!", "~", "-", "+"):
            self._deeper()
            value = self._unary()
            self.depth -= 1
            if token == "!":
                return _Value(int(value.number == 0), False, value.presence)
            number = {"~": ~value.number, "-": -value.number, "+": value.number}[token]
            return _wrap(number, value.unsigned, value.presence)
        if token[0].isalpha() or token[0] in "_$":
            if self._peek() == "(":
                # A call of something that is no macro: no compiler accepts it.
                raise _NoExpressionError
            return _Value(int(token == "true"))
        raise _NoExpressionError


def _operate(operator: str, left: _Value, right: _Value) -> _Value:
    match operator:
        case "&&" | "||":
            strong = operator == "||"
            sides = bool(left.number), bool(right.number)
            if sides[0] == sides[1]:
                same = sides[0] == strong
                join = either if same else both
                return _Value(int(sides[0]), False, join(left.presence, right.presence))
            decisive = left if sides[0] == strong else right
            return _Value(int(strong), False, decisive.presence)
    presence = both(left.presence, right.presence)
    unsigned = left.unsigned or right.unsigned
    if operator in ("<<", ">>"):
        count = right.number & 63
        number = left.number << count if operator == "<<" else left.number >> count
        return _wrap(number, left.unsigned, presence)
    a, b = _wrap(left.number, unsigned, ALWAYS).number, _wrap(right.number, unsigned, ALWAYS).number
    match operator:
        case "<" | ">" | "<=" | ">=" | "==" | "!=":
            truth = {
                "<": a < b,
                ">": a > b,
                "<=": a <= b,
                ">=": a >= b,
                "==": a == b,
                "!=": a != b,
            }[operator]
            return _Value(int(truth), False, presence)
        case "+":
            number = a + b
        case "-":
            number = a - b
        case "*":
            number = a * b
        case "&":
            number = a & b
        case "^":
            number = a ^ b
        case "|":
            number = a | b
        case _:
            if b == 0:
                # Division by zero stops a compiler; unknown constants read as 0 make it here.
                return _Value(0, unsigned, presence)
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            number = quotient if operator == "/" else a - quotient * b
    return _wrap(number, unsigned, presence)
