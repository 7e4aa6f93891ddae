# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of every place that names the mode: walked, explained, or lost, and why.

The search knows nothing of what the analysis understood, and the analysis nothing of the search;
here each place that the one found is looked up in the other. A place counts as seen only if the
function around it was read in full, its call stands in the flow graph, and that was walked.

One architecture judges what its machine compiles (`judge`); `settle` takes the best that any of
them came to, since code needs to be seen once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lazymmu.contract.vocabulary import load
from lazymmu.kernelc.configured_tree import ConfiguredTree, Definition
from lazymmu.kernelc.index.occurrences import Context, Occurrence, occurrences
from lazymmu.kernelc.ir.expr import Call, Guard, Number
from lazymmu.kernelc.ir.nodes import Function, spell, strip_casts, uses
from lazymmu.kernelc.program import Program, assignments
from lazymmu.witness.finding import Place, Standing
from lazymmu.witness.source.analysis import Analysis
from lazymmu.witness.source.arch_hooks import Implementation
from lazymmu.witness.source.interproc.mode_api import ModeApi, called_path
from lazymmu.witness.source.interproc.pointed_functions import FEW, arms
from lazymmu.witness.source.other_names import Found
from lazymmu.witness.source.path.walker import Walker
from lazymmu.witness.source.table_uses import ApiTables, calls_by_itself
from lazymmu.witness.source.unbuilt_names import means_another

_LEXICAL = {
    Context.COMMENT: Standing.COMMENT,
    Context.STRING: Standing.STRING,
    Context.DIRECTIVE: Standing.DIRECTIVE,
    Context.EXPORT: Standing.EXPORT,
    Context.DECLARATION: Standing.DECLARATION,
}
"""Places at which nothing happens, whatever machine compiles them."""

_NEVER, _DEAD, _BUILT = 2, 1, 0
"""How far a machine got with a place that it lost: the furthest one's reason is told."""


_HANDED_ON = "its table is handed on; calls through it are not followed there"

_HANDS = 4
"""Functions that only hand on what they are given which are looked through."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one architecture came to at one place; `distance` orders the reasons of a loss."""

    standing: Standing
    reason: str = ""
    distance: int = _BUILT

    @property
    def rank(self) -> tuple[bool, int]:
        """The better of two has the smaller rank."""
        return (self.standing is Standing.LOST, self.distance)


Verdicts = Mapping[tuple[str, int], Judged]
"""By file and byte offset of the word."""


def judge(
    view: ConfiguredTree,
    analysis: Analysis,
    implementation: Implementation,
    found: Found,
) -> Verdicts:
    """What one architecture came to at each place of the files in `found`.

    Files of other architectures, and places at which nothing happens, are left out.
    """
    program, walker, api = analysis.program, analysis.walker, analysis.api
    judging = _Judging(view, program, walker, implementation, api, found)
    mine = f"arch/{view.profile.arch_dir}/"
    return {
        (file, item.start): judging.one(file, item)
        for file, items in found.items()
        if not file.startswith("arch/") or file.startswith(mine)
        for item in items
        if item.context not in _LEXICAL
    }


