# SPDX-License-Identifier: GPL-2.0-or-later
"""How kernel functions are written down here: routines made of steps.

A *routine* is a generator with the name of a kernel function.  What it yields happens in one go,
between two moments at which other CPUs may act:

    a step     any callable that takes the `StepContext` of the moment and returns a value
    a call     another routine, called (`yield self.xen_mc_flush()`); its value is what it returns

A step that finds it cannot go on raises `Blocked` (nothing happened: a spin lock that is taken);
one that must try again later raises `Retry` (what it wrote stays: a sleeping lock queues up).
Routines keep nothing but arguments, constants and what was sent to them: `threads.py` says why.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from lazymmu.machine.context import StepContext

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")

Step: TypeAlias = Callable[["StepContext"], Any]
"""One thing that happens in one go."""

Routine: TypeAlias = Generator["Step | RoutineCall | Become", Any, Any]
"""What a routine's body is."""


class Blocked(Exception):
    """The step cannot be taken now, and nothing happened."""


class Retry(Exception):
    """The step was taken, what it wrote stays, and it will be tried again."""


@dataclass(frozen=True, slots=True)
class RoutineCall:
    """A routine that is called: the function and its arguments, all hashable.

    `keep`: whether the caller looks at what it returns; a value nobody looks at is forgotten.
    The hash is kept: a search asks for it all the time.
    """

    function: Callable[..., Routine]
    args: tuple[Hashable, ...]
    keep: bool = True
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.function, self.args, self.keep)))

    def __hash__(self) -> int:
        """The kept one."""
        return self._hash

    @property
    def name(self) -> str:
        """The kernel function's name."""
        return self.function.__name__

    @property
    def names(self) -> tuple[str, ...]:
        """The kernel's functions that it stands for, outermost first."""
        return (self.name,)

    @property
    def source(self) -> str:
        """Where the kernel has it: file, and commit where it matters."""
        source = getattr(self.function, "source", "")
        return str(source(self.args[0]) if callable(source) else source)


@dataclass(frozen=True, slots=True)
class Become:
    """Said by a routine that is over, and in whose place another one goes on.

    What was sent to it is forgotten: places are the same that have the same to do.
    """

    call: RoutineCall


def routine(
    source: str | Callable[[Any], str], name: str = ""
) -> Callable[[Callable[P, Routine]], Callable[P, RoutineCall]]:
    """Make a generator function a routine: calling it gives a `RoutineCall` to be yielded.

    `source`: the kernel file that has the function of this name, and the commit where that matters,
    or a function that gives this for the routine's object, whose class may know better; `name`: the
    kernel's name for it, where it cannot have that here.
    """

    def decorate(function: Callable[P, Routine]) -> Callable[P, RoutineCall]:
        function.__name__ = name or function.__name__
        function.source = source  # type: ignore[attr-defined]

        @functools.wraps(function)
        def made(*args: P.args, **kwargs: P.kwargs) -> RoutineCall:
            if kwargs:
                raise TypeError(f"{function.__name__}() takes its arguments by position")
            return RoutineCall(function, args)

        return made

    return decorate


def atomic(
    method: Callable[Concatenate[S, StepContext, P], T],
) -> Callable[Concatenate[S, P], Step]:
    """Make a method that takes a `StepContext` first a step; called without it, it gives one."""

    @functools.wraps(method)
    def made(self: S, *args: P.args, **kwargs: P.kwargs) -> Step:
        def step(here: StepContext) -> T:
            return method(self, here, *args, **kwargs)

        step.__name__ = method.__name__
        return step

    return cast("Callable[Concatenate[S, P], Step]", made)


def per_cpu(
    method: Callable[Concatenate[S, StepContext, P], T],
) -> Callable[Concatenate[S, P], Step]:
    """As `atomic`, for a step on this CPU's own variables that is taken with preemption off.

    An interrupt of this CPU can come between it and the step after it, and nobody else: where a
    scenario has no interrupt, the machine takes both together.
    """
    plain = atomic(method)

    @functools.wraps(method)
    def made(self: S, *args: P.args, **kwargs: P.kwargs) -> Step:
        step = plain(self, *args, **kwargs)
        step.per_cpu = True  # type: ignore[attr-defined]
        return step

    return cast("Callable[Concatenate[S, P], Step]", made)


def local(method: Callable[Concatenate[S, StepContext, P], T]) -> Callable[Concatenate[S, P], Step]:
    """As `atomic`, for a step that nobody else can tell from the one after it.

    It touches only what is the task's own, and takes nothing away that keeps others out: whatever
    could come between the two may as well come before it.  So the machine goes on with the step
    after it at once (`MachineConfig(merge_steps=False)` keeps it apart, which tests compare with).
    """
    plain = atomic(method)

    @functools.wraps(method)
    def made(self: S, *args: P.args, **kwargs: P.kwargs) -> Step:
        step = plain(self, *args, **kwargs)
        step.local = True  # type: ignore[attr-defined]
        return step

    return cast("Callable[Concatenate[S, P], Step]", made)
