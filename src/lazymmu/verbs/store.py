# SPDX-License-Identifier: GPL-2.0-or-later
"""The store of what was learnt of trees: what is in it, and what is to go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

from lazymmu.problem import Problem
from lazymmu.snapshot import cache
from lazymmu.snapshot.cache import Cache, default_directory
from lazymmu.verbs.exit_code import ExitCode

__all__ = ["StoreAction", "StoreAnswer", "StoreRequest", "store"]


class StoreAction(StrEnum):
    """What is to be done with the store."""

    SHOW = "show"
    PRUNE = "prune"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """What is to be done with which store.

    :param directory: its folder; None for the user's own.
    :param most: bytes of all values that `PRUNE` leaves; None for the limit that runs keep.
    """

    action: StoreAction = StoreAction.SHOW
    directory: str | os.PathLike[str] | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """What a store holds now, and what has gone.

    :param directory: its folder, "" where there is none: no home directory.
    :param kinds: each kind of value, how many there are, and how many bytes they have.
    :param size: bytes of its files.
    :param limit: bytes of all values that a run leaves when it ends.
    :param gone: how many values were let go of.
    """

    action: StoreAction
    directory: str
    kinds: tuple[tuple[str, int, int], ...] = ()
    size: int = 0
    limit: int = cache.LIMIT
    gone: int = 0

    def exit_code(self) -> ExitCode:
        """That of a command that did what it was asked for."""
        return ExitCode.CLEAN


def store(request: StoreRequest) -> StoreAnswer:
    """Show a store, let go of what was not used the longest, or of everything.

    :raises Problem: the folder is not to be trusted, or a number is less than nothing.
    """
    if request.most is not None and request.most < 0:
        raise Problem(f"{request.most} is less than 0")
    directory = request.directory or default_directory()
    if directory is None:
        return StoreAnswer(request.action, "")
    if not os.path.isdir(directory):
        return StoreAnswer(request.action, os.fspath(directory))
    with Cache(directory) as values:
        if values.warning is not None:
            raise Problem(values.warning)
        gone = 0
        match request.action:
            case StoreAction.CLEAR:
                gone = sum(count for _, count, _ in values.usage())
                values.clear()
            case StoreAction.PRUNE:
                gone = values.prune(cache.LIMIT if request.most is None else request.most)
                values.commit()
        kinds = tuple(values.usage()) if values.path.exists() else ()
        return StoreAnswer(
            request.action, os.fspath(directory), kinds, values.size(), cache.LIMIT, gone
        )
