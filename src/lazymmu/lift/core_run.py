# SPDX-License-Identifier: GPL-2.0-or-later
"""A core-mm function of a tree, run from one call of the machine to the next.

Between two calls it only computes: what it knows of entries came from calls before. So a run needs
no machine, and its place is all that there is of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lazymmu.lift.code import Const, Opcode, Var
from lazymmu.lift.core_actions import ACTIONS, CALLBACK, DEREF, pure, zeroed
from lazymmu.lift.core_operations import PAGE
from lazymmu.lift.core_tables import FORGETS, GONE, TABLE_ACTIONS, gather, gathered, is_asked
from lazymmu.lift.execute import Execution, execute
from lazymmu.lift.frames import ANSWER, Called, CodeFrame, place_of, restored
from lazymmu.lift.link import CallMeaning
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.unset import UNSET
from lazymmu.lift.values import (
    CallbackRef,
    CPointer,
    LockRef,
    Opaque,
    TableEntry,
    TableRef,
    Value,
    is_true,
)
from lazymmu.lift.variables import CVariables

if TYPE_CHECKING:
    from lazymmu.lift.code import Code, Instruction, Operand
    from lazymmu.lift.core_operations import CoreArguments, CoreOperation
    from lazymmu.lift.core_tables import Env
    from lazymmu.lift.frames import Position
    from lazymmu.lift.link import Linker

__all__ = ["PAID", "CoreRun", "Said"]

UNKNOWN: Final = Opaque("")
"""A value of which nothing is known, and which may be another one next time."""

_OTHERS: Final = Opaque("others compute that")
PAGE_SHIFT: Final = PAGE.bit_length() - 1

_NOBODY: Any = None
"""Nothing of a machine is asked."""

_NOW: Final = f"{ANSWER}now"

_FOLIO: Final = "folio"
"""Of what is written and not told: any member of a folio."""


PAID: Final = f"{ANSWER}paid"
"""Of a run that has written what is owed."""


class _Undecided(Exception):
    """A condition that is a choice.

    :param about: "" for what may be otherwise next time.
    :param one: the instruction that asks.
    """

    def __init__(self, about: str, one: Instruction) -> None:
        super().__init__(about)
        self.about, self.one = about, one


class Said(NamedTuple):
    """What a run needs next.

    :param positions: where it stands; empty at its end.
    :param value: what it returned.
    :param called: the call of the machine that is next, None for a choice.
    :param about: what the choice is about; at the end PAID for a page that is to be freed.
    """

    positions: tuple[Position, ...]
    value: Value = 0
    called: Called | None = None
    about: str = ""


@dataclass(slots=True)
class CoreExecution(Execution):
    """An execution without a machine.

    :param handed: what the operation was handed.
    :param operation: see there.
    :param reached: the functions that were called.
    """

    handed: CoreArguments = None  # type: ignore[assignment]
    operation: CoreOperation = None  # type: ignore[assignment]
    reached: set[Code] = field(default_factory=set)

    def load(self, place: Value, code: Code, line: int) -> Value:
        """Return what a pointer points to, of what is not known nothing."""
        if isinstance(place, Opaque):
            return self.handed.known.get(place.spelling, place)
        if isinstance(place, CPointer) and place.space == "local":
            found: Value = Execution.load(self, place, code, line)
            return found
        if isinstance(place, TableRef):
            return place  # what leads to the table: whether it still does, is asked of it
        if place is None or isinstance(place, (int, str)):
            return place  # the number inside of a value
        raise Unliftable(f"a read through {place!r}", code.file, line)

    def store(self, place: Value, value: Value, code: Code, line: int) -> None:
        """Change a local variable; what is written elsewhere must be known to matter to nobody."""
        if isinstance(place, CPointer) and place.space == "local":
            Execution.store(self, place, value, code, line)
        elif isinstance(place, str) and _FOLIO in self.operation.untold:
            return  # a member of the folio that a value maps
        elif isinstance(place, Opaque) and place.spelling and place.spelling == self.operation.owed:
            self.frames[0].env[PAID] = 1
        elif not isinstance(place, Opaque) or place.spelling not in self.operation.untold:
            shown = place.spelling if isinstance(place, Opaque) else repr(place)
            raise Unliftable(f"a write to {shown}, of which others may learn", code.file, line)

    def truth(self, value: Value, code: Code, one: Instruction) -> bool:
        """Return whether a condition holds, which may be a choice."""
        known = is_true(value)
        if known is not None:
            return known
        if value is None or isinstance(value, str):
            return value is not None  # the address of a page, or of none
        if not isinstance(value, Opaque):
            raise Unliftable(f"a condition on {value!r}", code.file, one.line)
        about = value.spelling.lstrip("!")
        said = self.handed.known.get(about)
        if isinstance(said, int):
            return bool(said) != ((len(value.spelling) - len(about)) % 2 == 1)
        negated = (len(value.spelling) - len(about)) % 2 == 1
        root = about.partition(".")[0].removesuffix("[]")
        if root not in self.handed.stays and not root.startswith("CONFIG_"):
            about = ""
        frame = self.frames[-1]
        answer = frame.env.pop(_NOW, None)
        if answer is None and about:
            answer = self.frames[0].env.get(ANSWER + about)
        if answer is None:
            raise _Undecided(about, one)
        if about:
            self.frames[0].env[ANSWER + about] = answer
        return bool(answer) != negated

    def computed(self, one: Instruction, args: tuple[Value, ...], code: Code) -> Value:
        """Return what an operator makes of values; of what is not known nothing is known."""
        args = tuple(
            self.handed.known.get(arg.spelling, arg) if isinstance(arg, Opaque) else arg
            for arg in args
        )
        if one.op is Opcode.BINARY and one.what == "&" and (of := _flag_of(one, args, code)):
            return self.handed.known.get(of, Opaque(of))
        made = _computed(one, args)
        if made is _OTHERS:
            found: Value = Execution.computed(self, one, args, code)
            return found
        return made

    def current(self) -> Value:
        """Return nothing that is known: what a task is, is no part of what is walked."""
        return UNKNOWN

    def indexed(self, base: Value, number: Value, one: Instruction, code: Code) -> Value:
        """Return the place of an element."""
        if isinstance(base, Opaque):
            return Opaque(f"{base.spelling}[]") if base.spelling else UNKNOWN
        found: Value = Execution.indexed(self, base, number, one, code)
        return found

    def target(self, one: Instruction, code: Code, args: tuple[Value, ...]) -> CallMeaning | None:
        """Return what a call means; a function may have been handed on."""
        if isinstance(self.frames[-1].env.get(one.what), CallbackRef):
            return CallMeaning(CALLBACK)
        del args  # a table of functions is none of core-mm's
        found = self.linker.target(one.what, code.file)
        if found is not None and found.code is not None:
            self.reached.add(found.code)
        return found


def _flag_of(one: Instruction, args: tuple[Value, ...], code: Code) -> str:
    """How a flag of what is not known is spelled, which stays as that does; "" for none."""
    named = {made.to: made.what for made in code.instructions if made.op is Opcode.GLOBAL}
    for value, operand in zip(args, one.args[::-1], strict=True):
        if isinstance(value, Opaque) and "." in value.spelling and isinstance(operand, Var):
            name = named.get(operand.name, "")
            return f"{value.spelling} & {name}" if name else ""
    return ""


def _computed(one: Instruction, args: tuple[Value, ...]) -> Value:
    """Count with addresses of entries, and with what is not known; _OTHERS for neither."""
    if one.op is Opcode.UNARY:
        (value,) = args
        if isinstance(value, Opaque):
            return Opaque(f"!{value.spelling}") if one.what == "!" and value.spelling else UNKNOWN
        return 0 if one.what == "!" and isinstance(value, str) else _OTHERS
    a, b = args
    if one.what in ("&&", "||") and (isinstance(a, Opaque) or isinstance(b, Opaque)):
        return _either(one.what == "||", a, b)
    if isinstance(a, TableEntry) and isinstance(b, int) and one.what in ("+", "-"):
        return a._replace(at=a.at + (b if one.what == "+" else -b))
    if isinstance(a, TableEntry) and isinstance(b, TableEntry) and a.table == b.table:
        made = {"-": a.at - b.at, "<": int(a.at < b.at), ">": int(a.at > b.at)}.get(one.what)
        if made is not None:
            return made
    if isinstance(a, Opaque) or isinstance(b, Opaque):
        return UNKNOWN
    if isinstance(a, LockRef) and isinstance(b, LockRef) and one.what in ("<", ">"):
        # Of two locks the machine has the one first that comes first by its name.
        return int(a.name < b.name if one.what == "<" else a.name > b.name)
    if (a is None or isinstance(a, str)) and one.what in ("<<", ">>") and b == PAGE_SHIFT:
        return a  # the page by its address or by its number
    return _OTHERS


def _either(either: bool, a: Value, b: Value) -> Value:
    """What `||` or `&&` is where one side is not known."""
    first, second = is_true(a), is_true(b)
    if first is either or second is either:
        return int(either)
    if first is not None:
        return b
    return a if second is not None else UNKNOWN


def _valued(frame: CodeFrame, operand: Operand) -> Value:
    return operand.value if isinstance(operand, Const) else frame.env.get(operand.name, UNSET)


def _large(args: tuple[Value, ...]) -> str:
    """The name of the answer whether a folio reaches beyond the range."""
    (folio, *_) = args
    return f"{ANSWER}large {folio}"


_PAGES: Final = 2
"""Pages of a folio that reaches beyond the range: more than one, and no more is asked."""


class CoreRun:
    """Runs of one operation of a tree with what it was handed."""

    def __init__(
        self, operation: CoreOperation, code: Code, linker: Linker, handed: CoreArguments
    ) -> None:
        """Keep what each step of it needs."""
        self.operation = operation
        self.code = code
        self.linker = linker
        self.handed = handed
        self.choices: set[tuple[str, int, str]] = set()
        self.taken: set[tuple[Code, int, bool]] = set()
        self.reached: set[Code] = {code}
        self._said: dict[tuple[Position, ...], Said] = {}

    def begin(self) -> tuple[Position, ...]:
        """Return the beginning."""
        env = dict(zip(self.code.params, self.handed.args, strict=True))
        return place_of([CodeFrame(self.code, 0, env)])

    def on(self, positions: tuple[Position, ...]) -> Said:
        """Go on to the next call of the machine, choice, or the end."""
        said = self._said.get(positions)
        if said is None:
            said = self._said[positions] = self._on(positions)
        return said

    def _on(self, positions: tuple[Position, ...]) -> Said:
        frames = restored(positions)
        here = CoreExecution(
            _NOBODY,
            self.linker,
            CVariables(),
            self._does,
            taken=self.taken,
            handed=self.handed,
            operation=self.operation,
            reached=self.reached,
        )
        stopped: list[Called] = []
        outermost = frames[0]

        def pause(code: Code, one: Instruction, meaning: CallMeaning | None, _place: Value) -> bool:
            if meaning is None:
                if one.op is not Opcode.LOAD:
                    raise Unliftable("a store past the accessors", code.file, one.line)
                frame = here.frames[-1]
                stopped.append(Called(frame, one, DEREF, (_valued(frame, one.args[0]),)))
                return True
            if meaning.word is None or meaning.word.does not in ACTIONS | TABLE_ACTIONS:
                return False
            frame = here.frames[-1]
            args = tuple(_valued(frame, arg) for arg in one.args)
            if meaning.word.does == "large" and self._is_known(one, args, outermost.env):
                return False
            if meaning.word.does in FORGETS:
                if not is_asked(meaning.word.does, outermost.env):
                    return False
                args = gathered(meaning.word.does, outermost.env)
            if meaning.word.does in ("warn-if", "bug-if"):
                arg = meaning.word.arg
                # What is one answer for all pages decides no BUG of one of them.
                met = not self.linker.supposes(frame.code, one, arg) and here.truth(
                    args[arg], code, one
                )
                args = (int(met),)
            stopped.append(Called(frame, one, meaning.word, args))
            return True

        here.pause = pause
        try:
            done, value = execute(here, frames)
        except _Undecided as undecided:
            last = frames[-1]
            if last.code.instructions[last.at] is not undecided.one:
                last.at -= 1  # it was on its way to the next one
            self.choices.add((last.code.file, undecided.one.line, undecided.about))
            return Said(place_of(frames), about=undecided.about)
        if done and self.operation.gathers:
            return Said((), outermost.env.get(GONE, ()))
        if done:
            # A tree whose function is handed nothing to keep the page in gives it back itself.
            may_keep = self.operation.owed.partition(".")[0] in self.code.params
            owes = may_keep and PAID not in outermost.env
            return Said((), value, about=PAID if owes else "")
        return Said(place_of(frames), called=stopped[0])

    def _does(self, here: Execution, called: Called) -> Value:
        """Do a word that calls nothing of the machine; how large a folio is was asked before."""
        outermost = here.frames[0].env
        if called.word.does in ("large", "pages"):
            known = outermost.get(_large(called.args), 0)
            return known if called.word.does == "large" else _PAGES if known else 1
        for number in called.word.clears:
            where = called.args[number] if number < len(called.args) else 0
            if isinstance(where, CPointer) and where.space == "local":
                here.store(where, 0, called.code, called.one.line)
        if called.word.does == "zeroed":
            return zeroed(called, here.frames)
        if called.word.does in ("note", "gather", "gather-table"):
            gather(called, self.handed, outermost)
            return 0
        if called.word.does in FORGETS:
            return 0
        return pure(called, self.handed, self.linker.view.config.value, self.linker.keys)

    def _is_known(self, one: Instruction, args: tuple[Value, ...], outermost: Env) -> bool:
        """Whether how large a folio is was asked before, or makes no difference."""
        return _large(args) in outermost or f"{one.what}()" in self.handed.known

    @staticmethod
    def chosen(said: Said, answer: int) -> tuple[Position, ...]:
        """Return the place after a choice."""
        frames = restored(said.positions)
        frames[-1].env[_NOW] = answer
        return place_of(frames)

    @staticmethod
    def answered(
        said: Said, value: Value, lock: Value = None, above: Value = None
    ) -> tuple[Position, ...]:
        """Return the place after a call of the machine.

        :param lock: what is left where the word says, None for nothing.
        :param above: likewise, of the entry above.
        """
        frames = restored(said.positions)
        last, called = frames[-1], said.called
        assert called is not None  # noqa: S101 - a choice is no call
        for left, out in ((lock, called.word.out), (above, called.word.above)):
            if left is not None and out >= 0:
                where = called.arg(out)
                if not isinstance(where, CPointer) or where.space != "local":
                    raise called.refused("leaves a value where it is not found again")
                frames[where.owner].env[str(where.path[0])] = left
        for name in FORGETS.get(called.word.does, ()):
            frames[0].env.pop(name, None)
        if called.word.does in ("large", "split"):
            # What was split is small from then on.
            frames[0].env[_large(called.args)] = value
        last.env.pop(_NOW, None)
        last.at += 1
        if called.one.to:
            last.env[called.one.to] = value
        return place_of(frames)
