# SPDX-License-Identifier: GPL-2.0-or-later
"""One architecture of one tree, looked at as its profile's machine would be built."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from posixpath import dirname

from lazymmu.contract import vocabulary
from lazymmu.contract.dialects import Dialect
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Party, Rule, RuleKind
from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.unbuilt import Cause
from lazymmu.kernelc.configured_tree import ConfiguredTree, Definition
from lazymmu.kernelc.expand.leaving import Marks
from lazymmu.kernelc.program import Program
from lazymmu.kernelc.tree_index import TreeIndex
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.finding import Lost, Step
from lazymmu.witness.source import arch_hooks, blind_spots
from lazymmu.witness.source.analysis import Analysis
from lazymmu.witness.source.api_candidates import candidates
from lazymmu.witness.source.arch_result import ArchResult
from lazymmu.witness.source.callers import CallerSearch, naming
from lazymmu.witness.source.constant_pointers import pointers
from lazymmu.witness.source.declared_handlers import declared
from lazymmu.witness.source.entry_points import Root
from lazymmu.witness.source.findings import Report, to_report
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.interproc.summaries import MAX_DEPTH, CalleeSummaries
from lazymmu.witness.source.kept_analysis import KeptAnalysis
from lazymmu.witness.source.kept_api import KeptApi
from lazymmu.witness.source.kept_hooks import HOOKS, JUDGED
from lazymmu.witness.source.kept_parts import parts_as_plain
from lazymmu.witness.source.kept_summaries import Given
from lazymmu.witness.source.mode_places import included, judge
from lazymmu.witness.source.other_names import Found, joined
from lazymmu.witness.source.path.path_state import WalkOutcome
from lazymmu.witness.source.path.walker import Walker
from lazymmu.witness.source.prefilter import MODE_WORD, Prefilter
from lazymmu.witness.source.section_table import rows
from lazymmu.witness.source.stubs import includes, says_no
from lazymmu.witness.source.table_uses import ApiTables
from lazymmu.witness.source.taken_over import TakenOver

_RECURSION = 20_000
"""Call chains of the kernel are deep, and the analysis recurses along them.  How deep an expression
may be is bounded where it is read (kernelc.ir.bounds), so that this is far from what a stack
holds."""


def analyse_arch(
    tree: Tree,
    profile: Profile,
    rules: Sequence[str],
    dialect: Dialect,
    marks: Prefilter,
    library: TreeIndex,
) -> ArchResult | None:
    """Look at one architecture; None when its profile's machine does not have the mode."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        return _analyse(tree, profile, rules, dialect, marks, library)
    finally:
        sys.setrecursionlimit(before)


def _analyse(
    tree: Tree,
    profile: Profile,
    rules: Sequence[str],
    dialect: Dialect,
    marks: Prefilter,
    library: TreeIndex,
) -> ArchResult | None:
    mine = marks.seen_by(profile, marks.mode)
    calling_back = marks.seen_by(profile, marks.takers)
    extra = (*mine, *calling_back, *marks.module)
    followed = {word.encode() for word in marks.followed}
    kept_words = frozenset(name.encode() for name in vocabulary.load().names)
    view = ConfiguredTree(
        tree, profile, extra=extra, library=library, marks=Marks(frozenset(followed), kept_words)
    )
    kept = KeptAnalysis(view, marks, rules, dialect)
    build = partial(_built, view, rules, dialect, marks)
    known = kept.recall(build)
    if known is None:
        result, parts = _computed(view, rules, dialect, marks, *kept.begin(build))
        kept.keep(result, parts)
    else:
        result = known.result
    if result is None:
        return None
    return replace(
        result,
        unparsed=(*result.unparsed, *(Lost(loss.file, 0, "", loss.reason) for loss in tree.losses)),
        blind=(*result.blind, *blind_spots.of_tree(tree.losses, marks.mode)),
    )


def _computed(
    view: ConfiguredTree,
    rules: Sequence[str],
    dialect: Dialect,
    marks: Prefilter,
    analysis: Analysis,
    earlier: TakenOver | None,
) -> tuple[ArchResult | None, Callable[[], Mapping[str, object] | None] | None]:
    """What an architecture comes to, but for what could not be read of the tree; and its parts."""
    profile = view.profile
    calling_back = marks.seen_by(profile, marks.takers)
    program, walker = analysis.program, analysis.walker
    implementation = program.reads.unit((HOOKS,), partial(_hooks, view, analysis, earlier))
    if not any(d.file.startswith("arch/") for d in implementation.enter):
        return None, None
    walked = _walked(view, analysis, implementation, marks, calling_back)
    implementers = [RULES[name] for name in rules if not _of_callers(RULES[name])]
    judged = _judged(analysis, implementation, implementers, dialect, earlier)
    reports = _reports(view, [*walked, *judged])
    bodies = joined(included(view, MODE_WORD), _of_api(analysis.api, marks.others))
    unbuilt = tuple(_unbuilt(view, program, marks.module))  # before what was parsed is counted
    result = ArchResult(
        arch=profile.name,
        directory=profile.arch_dir,
        reports=reports,
        rows=tuple(rows(profile.name, walker, walked, program, analysis.summaries, reports)),
        sections=tuple(sorted({(s.file, s.line) for s in walker.begun})),
        words=implementation.words,
        enter=implementation.enter_words,
        parsed=program.parsed,
        unparsed=tuple(_lost(view, program, analysis.summaries, walker)),
        unresolved=tuple(_unresolved(profile.name, analysis.summaries)),
        verdicts=judge(view, analysis, implementation, joined(marks.places, bodies)),
        included=bodies,
        blind=(
            *blind_spots.of_walker(walker),
            *blind_spots.of_hooks(profile.arch_dir, implementation),
        ),
        unbuilt=unbuilt,
        unlisted=tuple(_unlisted(view, calling_back)),
    )
    return result, partial(parts_as_plain, analysis, view)


