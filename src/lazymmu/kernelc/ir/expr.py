# SPDX-License-Identifier: GPL-2.0-or-later
"""The nodes of C expressions: one named tuple for each kind.

They are tuples because there are millions of them: made, compared and hashed by the interpreter
itself. Tuples of different classes that hold the same are equal, so that each node ends with a
`kind` of its own: `Deref(x)` is not `Address(x)`.

What is not kept: the types of variables and members, the members of structures, what a string
says, the operand of sizeof. `a.b` and `a->b` are the same node; casts are kept, and looked through
by who asks (`ir.strip_casts`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

__all__ = [
    "CALLS",
    "EFFECTS",
    "INT",
    "LEAVES",
    "VARIABLES",
    "Address",
    "AnyCall",
    "Assign",
    "Binary",
    "Call",
    "Cast",
    "Conditional",
    "Deref",
    "Expr",
    "Field",
    "Guard",
    "IncDec",
    "Index",
    "IntegerType",
    "LoopHead",
    "Name",
    "Not",
    "Number",
    "Other",
    "String",
    "Temporary",
    "Unary",
    "Variable",
]


class IntegerType(NamedTuple):
    """The type of an integer constant: how many bits it has, and whether it has a sign."""

    bits: int
    signed: bool


INT = IntegerType(32, signed=True)


class Name(NamedTuple):
    """An identifier: a variable, a function, a macro, an enumerator. Which, is not known here."""

    spelling: str
    kind: Literal["name"] = "name"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the parts of the expression that are expressions, from the left."""
        return ()


class Temporary(NamedTuple):
    """A variable that the source does not have: the value of an expression that branches."""

    number: int
    kind: Literal["temporary"] = "temporary"

    @property
    def spelling(self) -> str:
        """Return what no variable of the kernel is called."""
        return f"${self.number}"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return nothing: see `Name`."""
        return ()


class Number(NamedTuple):
    """An integer constant, or NULL, true or false.

    That NULL is a pointer is not kept. What arithmetic makes of the types of its operands is not
    followed.

    :param type: what its digits and suffix make it where `long` has 64 bits (C11, 6.4.4.1), as on
        all machines with the mode.
    """

    value: int
    type: IntegerType = INT
    kind: Literal["number"] = "number"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return nothing: see `Name`."""
        return ()


class String(NamedTuple):
    """A string or a character; what it says does not matter."""

    kind: Literal["string"] = "string"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return nothing: see `Name`."""
        return ()


class Call(NamedTuple):
    """A call of a function, or a use of a macro with arguments.

    :param callee: its name, or the expression that points to the function.
    :param line: where the call stands, from 1.
    :param column: likewise.
    """

    callee: str | Expr
    args: tuple[Expr, ...]
    line: int
    column: int
    kind: Literal["call"] = "call"

    @property
    def name(self) -> str | None:
        """Return the name that is called, None for a call through an expression."""
        return self.callee if isinstance(self.callee, str) else None

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the callee, where it is an expression, and the arguments."""
        return self.args if isinstance(self.callee, str) else (self.callee, *self.args)

    def arg(self, index: int) -> Expr | None:
        """Return an argument, a negative `index` counted from the end; None if there is none."""
        return self.args[index] if -len(self.args) <= index < len(self.args) else None


