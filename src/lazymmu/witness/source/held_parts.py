# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether an analysis still holds when some bodies of functions have changed, and nothing else.

Those parts are computed again that have read one of the bodies, and no others. Where each comes to
what it came to before, and all of them together have read the same as before, the whole is what it
was: nothing else can have learnt of the change. Where one comes to something else, as where a
change brings a finding, the analysis begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from lazymmu.kernelc.json_shapes import listed, mapped, numbers, string, strings
from lazymmu.witness.source import entry_points, handed_functions, mode_places, section_table, users
from lazymmu.witness.source.kept_api import KeptApi, api_that_holds
from lazymmu.witness.source.kept_hooks import HOOKS, JUDGED
from lazymmu.witness.source.kept_parts import (
    definition_of,
    item_as_plain,
    shape_told,
    small_told,
    stub_told,
    table_told,
    told,
)
from lazymmu.witness.source.kept_summaries import Given, binding_of, given
from lazymmu.witness.source.line_tokens import LineTokens, token_of
from lazymmu.witness.source.part_digests import PartDigests

if TYPE_CHECKING:
    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.kernelc.reads import Item
    from lazymmu.witness.source.analysis import Analysis
    from lazymmu.witness.source.changed_names import ChangedNames
    from lazymmu.witness.source.moved_places import MovedPlaces

__all__ = ["Build", "Changed", "HeldParts", "changed_items"]

Build: TypeAlias = "Callable[[Given | None, KeptApi | None], Analysis]"
"""Puts an analysis together, with what calls come to and the mode's API, where those are known."""

Changed: TypeAlias = Collection[tuple[str, str]]
"""Functions whose bodies have changed, by file and name."""

_MOST: Final = 1 << 31


def changed_items(
    items: Sequence[Sequence[object]],
    bodies: Changed,
    live: Analysis,
    names: ChangedNames | None = None,
    *,
    tables: bool = False,
    gone: Container[str] = (),
) -> set[int]:
    """Return the numbers of the items that say something else where a body has changed.

    :param items: what was read, as `kept_parts.item_as_plain` tells it.
    :param live: an analysis of the tree as it is now.
    :param names: those that mean something else now.
    :param tables: whether tables of functions may hold something else, or one of those names.
    :param gone: files that are not there any more.
    """
    found = set()
    known = names or ()
    for number, item in enumerate(items):
        match item:
            case ["body" | "shape" | "stub", file, *_] | ["small", _, file, *_] if file in gone:
                found.add(number)
            case ["body", file, name] if (file, name) in bodies:
                found.add(number)
            case ["shape", str(file), str(name), said] if (file, name) in bodies:
                if _shape_now(live, file, name) != said:
                    found.add(number)
            case ["small", str(name), str(file), *said] if (
                tuple(said[:2]) in bodies or name in known
            ):
                if said[2] == "small" or small_told(live, name, file) != said:
                    found.add(number)
            case ["table", list(asked), str(said)] if tables:
                if _is_other_table(live, asked, said, names, gone):
                    found.add(number)
            case ["stub", str(file), str(name), str(said)] if tables or (file, name) in bodies:
                if _stub_now(live, file, name) != said:
                    found.add(number)
    return found


def _is_other_table(
    live: Analysis,
    asked: Sequence[object],
    said: str,
    names: ChangedNames | None,
    gone: Container[str],
) -> bool:
    """Whether a question about tables has another answer, or one that means something else."""
    if any(word in gone for word in asked):
        return True
    told_now, answer = table_told(live, asked)
    return told_now != said or (names is not None and names.are_in(answer))


def _shape_now(live: Analysis, file: str, name: str) -> str | None:
    """What tells the shape of a function; None where it is gone."""
    try:
        return shape_told(live, definition_of(live, file, name))
    except LookupError:
        return None


def _stub_now(live: Analysis, file: str, name: str) -> str | None:
    """What tells whether one stands beside a function that says no; None where it is gone."""
    try:
        return stub_told(live, file, name)
    except LookupError:
        return None