def _built(
    view: ConfiguredTree,
    rules: Sequence[str],
    dialect: Dialect,
    marks: Prefilter,
    given: Given | None = None,
    known: KeptApi | None = None,
) -> Analysis:
    """Put the parts of the analysis of one architecture together."""
    words, profile = vocabulary.load(), view.profile
    mine = marks.seen_by(profile, marks.mode)
    used = [name for name in rules if _of_callers(RULES[name])]
    naming = frozenset(mine)
    return Analysis.build(
        view,
        words,
        [RULES[name] for name in used],
        dialect,
        config=view.config.value,
        constants=profile.constants,
        tables=_tables(view, words),
        arch=profile.name,
        has_stub=partial(_has_stub, view),
        names_mode=lambda d: d.file in naming and view.has(d, MODE_WORD),
        candidates=lambda: candidates(view, mine, marks.words),
        pointers=lambda: pointers(view, {f: marks.words[f] for f in mine}),
        given=given,
        known=known,
    )


def _has_stub(view: ConfiguredTree, definition: Definition) -> bool:
    found = says_no(view.sources.read(definition.file), definition.name)
    view.asked.check("stub", definition.file, definition.name, found)
    return found


def _of_callers(rule: Rule) -> bool:
    """Whether a rule is judged where the mode is used: also what is information elsewhere."""
    return rule.party is Party.CALLER or rule.kind is RuleKind.INFORMATION


def _judged(
    analysis: Analysis,
    implementation: arch_hooks.Implementation,
    rules: Sequence[Rule],
    dialect: Dialect,
    earlier: TakenOver | None,
) -> list[Root]:
    """Hold the implementation's hooks, as a whole, to the rules for implementers."""
    if not rules:
        return []
    program, words, state = analysis.program, analysis.words, analysis.walker.state

    def told() -> list[tuple[Definition, WalkOutcome]]:
        known = None if earlier is None else earlier.judged(state)
        if known is not None:
            return known
        runtime = Runtime(rules, dialect)
        return arch_hooks.judge(implementation, program, analysis.call_transfer, runtime, words)

    hooks = program.reads.unit((JUDGED, state), told)
    return [Root(definition, (), outcome) for definition, outcome in hooks]


def _hooks(
    view: ConfiguredTree, analysis: Analysis, earlier: TakenOver | None
) -> arch_hooks.Implementation:
    """The architecture's implementation of the mode."""
    words = analysis.words
    known = None if earlier is None else earlier.hooks(words)
    return known or arch_hooks.find(view, analysis.program, words, analysis.api)


def _walked(
    view: ConfiguredTree,
    analysis: Analysis,
    implementation: arch_hooks.Implementation,
    marks: Prefilter,
    calling_back: Collection[str],
) -> list[Root]:
    """Walk from wherever a path begins in the files that name the mode, or call back."""
    words, program = analysis.words, analysis.program
    mine = marks.seen_by(view.profile, marks.mode)
    others = {
        item.word.encode()
        for file, items in marks.others.items()
        for item in items
        if analysis.api.names(item.word, file)
    }
    users = [d for f in mine for d in naming(view, f, MODE_WORD, *others)]
    makers = {d.name for d in users if d.kind == "macro" and view.makes(d)}
    users = [d for d in users if d.kind != "macro" or d.name not in makers]
    users += (d for d in view.made_by(makers) if d not in users)
    callers = CallerSearch(view, mine, marks.words)
    users = _unwoven(view, users, callers)
    analysis.call_transfer.cannot_read(
        d
        for d in users
        if not analysis.api.has(d.name, d.file)
        and program.place(d)[:2] not in implementation.places
        and program.broken(d)
    )
    takers = [d for f in calling_back for d in naming(view, f, b"apply_to_")]
    registrations = tuple(n.encode() for n, w in words.handlers.items() if not w.declared)
    sources = [f for f in sorted({*mine, *calling_back}) if f.endswith(".c")]
    registering = [d for f in sources for d in naming(view, f, *registrations)]
    handlers = [one for f in sources for one in declared(view, f)]
    return analysis.roots(implementation.places).walk(
        users, takers, registering, callers, callers.elsewhere, handlers
    )


