# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of its parameters a function gives back, by itself, by what it calls, or by who runs later.

A page that stands in a structure is given back by who is handed that, or, where an item of the
structure is queued, by the item's function.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from lazymmu.contract.event_words import What
from lazymmu.contract.vocabulary import QueueCall, Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import FunctionValue, Value
from lazymmu.kernelc.ir.expr import Address, AnyCall, Call, Expr, Field, Index, Name
from lazymmu.kernelc.ir.nodes import RETURN, Function, spell, strip_casts, uses
from lazymmu.witness.finding import Step
from lazymmu.witness.source.function.freed_variables import hands_page
from lazymmu.witness.source.interproc.call_targets import CallResolver, callee, named
from lazymmu.witness.source.interproc.freed_places import FreedPlace, Places
from lazymmu.witness.source.interproc.pointed_functions import FEW
from lazymmu.witness.source.interproc.table_lookup import TableLookup

_Handed: TypeAlias = tuple[tuple[str, FunctionValue], ...]

MAX_CALLS = 3
"""Calls below the one that hands a page down; what frees it further away is not followed."""


@dataclass(frozen=True, slots=True)
class Freed:
    """What is freed of a parameter: which, as what, by which calls, and under what conditions.

    :param place: the parameter, or where from it.
    :param tests: how many of the calls are made under a condition of the function that makes them.
    :param runs: who does it when the call has returned, "" for the call itself.
    :param put: it is one reference less, perhaps the last.
    """

    place: FreedPlace
    what: What
    steps: tuple[Step, ...]
    conditions: frozenset[str] = frozenset()
    tests: int = 0
    ambiguous: bool = False
    runs: str = ""
    put: bool = False


