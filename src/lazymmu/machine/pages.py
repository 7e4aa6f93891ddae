# SPDX-License-Identifier: GPL-2.0-or-later
"""Which pages a scenario has, and which entries ever map them: read off its programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lazymmu.machine.operations import CALLBACK_ENTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.machine.config import MachineConfig, Op, Value
    from lazymmu.machine.operations import Operation

_PAGE = re.compile(r"([A-Z]\w*)(?::|\Z)")
"""A page's name begins with a capital letter; flags may follow."""

MOVES = (("source", "entry"), ("target", "entry"))
"""Parameters of an operation that takes what one entry holds to another one."""


def mapped_by(
    config: MachineConfig, operations: Mapping[str, Operation]
) -> dict[str, tuple[str, ...]]:
    """Each page by name, with the entries that map it at first or may come to."""
    return _Survey(config, operations).pages()


class _Survey:
    def __init__(self, config: MachineConfig, operations: Mapping[str, Operation]) -> None:
        self.entries = [spec.name for spec in config.entries]
        self.locks = {lock.name for lock in config.locks}
        self.operations = operations
        self.found: dict[str, list[str]] = {}
        self.moves: list[tuple[str, str]] = []
        for spec in config.entries:
            self._note(spec.name, spec.value)
        for program in (
            *(task.program for task in config.tasks),
            *(irq.program for irq in config.interrupts),
        ):
            self._walk(program, ())

    def pages(self) -> dict[str, tuple[str, ...]]:
        """What was found, once nothing moves any further."""
        before = -1
        while before != (before := sum(map(len, self.found.values()))):
            for source, target in self.moves:
                for names in self.found.values():
                    if source in names and target not in names:
                        names.append(target)
        return {page: tuple(names) for page, names in self.found.items()}

    def _walk(self, ops: Iterable[Op], called_for: tuple[str, ...]) -> None:
        """`called_for`: the entries that a callback, if this is one, is called for."""
        for op in ops:
            there = tuple(arg for arg in op.args if arg in self.entries)
            if CALLBACK_ENTRY in op.args:
                there = (*there, *called_for)
            for arg in op.args:
                if arg not in self.entries and arg not in self.locks:
                    self._note("", arg)
                    for entry in there:
                        self._note(entry, arg)
            operation = self.operations.get(op.name)
            if operation is not None and operation.params == MOVES and len(there) > 1:
                self.moves.append((there[0], there[1]))
            self._walk(op.body, there or called_for)

    def _note(self, entry: str, value: Value) -> None:
        page = _PAGE.match(value or "")
        if page is not None:
            names = self.found.setdefault(page[1], [])
            if entry and entry not in names:
                names.append(entry)
