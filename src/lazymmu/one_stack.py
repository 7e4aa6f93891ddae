# SPDX-License-Identifier: GPL-2.0-or-later
"""Room for the interpreter's frames in one piece.

CPython keeps the frames of Python functions in pieces of 16 kB, and gives a piece back to the
system as soon as the first frame in it is left (Python/pystate.c: push_chunk, _PyThreadState_
PopFrame). A loop that stands just before the end of a piece asks for another, and gives it back, at
every call: two system calls and a page fault each time. A frame that does not fit gets a piece that
is the next power of two, and what is left of it is there for all that it calls.
"""

from __future__ import annotations

import functools

TYPE_CHECKING = False  # as `typing` has it, which takes a while to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

__all__ = ["in_one_stack"]

SLOTS = (1 << 16) + (1 << 10)
"""Values of 8 bytes, a little more than half a MiB: the piece has one, of which only what is used
takes memory, and what is left holds some thousand frames."""


def in_one_stack(function: Callable[P, R]) -> Callable[P, R]:
    """Let the frames of all that a function calls lie in one piece.

    Where the interpreter keeps its frames otherwise this changes nothing.
    """

    def roomy(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=SLOTS)
    return functools.wraps(function)(roomy)
