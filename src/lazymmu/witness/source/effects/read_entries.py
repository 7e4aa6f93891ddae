# SPDX-License-Identifier: GPL-2.0-or-later
"""Which entry a value was read of, also where a function reads it and gives it back.

static pte_t take(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
    return ptep_get_and_clear(mm, addr, pte);
}

old = take(mm, addr, ptep);         /* of ptep */
"""

from __future__ import annotations

from typing import Final

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.expr import Call, Expr
from lazymmu.kernelc.ir.nodes import RETURN, Function, spell, strip_casts
from lazymmu.kernelc.program import Program, Target, assignments
from lazymmu.witness.source.effects.entry_effects import derived
from lazymmu.witness.source.function.names import EntryName, entry_name
from lazymmu.witness.source.function.state import OriginList

__all__ = ["ReadEntries"]

_HOPS: Final = 3
"""Functions inside each other that only give back what was read."""


class ReadEntries:
    """Finds the entries of values, for one program."""

    def __init__(self, program: Program, words: Vocabulary) -> None:
        self._program = program
        self._words = words
        self._known: dict[tuple[str, str, int], tuple[int | None, int]] = {}
        """By file and name of a function: the parameter whose entry it gives back, beside what
        that was read from."""

    def of(self, expr: Expr, known: OriginList, file: str) -> EntryName | None:
        """The entry that a value in a file comes from; see `derived`."""
        found = derived(expr, known, self._words)
        inner = strip_casts(expr)
        if found is not None or not isinstance(inner, Call) or inner.name in self._words.names:
            return found
        pointer = self._pointer(inner, file, _HOPS)
        return entry_name(pointer) if pointer is not None else None

    def _pointer(self, call: Call, file: str, hops: int) -> Expr | None:
        """The argument that points to the entry which a call reads and gives back."""
        reads = self._program.reads
        key = (call.name or "", file, hops)
        known = self._known.get(key)
        if known is None:
            outer = reads.begin()
            target = self._program.resolve(call.name, file) if call.name and hops else None
            found = self._parameter(target, hops) if target is not None else None
            known = self._known[key] = found, reads.end(outer)
        reads.bits |= known[1]
        position = known[0]
        return call.args[position] if position is not None and position < len(call.args) else None

    def _parameter(self, target: Target, hops: int) -> int | None:
        """The parameter whose entry every return of a function gives back."""
        graph = self._program.function(target.definition)
        if target.ambiguous or graph.broken:
            return None
        entries = {self._returned(n.expr, graph, hops) for n in graph.nodes if n.op == RETURN}
        name = entries.pop() if len(entries) == 1 else None
        written = {variable.spelling for variable in assignments(graph)}
        given = name.spelling if name is not None else ""
        return graph.params.index(given) if given in graph.params and given not in written else None

    def _returned(self, expr: Expr | None, graph: Function, hops: int) -> EntryName | None:
        """The entry of what is returned: read there, or by what a variable is given once."""
        inner = strip_casts(expr) if expr is not None else None
        for variable, values in assignments(graph).items():
            if inner is not None and spell(inner) == variable.spelling and len(values) == 1:
                inner = strip_casts(values[0]) if values[0] is not None else None
                break
        if inner is None:
            return None
        found = derived(inner, (), self._words)
        if found is None and isinstance(inner, Call) and inner.name not in self._words.names:
            pointer = self._pointer(inner, graph.file, hops - 1)
            found = entry_name(pointer) if pointer is not None else None
        return found
