# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of an earlier analysis that hold though some bodies of functions are other ones now.

Where a change makes a part come to something else (held_parts.py), the analysis begins anew; what
has read none of the changed bodies is taken over into it by its value. Of a root, what the calls in
it come to is found out anew, and has to be the same. Whatever came about while a part was computed
comes about again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from lazymmu.kernelc.json_shapes import listed, mapped, numbers, string, strings
from lazymmu.witness.source.came_about import CameAbout, item_key
from lazymmu.witness.source.changed_names import ChangedNames, functions_read
from lazymmu.witness.source.held_parts import Build, HeldParts, changed_items
from lazymmu.witness.source.kept_api import KeptApi, plain_api
from lazymmu.witness.source.kept_hooks import HOOKS, JUDGED, hooks_of, judged_of, names_of_hooks
from lazymmu.witness.source.kept_parts import plain_state, told
from lazymmu.witness.source.kept_summaries import given, plain_binding
from lazymmu.witness.source.line_tokens import LineTokens
from lazymmu.witness.source.part_digests import PartDigests
from lazymmu.witness.source.part_values import EFFECTS, Own, own_part
from lazymmu.witness.source.parts_again import PartsAgain
from lazymmu.witness.source.path.bounds import MAX_IN_ALL
from lazymmu.witness.source.plain_values import built
from lazymmu.witness.source.told_outcomes import outcome_of

if TYPE_CHECKING:
    from lazymmu.contract.vocabulary import Vocabulary
    from lazymmu.kernelc.configured_tree import ConfiguredTree, Definition
    from lazymmu.kernelc.ir.nodes import Function
    from lazymmu.kernelc.reads import Item
    from lazymmu.witness.source.analysis import Analysis
    from lazymmu.witness.source.arch_hooks import Implementation
    from lazymmu.witness.source.changes_since import ChangesSince
    from lazymmu.witness.source.interproc.call_targets import Binding
    from lazymmu.witness.source.interproc.mode_api import ModeApi
    from lazymmu.witness.source.path.path_state import WalkOutcome
    from lazymmu.witness.source.path.settled_before import WalkerState

__all__ = ["TakenOver"]

_API: Final = ("api",)

_TOLD: Final = ("shape", "small", "table", "stub")
"""Items that say more than what was read (`kept_parts.item_as_plain`)."""

_NOTHING: Final = (LookupError, TypeError, ValueError, AttributeError)
"""What is raised by a part that cannot be made again."""


