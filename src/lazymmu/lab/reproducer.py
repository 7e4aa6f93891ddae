# SPDX-License-Identifier: GPL-2.0-or-later
"""Reproducers: a program, the kernels that it is for, what must be seen, and the control."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lazymmu.lab import reproducers
from lazymmu.problem import Problem

__all__ = ["Reproducer", "find_reproducer", "known_reproducers"]

_FOLDER: Final = Path(reproducers.__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproducer:
    """How one finding is shown on a running kernel.

    :param summary: what happens, in a sentence.
    :param page: the release on whose page of docs/findings it is.
    :param xen: whether it takes Xen.
    :param first: releases that have it, as 7.1.
    :param last: likewise.
    :param control: what is run against it.
    :param program: of the guest, "" for a workload.
    :param arguments: of the program.
    :param modules: of the kernel that it needs.
    :param workload: its name.
    :param log: a regular expression of a line in the kernel's log that shows it, "" without.
    :param rules: of `trace`, any of which shows it.
    :param done: what the program says when it did its part.
    :param withheld: why there is no program, "" where there is one.
    :param withheld_operations: of scenarios, any group of which would make it.
    """

    name: str
    summary: str
    page: str
    xen: bool
    first: str
    last: str
    control: str
    program: str = ""
    arguments: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    workload: str = ""
    log: str = ""
    rules: tuple[str, ...] = ()
    done: str = ""
    withheld: str = ""
    withheld_operations: tuple[tuple[str, ...], ...] = ()

    def file(self) -> Path | None:
        """The program; None where it is a workload."""
        return _FOLDER / self.program if self.program else None

    def concerns(self, release: str) -> bool | None:
        """Whether a release is one of those that have it; None where it is no release."""
        found = _numbers(release)
        if found is None:
            return None
        first, last = _numbers(self.first), _numbers(self.last)
        return first is not None and last is not None and first <= found <= last


def known_reproducers() -> tuple[Reproducer, ...]:
    """All that come along, by name."""
    return tuple(_read(file) for file in sorted(_FOLDER.glob("*.toml")))


def find_reproducer(name: str) -> Reproducer:
    """The reproducer of a name.

    :raises Problem: there is none of this name; says which there are.
    """
    known = known_reproducers()
    for one in known:
        if one.name == name:
            return one
    raise Problem(
        f"there is no reproducer {name}; there are {', '.join(one.name for one in known)}"
    )


def _read(file: Path) -> Reproducer:
    found = tomllib.loads(file.read_text("utf-8"))
    for name in ("rules", "arguments", "modules"):
        found[name] = tuple(found.get(name, ()))
    found["withheld_operations"] = tuple(map(tuple, found.get("withheld_operations", ())))
    return Reproducer(name=file.stem, **found)


def _numbers(release: str) -> tuple[int, int] | None:
    match = re.match(r"(\d+)\.(\d+)", release)
    return (int(match[1]), int(match[2])) if match else None