@dataclass(slots=True)
class HeldParts:
    """The parts that were kept, and an analysis in which they can be computed again.

    :param live: it takes for granted what calls come to, as that was.
    """

    kept: Mapping[str, object]
    items: Sequence[Sequence[object]]
    live: Analysis
    digests: PartDigests
    lines: LineTokens

    @classmethod
    def of(
        cls,
        plain: object,
        bodies: Changed,
        moved: MovedPlaces,
        view: ConfiguredTree,
        build: Build,
    ) -> HeldParts | None:
        """Take parts that were kept; None where they cannot be held against some other bodies.

        :param plain: what `kept_parts.parts_as_plain` told of an analysis.
        :param moved: where its lines are now.
        :param build: puts the parts of an analysis together.
        :raises LookupError: something of it is gone, or cannot be told.
        :raises TypeError: it is nothing that was kept.
        :raises ValueError: likewise.
        """
        if plain is None:
            return None
        kept = mapped(plain)
        items = [listed(item) for item in listed(kept["items"])]
        rest = numbers(kept["rest"], 0, len(items))
        if any(items[n][0] == "body" and tuple(items[n][1:]) in bodies for n in rest):
            return None
        lines = LineTokens(view)
        live = build(given(kept["asked"], moved), api_that_holds(kept, items, bodies))
        return cls(kept, items, live, PartDigests(lines), lines)

    def hold(self, bodies: Changed) -> bool:
        """Tell whether an analysis comes to what it came to, though some bodies have changed.

        Errors are those of `of`.
        """
        rest = set(numbers(self.kept["rest"], 0, len(self.items)))
        changed = changed_items(self.items, bodies, self.live)
        same = changed.isdisjoint(rest) and self.is_same(changed, rest)
        return same and self.is_as_broken(bodies)

    def is_as_broken(self, bodies: Changed) -> bool:
        """Whether those of the bodies that were read can be read as far as they could."""
        then = {(f, name): why for f, name, why in map(strings, listed(self.kept["broken"]))}
        read = {tuple(item[1:3]) for item in self.items if item[0] in ("body", "shape")}
        read |= {tuple(item[3:5]) for item in self.items if item[0] == "small"}
        return all(
            self.live.program.to_walk(definition_of(self.live, *body)).broken == then.get(body, "")
            for body in bodies
            if body in read
        )

    def is_same(self, changed: set[int], rest: set[int]) -> bool:
        """Whether each part that has read one of some items comes to what it came to.

        :param rest: what was read outside of parts.
        """
        before: set[int] = set()
        others = set(rest)
        again = []
        for part in map(listed, listed(self.kept["parts"])):
            read = numbers(part[-1], 0, len(self.items))
            if changed.isdisjoint(read):
                others.update(read)
            else:
                before.update(read)
                again.append(part)
        if any(part[0] in (HOOKS, JUDGED) for part in again):
            return False  # They are found anew as a whole.
        now: set[str] = set()
        for part in sorted(again, key=lambda part: part[0] == "root"):  # Walks take longest.
            items = self._computed(part)
            if items is None:
                return False
            now |= items
        names = [_named(item) for item in self.items]
        return not ({names[n] for n in before} ^ now) - {names[n] for n in others}

    def _computed(self, part: Sequence[object]) -> set[str] | None:
        """What a part reads that is computed again; None where it comes to something else."""
        kind, file, name, more, said, _ = part
        item = self._again(string(kind), string(file), string(name), listed(more))
        value, bits = self.live.program.reads.units[item]
        if told(self.digests, item, value) != said:
            return None
        read = self.live.program.reads.numbers(bits)
        items = [self.live.program.reads.items[n] for n in read]
        return {_named(item_as_plain(self.live, item, self.digests)) for item in items}

    def _again(self, kind: str, file: str, name: str, more: Sequence[object]) -> Item:
        """Compute a part again, and return the item that it is now."""
        live = self.live
        if kind == "api":
            return ("api",)  # It was, when the analysis was built.
        at = definition_of(live, file, name)
        place = (at.file, at.line, at.name)
        program, summaries = live.program, live.summaries
        match kind, more:
            case "own", [binding]:
                bound = binding_of(binding)
                summaries.looked_at(at, bound)
                return ("own", *place, bound)
            case "root", [binding, state] if binding is not None:
                self._settle(state)
                bound, graph = binding_of(binding), program.to_walk(at)
                live.walker.root(graph, bound)
                return ("root", graph.place, bound, None, live.walker.state_before)
            case "actions", [state]:
                self._settle(state)
                section_table.actions_of(at, live.walker, summaries, program)
                return ("actions", *place, live.walker.state)
            case "called", [str(word), token, called]:
                line = self.lines.find(file, token_of(listed(token)))
                mode_places.is_called(program, at, word, line, called is True)
                return ("called", *place, word, line, called is True)
            case "broken", []:
                program.broken(at)
            case "uses", []:
                entry_points.uses_mode(program, summaries, at)
            case "callbacks", []:
                entry_points.callbacks(program, summaries, live.words, at)
            case "calls-parameter", []:
                handed_functions.calls_a_parameter(program, at)
            case "calls", [str(other)]:
                users.calls(program, at, other)
            case "given", [str(other)]:
                handed_functions.what_is_given(program, at, other)
            case _:
                raise LookupError(kind)
        return (kind, *place, *map(str, more))

    def _settle(self, state: object) -> None:
        """Let the walker know what it knew when a part was computed."""
        states = listed(self.kept["states"])
        (number,) = numbers([state], 0, len(states))
        *places, names = listed(states[number])
        helpers, counting, blamed = (
            frozenset(self._place(place) for place in listed(some)) for some in places
        )
        self.live.walker.state = helpers, counting, frozenset(strings(names)), blamed

    def _place(self, plain: object) -> tuple[str, int, str]:
        file, name = strings(plain)
        return self.live.program.place(definition_of(self.live, file, name))


def _named(item: Sequence[object]) -> str:
    """What tells an item from others, whatever it says."""
    return " ".join(map(str, item[: 2 if item[0] == "table" else 3]))