class _Judging:
    """One architecture's knowledge, asked place by place."""

    def __init__(
        self,
        view: ConfiguredTree,
        program: Program,
        walker: Walker,
        implementation: Implementation,
        api: ModeApi,
        found: Found,
    ) -> None:
        self._view = view
        self._program = program
        self._walker = walker
        self._api = api
        self._implementing = implementation.places | {
            program.place(d)[:2] for d in implementation.definitions
        }
        self._derived = api.anywhere.keys() - load().mode.keys()
        """Names of the mode that the tree gives it, not the vocabulary."""
        self._tables = ApiTables(api)
        self._declared = {
            item.word
            for items in found.values()
            for item in items
            if item.context in (Context.DECLARATION, Context.VALUE)
        }
        self._named: dict[tuple[str, int, str], frozenset[str]] = {}

    def one(self, file: str, item: Occurrence) -> Judged:
        """What became of one place."""
        view = self._view
        if file.endswith(".c") and view.presence(file) is None:
            if item.word in self._derived and means_another(view, file, item.word):
                return Judged(Standing.NAME)
            return _lost(view.why_not_built(file), _NEVER)
        if not view.headers.selection(file).is_compiled(item.start):
            return _lost("not compiled on the machines that were looked at", _DEAD)
        mode = self._api.of(item.word, file)
        match item.context:
            case Context.MACRO | Context.VALUE if (file, item.start) in self._api.pointed:
                return Judged(Standing.DECLARATION)
            case Context.MACRO if mode is not None:
                return self._given(file, item)
            case Context.STRAY if mode is not None or item.called:
                body = not file.endswith((".c", ".h"))
                what = "in an included body" if body else "in no definition that could be found"
                return _lost(what)
            case Context.VALUE if self._tables.has(item, file):
                return _lost(_HANDED_ON)
            case Context.VALUE if mode is not None:
                return _lost("its address is taken; calls through it are not followed")
            case Context.BODY:
                return self._body(file, item)
        return Judged(Standing.NAME)

    def _in_maker(self, item: Occurrence, macro: Definition) -> Judged:
        """What became of a place in the text of a macro that makes functions."""
        used = f"{macro.name}("
        for made in self._view.made_by([macro.name]):
            graph = self._program.function(made)
            named = any(call.name == item.word for _, call in graph.calls())
            if named and not graph.broken and graph.place in self._walker.places:
                return Judged(Standing.WALKED)
        return _lost(f"in a function that {used}) makes, and that was not walked")

    def _given(self, file: str, item: Occurrence) -> Judged:
        """What became of a place in the arguments of a macro at file level."""
        made = self._view.made_at(file, item.start)
        why = "whose functions were not walked" if made else "which is not followed"
        for definition in made:
            graph = self._program.function(definition)
            key = (graph.file, graph.line, graph.name)
            if graph.broken:
                why = f"one of whose functions was {graph.broken}"
            elif (item.word, item.line) in _named_calls(graph):
                if key in self._walker.bounded:
                    return _lost(self._walker.bounded[key])
                if key in self._walker.places:
                    return Judged(Standing.WALKED)
        return _lost(f"in the arguments of {item.outer}(), {why}")

    def _body(self, file: str, item: Occurrence) -> Judged:
        """What became of a place in the body of a function or a macro."""
        raw = item.definition
        if raw is None:
            return _lost("in no definition that could be found")
        mode = self._api.of(item.word, file)
        if raw.kind == "object" and raw.name == item.word:
            return Judged(Standing.DECLARATION)
        definition = self._view.definition(file, raw)
        if raw.kind == "macro" and self._view.makes(definition):
            return self._in_maker(item, definition)
        if broken := self._program.broken(definition):
            return _lost(broken)
        key = self._program.place(definition)
        if key in self._walker.bounded:
            return _lost(self._walker.bounded[key])
        if self._tables.has(item, file):
            return self._table_used(item, definition)
        if mode is None:
            return self._other_name(file, item, self._program.function(definition), key)
        if self._api.has(raw.name, file) or key[:2] in self._implementing:
            return Judged(Standing.IMPLEMENTS)
        called = is_called(self._program, definition, item.word, item.line, item.called)
        if not called and not item.called:
            graph = self._program.function(definition)
            if key in self._walker.places and self._is_handed(item.word, graph):
                return Judged(Standing.WALKED)
            if key in self._walker.places and definition in self._view.woven(
                file, item.word.encode()
            ):
                # A macro that was replaced by its text, in who uses it.
                return Judged(Standing.WALKED)
            if raw.kind == "object":
                return _lost("another name for it, which is not followed")
            return _lost("its address is taken; calls through it are not followed")
        if not called:
            return _lost("no path of the function leads there")
        if mode.action == "active":
            return Judged(Standing.READ)
        if key in self._walker.places:
            return Judged(Standing.WALKED)
        kind = "macro" if self._program.function(definition).macro else "function"
        return _lost(f"in a {kind} that was not walked")

    def _table_used(self, item: Occurrence, definition: Definition) -> Judged:
        """What became of a place in a body that names a table with members of the API."""
        graph = self._program.function(definition)
        if item.word in graph.types:
            return Judged(Standing.NAME)
        if not is_called(self._program, definition, f"{item.word}->", item.line, called=False):
            return _lost(_HANDED_ON)
        if graph.place in self._walker.places or graph.macro:
            return Judged(Standing.NAME)
        return _lost("in a function that was not walked")

    def _is_handed(self, function: str, graph: Function, hands: int = _HANDS) -> bool:
        """Whether a function is handed to nobody but who was walked, and calls it there."""
        takers = [
            (call, place)
            for _, call in graph.calls()
            for place, arg in enumerate(call.args)
            if spell(strip_casts(arg)).lstrip("&") == function
        ]
        for call, place in takers if hands else ():
            target = self._program.resolve(call.name or "", graph.file)
            inner = self._program.function(target.definition) if target is not None else None
            if inner is None or place >= len(inner.params):
                return False
            param = inner.params[place]
            called = any(each.name == param for _, each in inner.calls())
            walked = inner.place in self._walker.places and not inner.broken
            if not walked or not (called or self._is_handed(param, inner, hands - 1)):
                return False
        return bool(takers) and hands > 0

    def _other_name(
        self, file: str, item: Occurrence, graph: Function, key: tuple[str, int, str]
    ) -> Judged:
        """A word that only contains the mode's: somebody's helper, a variable, a guard."""
        if item.called:
            if item.word in graph.types or self._program.resolve(item.word, file) is not None:
                return Judged(Standing.NAME)
            return _lost("calls something whose definition was not found")
        if item.field or item.tag or item.word in graph.types or item.word in self._declared:
            return Judged(Standing.NAME)
        if any(isinstance(call, Guard) and call.cls == item.word for _, call in graph.calls()):
            return _lost("a guard, whose class is not followed")
        if item.word in self._names_of(graph, key):
            return _lost("a name that nothing declares")
        return Judged(Standing.NAME)

    def _names_of(self, graph: Function, key: tuple[str, int, str]) -> frozenset[str]:
        known = self._named.get(key)
        if known is None:
            exprs = (node.expr for node in graph.nodes if node.expr is not None)
            known = self._named[key] = frozenset().union(*map(uses, exprs))
        return known


