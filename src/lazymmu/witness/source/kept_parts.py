# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of an analysis as plain values, by which a change of bodies is held against them.

A part is told by a digest (part_digests.py) in which lines are told by what they say, and has
beside it what it has read. Of what calls come to (interproc/summaries.py) the values themselves
are kept, since a walk needs them. held_parts.py says what these are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.witness.source.kept_api import plain_api
from lazymmu.witness.source.kept_hooks import HOOKS, JUDGED
from lazymmu.witness.source.kept_summaries import plain_binding, plain_summaries
from lazymmu.witness.source.line_tokens import LineToken, LineTokens
from lazymmu.witness.source.part_digests import PartDigests
from lazymmu.witness.source.part_values import plain_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.kernelc.configured_tree import ConfiguredTree, Definition
    from lazymmu.kernelc.reads import Item
    from lazymmu.witness.source.analysis import Analysis
    from lazymmu.witness.source.path.settled_before import WalkerState

__all__ = [
    "definition_of",
    "item_as_plain",
    "parts_as_plain",
    "plain_state",
    "shape_told",
    "small_told",
    "stub_told",
    "table_told",
    "told",
]


def parts_as_plain(analysis: Analysis, view: ConfiguredTree) -> dict[str, object] | None:
    """Return the parts of an analysis as plain values, None where they do not tell all of it.

    That is so where something met a bound: then it matters who came first.
    """
    calls = analysis.call_transfer
    if analysis.walker.bounded or analysis.summaries.bounded or calls.unread:
        return None
    reads, earlier = analysis.program.reads, analysis.walker.taken_over
    lines = LineTokens(view)
    digests = PartDigests(lines)
    states: dict[WalkerState, int] = {}
    units = sorted(reads.units.items(), key=lambda unit: _file(unit[0]))
    parts = []
    for item, (value, bits) in units:
        said = earlier.said(item) if earlier is not None else None
        said = said or told(digests, item, value)
        parts.append([*_key(item, states, lines), said, list(reads.numbers(bits))])
    items = []
    for item in reads.items:
        known = earlier.plain_item(item) if earlier is not None else None
        items.append(known or item_as_plain(analysis, item, digests))
    return {
        "items": items,
        "rest": list(reads.numbers(reads.bits)),
        "parts": parts,
        "states": [plain_state(*state) for state in states],
        "api": plain_api(analysis.api),
        "broken": [[f, name, why] for (f, _), (name, why) in analysis.program.unparsed.items()],
        "asked": plain_summaries(analysis.summaries),
        "walked": max(analysis.walker.walked, earlier.walked if earlier is not None else 0),
        "values": plain_values(reads.items, ((item, value) for item, (value, _) in units)),
    }


def told(digests: PartDigests, item: Item, value: object) -> str:
    """Return what tells the value of a part."""
    if item[0] in (HOOKS, JUDGED):
        return ""  # They are held against nothing.
    if item[0] == "own" and isinstance(value, tuple):
        return digests.of_own_part(*value)
    return digests.of_value(str(item[0]), _file(item), value)


def _file(item: Item) -> str:
    """The file that a part is about, "" for the API."""
    match item:
        case ("root", (str(file), *_), *_) | (_, str(file), *_):
            return file
    return ""