class FreedParameters:
    """Answers for each function of a program, and remembers."""

    def __init__(self, resolver: CallResolver, words: Vocabulary, tables: TableLookup) -> None:
        self._resolver = resolver
        self._words = words
        self._tables = tables
        self._followed = words.names
        self._known: dict[tuple[str, int, int, _Handed], tuple[tuple[Freed, ...], int]] = {}
        """Beside each answer, what it was read from."""
        self._taking: dict[tuple[str, int, str], tuple[bool, int]] = {}
        """The same of whether functions take references."""

    def takes_references(self, graph: Function, calls: int = 1) -> bool:
        """Whether a function takes a reference to a page, by itself or by whom it hands one."""
        reads = self._resolver.program.reads
        known = self._taking.get(graph.place) if calls else None
        if known is None:
            outer = reads.begin()
            self._resolver.program.is_walked(graph)
            known = any(self._takes(call, graph, calls) for _, call in graph.calls()), 0
            known = known[0], reads.end(outer)
            if calls:
                self._taking[graph.place] = known
        else:
            reads.bits |= known[1]
        return known[0]

    def _takes(self, call: AnyCall, graph: Function, calls: int) -> bool:
        if call.name in self._words.references:
            return True
        if not calls or call.name in self._followed or not hands_page(call, graph):
            return False
        target = self._resolver.target(call, graph, {})
        if target is None:
            return False
        inner = self._resolver.program.function(target.definition)
        return self.takes_references(inner, calls - 1)

    def of(
        self, definition: Definition, calls: int = MAX_CALLS, handed: _Handed = ()
    ) -> tuple[Freed, ...]:
        """The parameters that a function frees, within so many calls below it.

        :param handed: the functions that it is handed, by its parameters.
        """
        key = (definition.file, definition.line, calls, handed)
        reads = self._resolver.program.reads
        # Also of one that comes back to itself, of which nothing is known yet.
        reads.note(("body", definition.file, definition.name))
        known = self._known.get(key)
        if known is not None:
            reads.bits |= known[1]
            return known[0]
        self._known[key] = (), 0  # for one that comes back to itself
        outer = reads.begin()
        graph = self._resolver.program.function(definition)
        found = tuple(self._below(graph, definition, calls, dict(handed)))
        self._known[key] = found, reads.end(outer)
        return found

    def _below(
        self,
        graph: Function,
        definition: Definition,
        calls: int,
        env: Mapping[str, Value],
    ) -> Iterator[Freed]:
        shape = self._resolver.shape(graph)
        places: Places | None = None
        conditions = frozenset(definition.presence)
        for index, inside in enumerate(shape.calls):
            for call in inside:
                tests = 0 if shape.always(graph, index) else 1
                step = Step(graph.file, call.line, call.column, graph.name, f"calls {call.name}()")
                for freed, arg in self._by(call, graph, env, calls):
                    places = places or Places.of(graph, lambda c: self._container(c, graph))
                    place = self._handed(places, arg, freed.place)
                    if place is None:
                        continue
                    yield replace(
                        freed,
                        place=place,
                        steps=(step, *freed.steps),
                        conditions=conditions | freed.conditions,
                        tests=tests + freed.tests,
                    )

    @staticmethod
    def _handed(places: Places, arg: Expr | None, place: FreedPlace) -> FreedPlace | None:
        if arg is None:
            return place if place.parameter < 0 else None
        return places.handed(arg, place.path)

    def by_call(
        self, call: AnyCall, graph: Function, env: Mapping[str, Value]
    ) -> Iterator[tuple[Freed, Expr | None]]:
        """What a call of a function that is none of the vocabulary's frees, with the argument.

        The argument is None for a variable outside of functions.
        """
        return self._by(call, graph, env, MAX_CALLS)

    def _by(
        self,
        call: AnyCall,
        graph: Function,
        env: Mapping[str, Value],
        calls: int,
        near: str = "",
    ) -> Iterator[tuple[Freed, Expr | None]]:
        name = callee(call, graph, env)
        free = self._words.frees.get(name or "")
        if free is not None:
            arg = call.arg(free.arg)
            if arg is not None and (free.certain or not self.takes_references(graph)):
                put = not free.certain
                yield Freed(FreedPlace(free.arg), free.what, (), tests=int(put), put=put), arg
            return
        queue = self._words.queues.get(name or "")
        if queue is not None:
            yield from self._later(call, queue, graph, calls)
            return
        if name is None:
            for each in self._resolver.pointed(call, graph, env) if calls else ():
                for freed, arg in self._by(named(call, each), graph, env, calls, each.file):
                    yield replace(freed, ambiguous=freed.ambiguous or not each.sure), arg
            return
        if not calls or name in self._followed:
            return
        target = self._resolver.target(call, graph, env, near)
        if target is None:
            return
        handed = self._functions_of(call, target.definition, graph, env)
        for freed in self.of(target.definition, calls - 1, handed):
            if freed.put and self.takes_references(graph):
                continue
            outside = freed.place.parameter < 0
            arg = None if outside else call.arg(freed.place.parameter)
            if arg is not None or outside:
                yield replace(freed, ambiguous=freed.ambiguous or target.ambiguous), arg

    def _functions_of(
        self, call: AnyCall, definition: Definition, graph: Function, env: Mapping[str, Value]
    ) -> _Handed:
        """The functions that a call hands on, by the parameters of who is called."""
        given = [
            (at, value)
            for at, arg in enumerate(call.args)
            if isinstance(value := self._resolver.function(arg, graph, env), FunctionValue)
            or isinstance(value := env.get(spell(arg)), FunctionValue)
        ]
        if not given:
            return ()
        params = self._resolver.program.shaped(definition).params
        return tuple((params[at], value) for at, value in given if at < len(params))

    # -- what runs later ----------------------------------------------------------------------

    def _later(
        self, call: AnyCall, queue: QueueCall, graph: Function, calls: int
    ) -> Iterator[tuple[Freed, Expr | None]]:
        """What the function of an item that is queued frees, with the item."""
        item = call.arg(queue.item)
        if queue.runs == "never" or item is None or not calls:
            return
        names = self._functions(call, queue, item, graph)
        for name in names if len(names) <= FEW else ():
            target = self._resolver.program.resolve(name, graph.file)
            if target is None or target.definition.kind != "function":
                continue
            at = target.definition
            step = Step(at.file, at.line, 1, name, "runs later")
            for freed in self.of(at, calls - 1):
                if freed.place.parameter <= 0 and not freed.runs:
                    later = replace(
                        freed,
                        steps=(step, *freed.steps),
                        ambiguous=freed.ambiguous or target.ambiguous or len(names) > 1,
                        tests=freed.tests + 1,
                        runs=queue.runs,
                    )
                    yield later, item if freed.place.parameter == 0 else None

    def _functions(self, call: AnyCall, queue: QueueCall, item: Expr, graph: Function) -> list[str]:
        """The functions that may be those of an item: by the call, or by what its file says."""
        if queue.fn is not None:
            given = strip_casts(call.arg(queue.fn) or item)
            given = given.operand if isinstance(given, Address) else given
            return [given.spelling] if isinstance(given, Name) else []
        last = _last_word(item)
        found = {
            each.function
            for each in self._tables.item_handlers(graph.file)
            if each.item == last
            and (word := self._words.queues.get(each.call)) is not None
            and word.fn is not None
        }
        return sorted(found)

    def _container(self, call: AnyCall, graph: Function, hops: int = 1) -> Expr | None:
        """The argument of a call that stands in the structure which the call returns."""
        word = self._words.queues.get(call.name or "")
        if word is not None:
            none = word.runs != "never" or word.fn is not None
            return None if none else _inner(call.arg(word.item))
        if not hops or len(call.args) != 1 or call.name is None:
            return None
        target = self._resolver.program.resolve(call.name, graph.file)
        if target is None:
            return None
        inner = self._resolver.program.function(target.definition)
        returned = [n.expr for n in inner.nodes if n.op == RETURN and n.expr is not None]
        for expr in map(strip_casts, returned):
            below = self._container(expr, inner, hops - 1) if isinstance(expr, Call) else None
            if below is not None and inner.params and inner.params[0] in uses(below):
                return call.args[0]
        return None


def _inner(item: Expr | None) -> Expr | None:
    """An item without a conversion around it: to_delayed_work(work)."""
    item = strip_casts(item) if item is not None else None
    return item.args[0] if isinstance(item, Call) and len(item.args) == 1 else item


def _last_word(item: Expr) -> str:
    """The last word of an item: its member, or its variable."""
    item = strip_casts(item)
    while isinstance(item, Address | Index):
        item = strip_casts(item.operand if isinstance(item, Address) else item.base)
    if isinstance(item, Field):
        return item.name
    return item.spelling if isinstance(item, Name) else ""