def _unwoven(
    view: ConfiguredTree, users: Iterable[Definition], callers: CallerSearch
) -> list[Definition]:
    """Users of the mode, with those of a macro for each that is part of who uses it."""
    found: dict[Definition, None] = {}
    for user in users:
        using = []
        if view.is_woven(user):
            named = callers(user.name, user.static, user.file)
            using = [d for d in named if d.kind == "function"]
        found.update(dict.fromkeys(using or [user]))
    return list(found)


def _of_api(api: ModeApi, found: Found) -> Found:
    """Those of the words that turned out to be calls of the mode's API, or tables that have one."""
    tables = ApiTables(api)
    kept = {
        f: tuple(i for i in items if api.has(i.word, f) or tables.has(i, f))
        for f, items in found.items()
    }
    return {file: items for file, items in kept.items() if items}


def _tables(view: ConfiguredTree, words: vocabulary.Vocabulary) -> dict[str, list[str]]:
    """Functions of each table that is handed to one that calls back, by the table's variable."""
    out: dict[str, list[str]] = {}
    for struct in sorted({t.ops_struct for t in words.callbacks.values() if t.ops_struct}):
        for item in view.initialisers(struct=struct):
            out.setdefault(item.table, []).append(item.function)
    return out


class _Conditions:
    """Names the presence conditions of each line of a path."""

    def __init__(self, view: ConfiguredTree) -> None:
        self._view = view
        self._lines: dict[str, list[int]] = {}

    def named(self, item: Report) -> Report:
        """A culprit with the conditions of all its lines."""
        found = set(item.conditions)
        for step in item.path:
            found.update(self._of(step.file, step.line))
        return replace(item, conditions=tuple(sorted(found)))

    def _of(self, file: str, line: int) -> tuple[str, ...]:
        if file not in self._lines:
            text = self._view.sources.read(file)
            self._lines[file] = [0, *(m.end() for m in re.finditer(rb"\n", text))]
        starts = self._lines[file]
        at = starts[min(max(line, 1), len(starts)) - 1]
        built = self._view.presence(file) or () if file.endswith(".c") else ()
        return (*built, *self._view.headers.selection(file).presence(at))


def _reports(view: ConfiguredTree, roots: Iterable[Root]) -> tuple[Report, ...]:
    """Everything that is wrong on the paths from some roots."""
    rests_on = _Conditions(view)
    found = []
    for root in roots:
        spaces = root.outcome.spaces - {"unknown"}
        space = spaces.pop() if len(spaces) == 1 else "unknown"
        for raw in root.raw_reports:
            report = to_report(view.profile.name, raw, root.step, root.definition.presence, space)
            found.append(rests_on.named(report))
    return tuple(found)


def _unbuilt(
    view: ConfiguredTree, program: Program, files: Iterable[str]
) -> Iterable[tuple[str, str]]:
    """Read all functions of some files; the files that are not built are left, with the reason."""
    for file in files:
        why = view.why(file)
        if why is not None:
            yield file, str(why)
            continue
        for definition in view.functions(file):
            program.function(definition)


def _unlisted(view: ConfiguredTree, files: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The files that no configuration of this machine builds, with the reason."""
    for file in files:
        if not file.endswith(".c") or file in view.built or _is_included(view, file):
            continue
        why = view.why(file)
        if why is not None and why.cause in (Cause.UNNAMED, Cause.UNREADABLE):
            yield file, str(why)


def _is_included(view: ConfiguredTree, file: str) -> bool:
    """Whether another .c file beside it, or one directory up, includes it: then that decides."""
    found = False
    for folder in filter(None, (dirname(file), dirname(dirname(file)))):
        for entry in view.tree.entries(folder):
            if entry.name.endswith(".c") and not entry.directory:
                other = f"{folder}/{entry.name}"
                one = includes(view.sources.read(other), file)
                view.asked.check("includes", other, file, one)
                found = found or one
    return found


def _unresolved(arch: str, summaries: CalleeSummaries) -> Iterable[Lost]:
    for name, (file, line, function) in sorted(summaries.unresolved.items()):
        yield Lost(file, line, name, f"called in {function}()")
    if summaries.cut_off:
        why = f"more than {MAX_DEPTH} calls below a section on {arch}, not looked at"
        yield Lost("", 0, f"{len(summaries.cut_off)} functions", why)


def _lost(
    view: ConfiguredTree, program: Program, summaries: CalleeSummaries, walker: Walker
) -> Iterable[Lost]:
    for (file, line), (name, why) in sorted(program.unparsed.items()):
        yield Lost(file, line, name, why)
    for (file, line, name), why in sorted({**summaries.bounded, **walker.bounded}.items()):
        yield Lost(file, line, name, why)
    for (file, line, name), why in sorted(view.unmade.items()):
        yield Lost(file, line, name, why)


__all__ = ["ArchResult", "Step", "analyse_arch"]