def _key(item: Item, states: dict[WalkerState, int], lines: LineTokens) -> list[object]:
    """What a part is, as plain values: its kind, file and name, and what else it is about."""
    kind = str(item[0])
    plain: object
    match item:
        case ("api",):
            return [kind, "", "", []]
        case ("hooks",):
            return [kind, "", "", [None]]
        case ("judged", state):
            number = states.setdefault(state, len(states))  # type: ignore[arg-type]
            return [kind, "", "", [None, number]]
        case ("root", (str(file), int(), str(name)), binding, task, state):
            number = states.setdefault(state, len(states))  # type: ignore[arg-type]
            plain = None if task is not None else plain_binding(binding)  # type: ignore[arg-type]
            return [kind, file, name, [plain, number]]
        case ("own", str(file), int(), str(name), binding):
            return [kind, file, name, [plain_binding(binding)]]  # type: ignore[arg-type]
        case ("actions", str(file), int(), str(name), state):
            return [kind, file, name, [states.setdefault(state, len(states))]]  # type: ignore[arg-type]
        case ("called", str(file), int(), str(name), word, int(line), called):
            token = lines.of(file, line)
            plain = list(token) if isinstance(token, LineToken) else token
            return [kind, file, name, [word, plain, called]]
        case (_, str(file), int(), str(name), *more):
            return [kind, file, name, more]
    raise TypeError(f"no part that is known: {item}")


def plain_state(
    helpers: frozenset[tuple[str, int, str]],
    counting: frozenset[tuple[str, int, str]],
    names: frozenset[str],
    blamed: frozenset[tuple[str, int, str]],
) -> list[object]:
    """Return what had been settled before a walk (`WalkerState`) as plain values."""
    places = [sorted([f, n] for f, _, n in some) for some in (helpers, counting, blamed)]
    return [*places, sorted(names)]


def item_as_plain(analysis: Analysis, item: Item, digests: PartDigests) -> list[object]:
    """Return something that was read as plain values: what it is, and what it says if it says more.

    The shape of a definition that is not the only one of its name says nothing.
    """
    match item:
        case ("body", file, name):
            return ["body", file, name]
        case ("shape", str(file), int(line), str(name)):
            try:
                at = definition_of(analysis, file, name, line)
            except LookupError:
                return ["shape", file, name, ""]
            return ["shape", file, name, shape_told(analysis, at)]
        case ("small", str(name), str(file)):
            return ["small", name, file, *small_told(analysis, name, file)]
        case ("table", *asked):
            return ["table", asked, table_told(analysis, asked)[0]]
        case ("stub", str(file), str(name)):
            return ["stub", file, name, stub_told(analysis, file, name)]
    return [digests.of_item(item)]


def shape_told(analysis: Analysis, definition: Definition) -> str:
    """Return what tells the shape of a function, as who binds its parameters sees it."""
    graph = analysis.program.to_walk(definition)
    shape = analysis.summaries.shape(graph)
    deciding = sorted(shape.deciding.intersection(graph.params))
    written = sorted(shape.members.written)
    parts = graph.params, deciding, written, sorted(shape.reassigned), graph.broken
    return PartDigests.digest(parts)


def small_told(analysis: Analysis, name: str, file: str) -> list[str]:
    """Return whom a name means, and what matters to who asks whether it is a small function."""
    target = analysis.program.resolve(name, file)
    if target is None:
        return ["", "", ""]
    reads = analysis.program.reads
    outer = reads.bits
    found = analysis.facts.decides(name, file)
    reads.bits = outer
    at = target.definition
    said = "" if target.ambiguous else analysis.program.to_walk(at).broken
    return [at.file, at.name, "small" if found is not None else said]


def table_told(analysis: Analysis, asked: Sequence[object]) -> tuple[str, str]:
    """Return what tells the answer to a question about tables, and the answer as a text."""
    answer = analysis.facts.tables.again([str(word) for word in asked])
    return PartDigests.digest(answer), answer


def stub_told(analysis: Analysis, file: str, name: str) -> str:
    """Return what tells whether beside a function stands one that says no."""
    return repr(analysis.has_stub(definition_of(analysis, file, name)))


def definition_of(analysis: Analysis, file: str, name: str, line: int = 0) -> Definition:
    """Return the one definition of a file that has a name, and stands on a line if one is given.

    :raises LookupError: there is none, or there are several.
    """
    found = [
        d
        for d in analysis.program.source.definitions(name, file)
        if d.file == file and d.name == name and line in (0, d.line)
    ]
    if len(found) != 1:
        raise LookupError(f"{file}: {name}")
    return found[0]
