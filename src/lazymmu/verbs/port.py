# SPDX-License-Identifier: GPL-2.0-or-later
"""An implementation of the user's own, beside all others; what goes wrong in it is one sentence."""

from __future__ import annotations

import contextlib
import sys
import traceback
from typing import TYPE_CHECKING

from lazymmu.litmus.port import PortError, blame
from lazymmu.litmus.port import ported as beside
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["ported"]


@contextlib.contextmanager
def ported(file: str | None, releases: Collection[str] = ()) -> Iterator[None]:
    """With the implementation of a Python file, which is run, beside all others.

    :param releases: those whose generic code it stands on, () for the newest.
    :raises Problem: with the reason.
    """
    if file is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(beside(file, releases))
            # What it printed is out before anything forks, or each process would print it again.
            sys.stdout.flush()
        except PortError as error:
            raise Problem(str(error)) from error
        try:
            yield
        except (Problem, KeyboardInterrupt):
            raise
        except BaseException as error:
            if file not in _files(error):
                raise
            raise Problem(blame(error, file)) from error


def _files(error: BaseException) -> set[str]:
    """Which files' code was running when something was raised."""
    frames = traceback.walk_tb(error.__traceback__)
    return {frame.f_code.co_filename for frame, _ in frames}
