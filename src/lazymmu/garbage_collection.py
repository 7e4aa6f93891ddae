# SPDX-License-Identifier: GPL-2.0-or-later
"""When Python's garbage collector works: seldom, where much is made that is to last."""

from __future__ import annotations

import contextlib
import gc
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["free_earlier", "no_collection", "seldom_collected"]

MIN_NEW_OBJECTS = 2_000_000
"""Objects made and not freed between two collections; Python's own number is 700 or 2,000. Named
tuples count each time, where the collector soon leaves bare tuples of strings and numbers alone.
A check of one architecture makes a million and a half, a tenth of which is garbage: 10 MB, and
looking for them takes a twentieth of the time."""

_pieces_of_work = itertools.count()


def free_earlier() -> None:
    """Begin a piece of work that makes much, free of what an earlier one in this process has left.

    What is looked for seldom is found late, and of what has outlived a collection next to never: a
    series of checks had all that each of them had made.
    """
    if next(_pieces_of_work):
        gc.collect()


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Let the garbage collector rest while many small objects are made that are to last.

    It would go through all of them again and again, and free none: a fifth of the time.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Let the garbage collector go through everything seldom, where nearly all of it is to last.

    What is garbage after all is still found, so that memory has its bound.
    """
    usual = gc.get_threshold()
    gc.set_threshold(max(usual[0], MIN_NEW_OBJECTS), 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
