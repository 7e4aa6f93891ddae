# SPDX-License-Identifier: GPL-2.0-or-later
"""Page-table entries as events: accessors, plain reads, and where a value came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lazymmu.contract.events import Read, Site, Space, TlbFlush, Write
from lazymmu.contract.vocabulary import Accessor, Vocabulary
from lazymmu.kernelc.ir.abstract_value import USER_MM, Value, truth
from lazymmu.kernelc.ir.nodes import Expr, Node, calls_in, names_in, strip, text
from lazymmu.witness.source.effects.effect import Note
from lazymmu.witness.source.function.frame import Frame, entry_name
from lazymmu.witness.source.interproc.constants import Facts
from lazymmu.witness.source.interproc.summaries import Reach


class Entries:
    """Turns what code does to entries into events, for one program."""

    def __init__(self, facts: Facts, reach: Reach, words: Vocabulary) -> None:
        self.facts = facts
        self.reach = reach
        self.words = words

    def reads(self, frame: Frame, node: Node, expr: Expr) -> list[Note]:
        """Entries that a node reads through their pointer, without an accessor."""
        site = Site(frame.graph.file, node.line, node.column, frame.graph.name)
        notes = []
        for deref in _derefs(expr):
            level = frame.entry_level(deref[1])
            if level is not None:
                event = Read(entry_name(deref[1]), level=level, operation="", site=site)
                notes.append(Note(event, "", "reads it through its pointer"))
        return notes

    def notes(
        self,
        frame: Frame,
        call: Expr,
        accessor: Accessor,
        name: str,
        env: Mapping[str, Value],
        site: Site,
    ) -> list[Note]:
        """What an accessor does to its entry."""
        notes: list[Note] = []
        args = call[2]
        if -len(args) <= accessor.entry < len(args):
            entry = entry_name(args[accessor.entry])
            space = self._space(frame, call, accessor, env)
            level = accessor.level
            says = f"calls {name}()"
            if accessor.operation == "read" or (
                accessor.operation == "modify" and accessor.how == "deferred"
            ):
                read = Read(entry, level=level, space=space, operation=name, site=site)
                notes.append(Note(read, "", says))
            if accessor.operation != "read":
                event = Write(
                    entry,
                    level=level,
                    space=space,
                    how=accessor.how,
                    operation=name,
                    site=site,
                )
                notes.append(Note(event, "write", says))
            if accessor.flushes_tlb:
                flush = TlbFlush("entry", space=space, how="now", entry=entry, site=site)
                notes.append(Note(flush, "tlb", says))
        return notes

    def _space(
        self, frame: Frame, call: Expr, accessor: Accessor, env: Mapping[str, Value]
    ) -> Space:
        """Whose mapping an accessor changes: user's, the kernel's, or not known."""
        args = call[2]
        if accessor.mm is not None and -len(args) <= accessor.mm < len(args):
            return self._mm_space(frame, args[accessor.mm], env, 3)
        if accessor.vma is not None:
            return "user"
        return "unknown"

    def _mm_space(self, frame: Frame, mm: Expr, env: Mapping[str, Value], hops: int) -> Space:
        mm = strip(mm)
        value = self.facts.evaluator(env, frame.graph.file).value(mm)
        if value == ("addr", "init_mm"):
            return "kernel"
        if value == USER_MM:
            return "user"
        same = env.get(f"({text(mm)} == &init_mm)")
        if same is not None:
            return "kernel" if truth(same) else "user"
        source = self.reach.shape(frame.graph).single.get(text(mm))
        if source is not None and hops:
            return self._mm_space(frame, source, env, hops - 1)
        return "unknown"


def origins(expr: Expr, env: Mapping[str, Value]) -> set[str]:
    """The entries from which a value was derived (see ``derived``)."""
    found = set()
    for name in names_in(expr):
        source = env.get("~" + name)
        if source is not None and source[0] == "from":
            found.add(str(source[1]))
    return found


def derived(expr: Expr, env: Mapping[str, Value], words: Vocabulary) -> Value:
    """The entry that a value comes from: read by an accessor, or by way of other variables."""
    for call in calls_in(expr):
        accessor = words.entries.get(call[1]) if isinstance(call[1], str) else None
        if accessor is None or accessor.operation == "write":
            continue
        if -len(call[2]) <= accessor.entry < len(call[2]):
            return ("from", entry_name(call[2][accessor.entry]))
    for deref in _derefs(expr):
        return ("from", entry_name(deref[1]))
    known = sorted(origins(expr, env))
    return ("from", known[0]) if known else None


def _derefs(expr: Expr) -> Iterator[Expr]:
    if expr[0] == "addr":
        return
    for place, item in enumerate(expr[1:], start=1):
        if type(item) is tuple and item:
            if type(item[0]) is str:
                if expr[0] == "assign" and place == 2 and item[0] == "deref":
                    continue
                yield from _derefs(item)
            else:
                for part in item:
                    if type(part) is tuple:
                        yield from _derefs(part)
    if expr[0] == "deref":
        yield expr
