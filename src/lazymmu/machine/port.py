# SPDX-License-Identifier: GPL-2.0-or-later
"""An implementation of one's own: load its class from a file, and use it like any other.

`load()` runs the file: it is a Python program, with all that a program may do.  Load what you
wrote, or have read.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.inputs import read_input
from lazymmu.interrupt import noticed
from lazymmu.machine.arch.base import Arch
from lazymmu.machine.releases import IMPLEMENTATIONS, PORTS, RELEASES
from lazymmu.terminal import message_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ARCH: Final = "port"
"""What stands for the architecture of a port that was installed."""

NEWEST: Final = tuple(RELEASES)[-1]
"""The release whose generic code a port is tried with, unless told otherwise."""


class PortError(Exception):
    """A file that is no port; one sentence says why."""


def load(path: str | Path) -> type[Arch]:
    """Run the file at `path`, and give the one class in it that derives from `Arch`.

    A class that others in the file derive from is not meant.

    :raises PortError: with one sentence, for a file that cannot be read, that raises anything at
        all when it is run (SystemExit and KeyboardInterrupt, too: only a real Ctrl-C passes), or
        that has no such class, or several.
    """
    file = Path(path)
    with _blamed(file):
        return _only(_run(file), file)


def blame(problem: BaseException, file: str | Path) -> str:
    """`FILE:LINE: Type: message` of what the code of a port raised; the line as far as known."""
    return f"{file}{_line(problem, str(file))}: {_said(problem)}"


def _only(module: ModuleType, file: Path) -> type[Arch]:
    """The one implementation in a module that was run."""
    mine = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Arch)
        and value.__module__ == module.__name__
    ]
    last = [one for one in mine if not any(one in other.__mro__[1:] for other in mine)]
    if not last:
        raise PortError(f"{file} has no class that derives from lazymmu.machine.arch.base.Arch")
    if len(last) > 1:
        names = ", ".join(one.__name__ for one in last)
        raise PortError(f"{file} has more than one implementation: {names}")
    (found,) = last
    # Not what the annotation says: the file may say anything.
    row: object = vars(found).get("row")
    if not isinstance(row, str) or not row.isprintable() or not row.strip():
        raise PortError(f"{file}: class {found.__name__} must name itself: row = ...")
    known = {one.row for rows in IMPLEMENTATIONS.values() for one in rows.values()}
    if row in known:
        raise PortError(f"{file}: there is an implementation named {row} already")
    return found


def install(implementation: type[Arch], release: str = NEWEST, arch: str = ARCH) -> None:
    """Make `implementation` what `arch` has in `release`, for as long as the program runs.

    :raises PortError: for a release that is not known, or an architecture that is.
    """
    if release not in RELEASES:
        raise PortError(f"no release {release} is known; known are: {', '.join(RELEASES)}")
    if arch in IMPLEMENTATIONS:
        raise PortError(f"{arch} is there already; a port needs a name of its own")
    PORTS.setdefault(arch, {})[release] = implementation


def uninstall(arch: str = ARCH) -> None:
    """Forget a port."""
    PORTS.pop(arch, None)


def _run(file: Path) -> ModuleType:
    try:
        source = read_input(str(file))
    except (OSError, ValueError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        raise PortError(f"{file} cannot be read: {reason}") from None
    name = f"lazymmu_port_{file.stem}"
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(file))
    assert spec is not None  # noqa: S101 - a name alone always has one
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(file)
    # Classes of the file are found by their module's name: dataclasses ask for it.
    sys.modules[name] = module
    try:
        exec(compile(source, str(file), "exec"), vars(module))  # noqa: S102 - what load() is for
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


@contextlib.contextmanager
def _blamed(file: Path) -> Iterator[None]:
    """Whatever is raised inside is the file's fault, but for a Ctrl-C of the user."""
    with noticed() as pressed:
        try:
            yield
        except PortError:
            raise
        except BaseException as problem:
            if isinstance(problem, KeyboardInterrupt) and pressed():
                raise
            raise PortError(blame(problem, file)) from problem


def _line(problem: BaseException, file: str) -> str:
    """`:LINE` of the file that the problem is about, as far as known."""
    if isinstance(problem, SyntaxError) and problem.lineno and problem.filename == file:
        return f":{problem.lineno}"
    lines = [
        line
        for frame, line in traceback.walk_tb(problem.__traceback__)
        if frame.f_code.co_filename == file
    ]
    return f":{lines[-1]}" if lines else ""


def _said(problem: BaseException) -> str:
    """What a problem is, in one line."""
    words = problem.msg if isinstance(problem, SyntaxError) else message_of(problem)
    # SystemExit() and KeyboardInterrupt() say nothing.
    return " ".join(f"{type(problem).__name__}: {words}".split()).removesuffix(":")
