# SPDX-License-Identifier: GPL-2.0-or-later
"""Core-mm operations of a tree's own C in the place of the machine's: which, and why not others."""

from __future__ import annotations

import inspect
import itertools
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from lazymmu.lift.core_actions import answers, asked, told
from lazymmu.lift.core_find import found
from lazymmu.lift.core_operations import CoreOperation, handed, operations
from lazymmu.lift.core_run import PAID, CoreRun, Said
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.steps import Going, PositionCall
from lazymmu.lift.words import core_words
from lazymmu.machine.control import chance
from lazymmu.machine.memory import page_of
from lazymmu.machine.mm import part_classes
from lazymmu.machine.steps import Become, routine

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from lazymmu.lift.code import Code
    from lazymmu.lift.frames import Position
    from lazymmu.lift.link import Linker
    from lazymmu.machine.core_mm_features import CoreMM
    from lazymmu.machine.mm.base import Part
    from lazymmu.machine.steps import Routine

__all__ = ["CoreLift", "LiftedOperation", "lift_core"]

_SPACES: Final = {"": (False, True), "kernel": (True,), "user": (False,)}
"""Whether entries are the kernel's own."""

MAX_PLACES = 50_000
"""Places of one operation on two entries; more are said to be too many."""


@dataclass(eq=False, slots=True)
class LiftedOperation:
    """An operation of the machine that is a tree's function.

    :param choices: conditions that nothing decides: where, and what they are about.
    :param taken: ways out of branches that were gone.
    :param reached: the functions that were called.
    """

    operation: CoreOperation
    code: Code
    linker: Linker
    choices: set[tuple[str, int, str]] = field(default_factory=set)
    taken: set[tuple[Code, int, bool]] = field(default_factory=set)
    reached: set[Code] = field(default_factory=set)
    runs: dict[object, CoreRun] = field(default_factory=dict)

    def is_for(self, part: Part, given: dict[str, object]) -> bool:
        """Whether the function is about such entries: of its space, and of the lowest level.

        Of others the machine's own operation is the one.
        """
        named = (arg if isinstance(arg, tuple) else (arg,) for arg in given.values())
        entries = {one for many in named for one in many if one in part.memory.specs}
        spaces = _SPACES[self.operation.space]
        return all(
            part.is_kernel(one) in spaces and part.memory.specs[one].level == "pte"
            for one in entries
        )

    def run(
        self,
        given: dict[str, object],
        is_kernel: Callable[[str], bool],
        lock_of: Callable[[str], str],
        above_of: Callable[[str], str],
    ) -> CoreRun:
        """Return the run for arguments of the machine's routine."""
        first = next(
            arg if isinstance(arg, str) else arg[0]
            for name, arg in given.items()
            if name in ("entry", "entries", "source") and isinstance(arg, (str, tuple))
        )
        named = (arg if isinstance(arg, tuple) else (arg,) for arg in given.values())
        entries = [one for arg in named for one in arg if isinstance(one, str)]
        locks = tuple((lock_of(one), above_of(one), lock_of(above_of(one))) for one in entries)
        key = (*given.items(), is_kernel(first), locks)
        run = self.runs.get(key)
        if run is None:
            begins = handed(self.operation, self.code, given, is_kernel, lock_of, above_of)
            run = self.runs[key] = CoreRun(self.operation, self.code, self.linker, begins)
            run.choices, run.taken, run.reached = self.choices, self.taken, self.reached
        return run


@dataclass(eq=False, slots=True)
class CoreLift:
    """What was lifted of a tree's core-mm code.

    :param lifted: by the machine's routine.
    :param by_hand: why others are the machine's own, likewise.
    :param abstracted: what was left out, by the name of the call, with its reason.
    """

    lifted: dict[str, LiftedOperation] = field(default_factory=dict)
    by_hand: dict[str, str] = field(default_factory=dict)
    abstracted: dict[str, str] = field(default_factory=dict)
    _made: dict[type[Part], type[Part]] = field(default_factory=dict)

    @property
    def codes(self) -> list[Code]:
        """Return every function of the tree that is run, in the order of its places."""
        codes = {code for one in self.lifted.values() for code in one.reached}
        return sorted(codes, key=lambda code: (code.file, code.line, code.name))

    def __call__(self, part: type[Part]) -> type[Part]:
        """Return the class of a part with what was lifted in it."""
        made = self._made.get(part)
        if made is None:
            own = {
                name: _method(getattr(part, name), name)
                for name in self.lifted
                if hasattr(part, name)
            }
            if not own:
                return part
            chooses = any(self.lifted[name].choices for name in own)
            fields = {
                **own,
                "lifted": self.lifted,
                "alternatives": 2 if chooses else part.alternatives,
            }
            made = self._made[part] = type(part.__name__, (part,), fields)
        return made


@cache
def _method(hand: Callable[..., Any], routine_name: str) -> Callable[..., Any]:
    """The routine of a lifted operation, in the place of one that was written by hand.

    It holds nothing of a tree: what was lifted is found in the class that it belongs to.
    """
    signature = inspect.signature(hand)
    names = tuple(signature.parameters)[1:]
    many = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())

    def begins(part: Any, *plain: Hashable) -> Routine:
        args = plain
        if many:
            fixed = len(names) - 1
            args = (*args[:fixed], args[fixed:])
        given = dict(zip(names, args, strict=True))
        lifted: LiftedOperation = part.lifted[routine_name]
        if not lifted.is_for(part, given):
            return (yield hand(part, *plain))
        run = lifted.run(given, part.is_kernel, part.lock_of, part.above_of)
        return (yield PositionCall(_goes_on, (part, run, Going(run.begin()))))

    begins.__name__ = hand.__name__
    begins.__doc__ = inspect.getdoc(hand)
    made: Any = routine(lambda part: part.lifted[routine_name].code.place)(begins)
    made.__signature__ = signature
    return made  # type: ignore[no-any-return]