class Guard(NamedTuple):
    """A guard that is taken, or, where its scope is left, dropped (include/linux/cleanup.h).

    :param cls: its class, `spinlock` of `guard(spinlock)(&lock)`.
    :param args: those of its constructor.
    :param line: of the place where that happens.
    :param column: likewise.
    :param variable: what holds it, a name that no variable of the source has unless the source
        names it, as CLASS() does.
    """

    cls: str
    args: tuple[Expr, ...]
    line: int
    column: int
    dropped: bool = False
    variable: str = ""
    kind: Literal["guard"] = "guard"

    @property
    def name(self) -> str:
        """Return the word for it, as the vocabulary and reports spell it."""
        return f"~guard:{self.cls}" if self.dropped else f"guard:{self.cls}"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the arguments."""
        return self.args

    def arg(self, index: int) -> Expr | None:
        """Return an argument: see `Call`."""
        return self.args[index] if -len(self.args) <= index < len(self.args) else None


class LoopHead(NamedTuple):
    """The head of a loop macro (list_for_each_entry()), true for one more round.

    It may set any of its arguments: which it does only the macro's body tells.
    """

    args: tuple[Expr, ...]
    line: int
    column: int
    kind: Literal["loop"] = "loop"

    @property
    def name(self) -> str:
        """Return what reports call it: the macro's own name is not kept."""
        return "for each"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the arguments."""
        return self.args

    def arg(self, index: int) -> Expr | None:
        """Return an argument: see `Call`."""
        return self.args[index] if -len(self.args) <= index < len(self.args) else None


class Field(NamedTuple):
    """A member: `base.name` and `base->name` alike."""

    base: Expr
    name: str
    kind: Literal["field"] = "field"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return what it is a member of."""
        return (self.base,)


class Index(NamedTuple):
    """An element of an array."""

    base: Expr
    position: Expr
    kind: Literal["index"] = "index"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the array and the position in it."""
        return (self.base, self.position)


class Deref(NamedTuple):
    """What a pointer points to."""

    operand: Expr
    kind: Literal["deref"] = "deref"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the pointer."""
        return (self.operand,)


class Address(NamedTuple):
    """The address of something."""

    operand: Expr
    kind: Literal["address"] = "address"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return what is pointed to."""
        return (self.operand,)


class Not(NamedTuple):
    """The logical negation, `!`."""

    operand: Expr
    kind: Literal["not"] = "not"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return what is negated."""
        return (self.operand,)


class Unary(NamedTuple):
    """Another operation on one value: `-`, `~`, `+`."""

    op: str
    operand: Expr
    kind: Literal["unary"] = "unary"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the value."""
        return (self.operand,)


class Binary(NamedTuple):
    """An operation on two values; of `&&` and `||`, one whose right side has no effect."""

    op: str
    left: Expr
    right: Expr
    kind: Literal["binary"] = "binary"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return both sides."""
        return (self.left, self.right)


class Assign(NamedTuple):
    """An assignment, `=` or one that computes, such as `+=`."""

    op: str
    target: Expr
    value: Expr
    kind: Literal["assign"] = "assign"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the target and the value."""
        return (self.target, self.value)


class IncDec(NamedTuple):
    """`++` or `--`; with `prefix` the value is the new one, else the old one."""

    op: str
    target: Expr
    prefix: bool
    kind: Literal["incdec"] = "incdec"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the target."""
        return (self.target,)


class Conditional(NamedTuple):
    """`test ? yes : no` whose arms have no effect."""

    test: Expr
    yes: Expr
    no: Expr
    kind: Literal["conditional"] = "conditional"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the condition and both arms."""
        return (self.test, self.yes, self.no)


class Cast(NamedTuple):
    """A value as another type, spelled as in the source."""

    type: str
    operand: Expr
    kind: Literal["cast"] = "cast"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the value."""
        return (self.operand,)


class Other(NamedTuple):
    """Anything else, of which only the parts matter: the values of an initialiser, sizeof."""

    parts: tuple[Expr, ...] = ()
    kind: Literal["other"] = "other"

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Return the parts."""
        return self.parts


Expr: TypeAlias = (
    Name
    | Temporary
    | Number
    | String
    | Call
    | Guard
    | LoopHead
    | Field
    | Index
    | Deref
    | Address
    | Not
    | Unary
    | Binary
    | Assign
    | IncDec
    | Conditional
    | Cast
    | Other
)
"""One expression."""

AnyCall: TypeAlias = Call | Guard | LoopHead
"""What is looked up by name and handed arguments."""

Variable: TypeAlias = Name | Temporary
"""What can be assigned to by its name alone."""

CALLS = (Call, Guard, LoopHead)
VARIABLES = (Name, Temporary)
LEAVES = (Name, Number, String, Temporary)
"""The expressions without parts."""

EFFECTS = (Call, Guard, LoopHead, Assign, IncDec)
"""The expressions with an effect; all others only have a value."""
