# SPDX-License-Identifier: GPL-2.0-or-later
"""The program `lazymmu`, which is also `python -m lazymmu`: one command as a process of its own."""

from __future__ import annotations

# Ctrl-C may come while this is imported; `typing` is no more needed than its time is worth.
try:
    import gc
    import os
    import signal
    import sys

    from lazymmu.cli import main
    from lazymmu.garbage_collection import seldom_collected
    from lazymmu.one_stack import in_one_stack
except KeyboardInterrupt:
    raise SystemExit(130) from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import TracebackType
    from typing import NoReturn

__all__ = ["run"]


def run() -> NoReturn:
    """Run the command that the process was started with, and end the process with its code.

    From here on Ctrl-C never shows a traceback. Before, while the interpreter itself starts, it is
    not ours to catch.
    """
    code = 130
    try:
        sys.excepthook = _uncaught
        sys.unraisablehook = _unraisable
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        _hold_standard_streams()
        with seldom_collected():
            code = in_one_stack(main)()
            # What ends with the process need not be searched for what could be freed.
            gc.freeze()
    except KeyboardInterrupt:
        pass  # once more, while the first was being told
    # All is said; the interpreter's own end takes a moment, and would show a traceback.
    while True:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            break
        except KeyboardInterrupt:
            continue  # the last that came before it was ignored
    sys.exit(code)


def _hold_standard_streams() -> None:
    """Open what is closed of the descriptors 0 to 2, or a file of ours would become one of them.

    Python's own streams (`sys.stdout` and so on) stay None, so that the loss is seen.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _uncaught(
    kind: type[BaseException], what: BaseException, traceback: TracebackType | None
) -> None:
    """Ctrl-C again where the one before is caught, so that no `try` is around it, shows nothing.

    The interpreter then ends the process by the signal, as it does after any Ctrl-C.
    """
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, what, traceback)


def _unraisable(what: UnraisableHookArgs) -> None:
    """Ctrl-C where nothing can be raised (in a destructor) is raised a little later instead."""
    if what.exc_type is KeyboardInterrupt:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    else:
        sys.__unraisablehook__(what)


if __name__ == "__main__":
    run()