def _goes_on(part: Part, run: CoreRun, going: Going) -> Routine:
    said = run.on(going.positions)
    if not said.positions:
        value = run.handed.value
        page = page_of(value) if value is None or isinstance(value, str) else None
        if said.about == PAID and page is not None:
            yield part.memory.free_page(page)
        return said.value
    called = said.called
    if called is None:
        chosen = yield chance()
        after = _stopped(run, run.chosen(said, int(chosen)))
    else:
        got = yield asked(part, called, run.handed)
        after = _after(run, said, got)
    yield Become(PositionCall(_goes_on, (part, run, Going(after))))
    return None


def _after(run: CoreRun, said: Said, got: object) -> tuple[Position, ...]:
    """Where a run stops next once the machine has answered."""
    assert said.called is not None  # noqa: S101 - a choice is no call
    return _stopped(run, run.answered(said, *told(said.called, got, run.handed)))


def _stopped(run: CoreRun, positions: tuple[Position, ...]) -> tuple[Position, ...]:
    """Where a run stops next.

    What it computes on the way there is done at once: places that differ only in what nothing asks
    for from there on are one.
    """
    return run.on(positions).positions or positions


# ---- which can be ---------------------------------------------------------------------------


def lift_core(linker: Linker, arch: str, mm: CoreMM) -> CoreLift:
    """Lift each operation as far as it is understood.

    :param mm: the form of the machine's own core-mm code for the tree.
    """
    parts = part_classes(arch, mm)
    core = linker.apart(core_words(linker.view.profile.arch_dir))
    made = CoreLift(abstracted=core.abstracted)
    for operation in operations():
        routines = (getattr(part, operation.routine, None) for part in parts)
        hand = next(filter(None, routines), None)
        if hand is None:
            continue
        try:
            made.lifted[operation.routine] = _lifted(operation, hand, core, mm.tables_vanish)
        except Unliftable as problem:
            made.by_hand[operation.routine] = str(problem)
    return made


def _lifted(
    operation: CoreOperation, hand: Callable[..., Any], core: Linker, vanish: bool
) -> LiftedOperation:
    code = found(operation, core)
    lifted = LiftedOperation(operation, code, core, reached={code})
    names = tuple(inspect.signature(hand).parameters)[1:]
    for given in _rehearsals(names, operation.words):
        for kernel, one_lock in itertools.product(_SPACES[operation.space], (False, True)):
            _rehearse(_trial(lifted, given, kernel, one_lock), kernel=kernel, vanish=vanish)
    lifted.runs.clear()
    return lifted


class _Anything:
    """A part of a rehearsal, or a callback: whatever it is asked for is there."""

    def __getattr__(self, _name: str) -> _Anything:
        return self

    def __call__(self, *_args: object) -> _Anything:
        return self


_ANYTHING: Final[Any] = _Anything()


def _rehearsals(names: tuple[str, ...], words: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """The arguments with which an operation is tried: of a range, one entry and two.

    :param words: of "details" each that counts.
    """
    details: list[tuple[str, ...]] = [(), *((word,) for word in words)]
    for many, said in itertools.product((1, 2), details):
        entries = tuple(f"e{number}" for number in range(many))
        given: dict[str, object] = {}
        for name in names:
            match name:
                case "entries":
                    given[name] = entries
                case "entry" | "source" | "target":
                    given[name] = name
                case "value":
                    given[name] = "A"
                case "fn":
                    given[name] = _ANYTHING
                case "details":
                    given[name] = said
                case _:
                    given[name] = many == 1
        yield given


def _trial(
    lifted: LiftedOperation, given: dict[str, object], kernel: bool, one_lock: bool
) -> CoreRun:
    def lock_of(entry: str) -> str:
        return "L" if one_lock else f"lock of {entry}"

    return lifted.run(given, lambda _: kernel, lock_of, lambda entry: f"above {entry}")


def _rehearse(run: CoreRun, *, kernel: bool, vanish: bool) -> None:
    """Go through all that a run can come to.

    :raises Unliftable: for what is not understood.
    """
    todo = [run.begin()]
    seen = set(todo)
    while todo:
        said = run.on(todo.pop())
        if not said.positions:
            continue
        if said.called is None:
            after = [run.chosen(said, answer) for answer in (0, 1)]
        elif said.called.word.does == "bug" or (
            said.called.word.does == "bug-if" and said.called.arg(0)
        ):
            after = []
        else:
            asked(_ANYTHING, said.called, run.handed)
            after = [
                _after(run, said, got)
                for got in answers(said.called, run.handed, kernel=kernel, vanish=vanish)
            ]
        for positions in after:
            if positions not in seen:
                seen.add(positions)
                todo.append(positions)
        if len(seen) > MAX_PLACES:
            raise Unliftable("more places than one looks at", run.code.file, run.code.line)