def is_called(program: Program, definition: Definition, word: str, line: int, called: bool) -> bool:
    """Whether a word of a definition is a call that its graph has, or the body of one.

    :param word: with an arrow behind it a table, of which only members are called.
    :param called: whether it stands before a parenthesis.
    """

    def told() -> bool:
        graph = program.function(definition)
        if word.endswith("->"):
            return calls_by_itself(word.removesuffix("->"), graph)
        found = (word, line) in _named_calls(graph)
        found = found or (not called and _is_called_through(word, graph, program))
        return found or any(name == word for _, _, name in graph.spliced)

    place = (definition.file, definition.line, definition.name)
    return program.reads.unit(("called", *place, word, line, called), told)


def _named_calls(graph: Function) -> frozenset[tuple[str, int]]:
    # A member that is called may have the name of a function that stands elsewhere.
    return frozenset(
        (each, call.line)
        for _, call in graph.calls()
        if (name := called_path(call) if isinstance(call, Call) else call.name) is not None
        for each in (name, name.rpartition("->")[2])
    )


def _is_called_through(function: str, graph: Function, program: Program) -> bool:
    """Whether a variable that is called only ever holds a function, or it and few others."""
    called = {call.name for _, call in graph.calls()}
    for variable, values in assignments(graph).items():
        if variable.spelling not in called:
            continue
        given = [value for value in arms(values) if not isinstance(value, Number)]
        held = {spell(value).lstrip("&") for value in given if value is not None}
        if function not in held or None in given or len(held) > FEW:
            continue
        if all(program.resolve(name, graph.file) is not None for name in held):
            return True
    return False


def _lost(reason: str, distance: int = _BUILT) -> Judged:
    return Judged(Standing.LOST, reason, distance)


def included(view: ConfiguredTree, part: bytes) -> Found:
    """The words of the mode in files that are included and are neither .c nor .h files.

    The search of a tree does not know them: any file may be included under any name.
    """
    others = {
        file
        for files in view.headers.includes.values()
        for file in files
        if not file.endswith((".c", ".h"))
    }
    texts = ((file, view.tree.read(file)) for file in sorted(others))
    return {file: words for file, text in texts if (words := occurrences(text, part))}


def settle(found: Found, verdicts: Iterable[Verdicts]) -> tuple[Place, ...]:
    """Every place of a tree, with the best that any architecture came to there.

    What stands below arch/ of an architecture that none of `verdicts` is about stands elsewhere.
    """
    best: dict[tuple[str, int], Judged] = {}
    for each in verdicts:
        for key, judged in each.items():
            known = best.get(key)
            if known is None or judged.rank < known.rank:
                best[key] = judged
    return tuple(
        _place(file, item, best.get((file, item.start)))
        for file, items in sorted(found.items())
        for item in items
    )


def _place(file: str, item: Occurrence, judged: Judged | None) -> Place:
    lexical = _LEXICAL.get(item.context)
    if lexical is not None:
        judged = Judged(lexical)
    elif judged is None:
        judged = Judged(Standing.ELSEWHERE)
    function = item.definition.name if item.definition is not None else ""
    return Place(file, item.line, item.word, judged.standing, function, judged.reason)