class TakenOver:
    """The parts of one analysis that may be taken over into another."""

    def __init__(
        self,
        analysis: Mapping[str, object],
        since: ChangesSince,
        view: ConfiguredTree,
        build: Build,
        held: HeldParts | None = None,
    ) -> None:
        """Take what was kept of an analysis, with its parts (`kept_parts.parts_as_plain`).

        :param since: what has changed since.
        :param build: puts the parts of an analysis together.
        :param held: the parts, where they were held against that.
        :raises LookupError: it cannot be taken over, or is nothing that was kept.
        :raises TypeError: it is nothing that was kept.
        :raises ValueError: likewise.
        """
        kept = mapped(analysis["parts"])
        values = mapped(kept["values"])
        (self.walked,) = numbers([kept["walked"]], 0, 1 << 40)
        if 2 * self.walked > MAX_IN_ALL:
            raise ValueError("who was walked first matters")
        self._items = [listed(item) for item in listed(kept["items"])]
        self._names = ChangedNames(view, since.names, mapped(analysis["files"]).keys() - since.gone)
        bodies = self._bodies(since)
        now = build({}, None) if held is None else held.live
        tables = since.tables or self._names.are_in_tables(analysis)
        self._changed = changed_items(
            self._items, bodies, now, self._names, tables=tables, gone=since.gone
        )
        self._now, self._again = now, PartsAgain(now)
        self._told = [listed(part) for part in listed(kept["parts"])]
        self._values = listed(values["parts"])
        broken = {(f, name): why for f, name, why in map(strings, listed(kept["broken"]))}
        broken = {at: why for at, why in broken.items() if at not in bodies}
        broken |= {(f, name): why for (f, _), (name, why) in now.program.unparsed.items()}
        self._about = CameAbout(self._items, values, since.moved, broken)
        self._summaries = given(kept["asked"], since.moved)
        self._moved, self._view, self._tables = since.moved, view, tables
        self._by_key = self._keys([listed(state) for state in listed(kept["states"])])
        self._plain_items = {
            item_key(item): item
            for number, item in enumerate(self._items)
            if item[0] in _TOLD and number not in self._changed
        }
        self._plain_effects: dict[Item, list[object]] = {}
        self._said: dict[Item, str] = {}
        self._same_hooks = False
        """Whether the implementation of the mode was taken over."""

    def _bodies(self, since: ChangesSince) -> set[tuple[str, str]]:
        """The functions that are other ones, or in whose text a changed name stands."""
        read = functions_read(self._items)
        whole = {at for at in read if at[0] in since.whole}
        return (
            since.bodies | whole | self._names.reached(at for at in read if at[0] not in since.gone)
        )

    def _keys(self, states: Sequence[object]) -> dict[tuple[str, ...], int]:
        """The number of each part that may be taken over, by what it is."""
        found: dict[tuple[str, ...], int] = {}
        twice: set[tuple[str, ...]] = set()
        for number, (part, value) in enumerate(zip(self._told, self._values, strict=True)):
            if value is None:
                continue
            kind, file, name, more = part[:4]
            if self._names.are_in(repr(more)):
                continue  # A function that a parameter is bound to is called by its name.
            binding, *state = listed(more)
            about = [self._settled(*listed(states[n])) for n in numbers(state, 0, len(states))]
            key = (string(kind), string(file), string(name), repr(binding), *about)
            if key in found:
                twice.add(key)
            found[key] = number
        return {key: number for key, number in found.items() if key not in twice}

    def _settled(self, *state: object) -> str:
        """What tells what was settled before a walk, but of functions of the changed names.

        Whoever has read none of the names has not asked for any of those.
        """
        *places, names = state
        changed = self._names
        some = [
            sorted(p for p in map(strings, listed(each)) if p[1] not in changed) for each in places
        ]
        return repr([*some, sorted(name for name in set(strings(names)) if name not in changed)])

    @property
    def api(self) -> KeptApi | None:
        """The API of the mode, None where it has to be found anew.

        It is one that was found in the tree as it is now: who finds it asks for what no part has
        asked for, and what is asked now is what the next analysis is held against.
        """
        if _API not in self._now.program.reads.units:
            return None
        kept: KeptApi | None = built(KeptApi | None, plain_api(self._now.api))
        return kept

    def join(self, analysis: Analysis) -> bool:
        """Let an analysis have what may be taken over, if it has the same API of the mode.

        :param analysis: it was built with `api`, and is of no use where it has another.
        :returns: whether it has the same.
        """
        self._about.analysis = analysis
        try:
            same = self._has_same_api(analysis)
        except _NOTHING:
            same = False
        if same:
            analysis.summaries.taken_over = analysis.walker.taken_over = self
        else:
            self._about.analysis = None
        return same

    def _has_same_api(self, analysis: Analysis) -> bool:
        reads, again = analysis.program.reads, self._again.read_by(_API)
        if _API not in reads.units and again is not None:

            def replayed() -> ModeApi:
                self._about.replay(again)
                return analysis.api

            reads.unit(_API, replayed)
        value, _ = reads.units[_API]
        digests = PartDigests(LineTokens(self._view))
        (said,) = [string(part[4]) for part in self._told if part[0] == "api"]
        return bool(told(digests, _API, value) == said)

    def said(self, item: Item) -> str | None:
        """What tells the value of a part that was taken over."""
        return self._said.get(item)

    def plain_item(self, item: Item) -> list[object] | None:
        """What was kept of an item that says the same; None where that is not known."""
        match item:
            case ("shape", file, _, name):
                key: tuple[object, ...] = ("shape", file, name)
            case ("small" | "table" | "stub", *_):
                key = item
            case _:
                return self._plain_effects.get(item)
        return self._plain_items.get(key)

    # -- what an analysis asks -----------------------------------------------------------------

    def own(self, definition: Definition, binding: Binding) -> Own | None:
        """What a function reaches by itself, and whether it was not read in full; None: unknown."""
        file, name = definition.file, definition.name
        number = self._number(("own", file, name, repr(plain_binding(binding))))
        if number is None:
            return None
        try:
            found = own_part(self._values[number], self._about.made)
            came = self._came_about(number)
        except _NOTHING:
            return None
        self._about.replay(came)
        place = (file, definition.line, name)
        self._said[("own", *place, binding)] = string(self._told[number][4])
        return found

    def root(self, graph: Function, binding: Binding, state: WalkerState) -> WalkOutcome | None:
        """What walking a root came to when as much was settled; None where that is not known."""
        analysis = self._about.analysis
        if analysis is None or analysis.call_transfer.unread:
            return None
        settled = self._settled(*plain_state(*state))
        key = ("root", graph.file, graph.name, repr(plain_binding(binding)), settled)
        number = self._number(key)
        again = None if number is not None else self._again.root(graph, binding, state)
        try:
            if number is not None:
                found, came = (
                    outcome_of(self._values[number], self._about.made),
                    self._came_about(number),
                )
            elif again is not None:
                found, came = again
            else:
                return None
            if not all(self._comes_to_the_same(item) for item in came if item[0] == "asked"):
                return None
        except _NOTHING:
            return None
        self._about.replay(came)
        if number is not None:
            said = string(self._told[number][4])
            self._said["root", graph.place, binding, None, state] = said
        return found

    def hooks(self, words: Vocabulary) -> Implementation | None:
        """The architecture's implementation of the mode; None where that is not known."""
        number = None if self._tables else self._number((HOOKS, "", "", repr(None)))
        names = self._names
        if number is None or names.are_in(" ".join(names_of_hooks(words, self._about.live.api))):
            return None
        try:
            found = hooks_of(self._values[number], self._moved, self._about.definition)
            if names.are_in(" ".join(d.name for d in found.definitions)):
                return None
            came = self._came_about(number)
        except _NOTHING:
            return None
        self._about.replay(came, apart=True)
        self._same_hooks = True
        return found

    def judged(self, state: WalkerState) -> list[tuple[Definition, WalkOutcome]] | None:
        """What the walks of its hooks came to when as much was settled; None: unknown."""
        if not self._same_hooks:
            return None
        number = self._number((JUDGED, "", "", repr(None), self._settled(*plain_state(*state))))
        if number is None:
            return None
        try:
            found = judged_of(self._values[number], self._about.made, self._about.definition)
            came = self._came_about(number)
            if not all(self._comes_to_the_same(item) for item in came if item[0] == "asked"):
                return None
        except _NOTHING:
            return None
        self._about.replay(came, apart=True)
        return found

    def _number(self, key: tuple[str, ...]) -> int | None:
        """The number of a part that has read nothing that is changed."""
        number = self._by_key.get(key)
        if number is None or self._about.analysis is None:
            return None
        return number if self._changed.isdisjoint(self._read(number)) else None

    def _read(self, number: int) -> list[int]:
        return numbers(self._told[number][5], 0, len(self._items))

    def _comes_to_the_same(self, item: Sequence[Any]) -> bool:
        """Whether a call comes to what it came to; it is asked for again."""
        _, file, name, binding = item
        reads = self._about.live.program.reads
        outer = reads.bits
        now = self._about.live.summaries.of(self._about.definition(file, name), binding)
        reads.bits = outer
        return self._summaries.get((file, name, binding)) == now

    def _came_about(self, number: int) -> list[tuple[Any, ...]]:
        """What a part has read, and what came about, as items of the analysis at hand."""
        found = []
        for n in self._read(number):
            item = self._about.item(n)
            found.append(item)
            if item[0] in EFFECTS and item[0] != "asked":
                self._plain_effects[item] = self._items[n]
        return found
