# SPDX-License-Identifier: GPL-2.0-or-later
"""One architecture's analysis as a fact: kept, and recalled where all that it asked is the same.

It rests on the walk of the headers by its identity, on the words that name the mode, and on what it
asked of the configured tree (kernelc/asked.py): definitions by name, be there one or none, tables,
questions about texts. A file that has changed is held against that alone. Lines are then moved
along with the definitions that they stand in; a place that stands in none of those that were
asked for means that the fact is no good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from lazymmu.contract.dialects import Dialect
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.configured_tree_cache import plain_losses, restored_losses
from lazymmu.kernelc.facts import PRESENT, Facts, KeptFact, together
from lazymmu.kernelc.json_shapes import mapped
from lazymmu.kernelc.tree_index import digest
from lazymmu.snapshot.content_ids import MISSING
from lazymmu.witness.source.analysis import Analysis
from lazymmu.witness.source.arch_result import ArchResult
from lazymmu.witness.source.changed_names import ChangedNames
from lazymmu.witness.source.changes_since import ChangesSince
from lazymmu.witness.source.earlier_analysis import ASKED_BY_PARTS, EarlierAnalysis
from lazymmu.witness.source.held_parts import Build, HeldParts
from lazymmu.witness.source.kept_result import KeptResult, kept_result, restored_result
from lazymmu.witness.source.kept_summaries import summary_places
from lazymmu.witness.source.line_tokens import LineToken, LineTokens
from lazymmu.witness.source.moved_places import SeenPlaces
from lazymmu.witness.source.other_names import Found
from lazymmu.witness.source.other_walks import of_another_walk
from lazymmu.witness.source.plain_values import built, plain
from lazymmu.witness.source.prefilter import Prefilter
from lazymmu.witness.source.rechecks import answers
from lazymmu.witness.source.taken_over import TakenOver

__all__ = ["KeptAnalysis", "Known"]

_KIND: Final = "analysis"
_TRIES: Final = 2
"""Analyses of one key, the last used first, that are held against other bodies of functions."""
_NOT_READ: Final = (MISSING, PRESENT)
"""Ids of what was looked for alone."""


class Known(NamedTuple):
    """An analysis that was recalled; None is an architecture without the mode."""

    result: ArchResult | None


class KeptAnalysis:
    """Recalls and keeps the analysis of one configured tree."""

    def __init__(
        self,
        view: ConfiguredTree,
        marks: Prefilter,
        rules: Sequence[str],
        dialect: Dialect,
    ) -> None:
        """Look for what `view` comes to under some rules and a dialect.

        :param marks: the words of the tree that name the mode, and the files that call back.
        """
        self._view = view
        self._marks = marks
        library = view.library
        self._facts = Facts(library.tree, library.ids, library.cache, library.rested)
        self._key = self._near = ""
        self._tries = 0
        self._joined: EarlierAnalysis | None = None
        """The one of which parts were taken over."""
        self._earlier: EarlierAnalysis | None = None
        self._words = self._words_digest()
        if view.identity:
            self._key = digest(view.identity, tuple(rules), repr(dialect))
            self._near = digest("near", view.machine, tuple(rules), repr(dialect))

    # -- recalling -----------------------------------------------------------------------------

    def recall(self, build: Build) -> Known | None:
        """The analysis that was kept, None if there is none that is good.

        :param build: puts an analysis together.
        """
        for fact in self._facts.of(_KIND, self._key) if self._key else ():
            try:
                found = self._restored(fact, build)
            except (KeyError, TypeError, ValueError, IndexError, LookupError):
                continue
            if found is not None:
                self._facts.used(_KIND, self._key, fact)
                return found
        if self._earlier is None and self._near:
            self._earlier = of_another_walk(self._view, self._facts, _KIND, self._near, self._marks)
        return None

    def begin(self, build: Build) -> tuple[Analysis, TakenOver | None]:
        """Begin an analysis anew, with the parts of one that was kept and that hold.

        :param build: puts an analysis together.
        :returns: it, and what was taken over into it, if anything was.
        """
        earlier = self._earlier
        parts = None if earlier is None else earlier.parts(self._view, self._marks.followed, build)
        if parts is None:
            return build(None, None), None
        analysis = build(None, parts.api)
        if not parts.join(analysis):
            return build(None, None), None
        self._joined = earlier
        return analysis, parts

    def _restored(self, fact: KeptFact, build: Build) -> Known | None:
        parts = mapped(fact.value)
        since = ChangesSince(self._view, parts, {*self._view.headers.files, *self._view.built})
        other: set[str] = set()
        for rel, (then, _) in fact.changed.items():
            if not since.add(rel, then):
                return None
            told = answers(self._view, self._marks.words, rel, parts)
            other.update(kind for kind, same in told.items() if not same)
        if since.names:
            names = ChangedNames(self._view, since.names, mapped(parts["files"]))
            if not names.concern(parts):
                since.names.clear()
        since.tables = since.tables or not other.isdisjoint(ASKED_BY_PARTS)
        if self._earlier is None:
            self._earlier = EarlierAnalysis(fact, parts, since)
        beyond = other or since.names or since.tables or since.strict
        if beyond or parts["words"] != self._words:
            return None
        bodies, moved = since.bodies, since.moved
        if bodies:
            self._tries += 1
            if self._tries > _TRIES:
                return None
            held = HeldParts.of(parts["parts"], bodies, moved, self._view, build)
            if self._earlier.fact is fact:
                self._earlier.held = held
            if held is None or not held.hold(bodies):
                return None
        losses = restored_losses(parts["losses"])
        kept = parts["result"]
        result = (
            None
            if kept is None
            else restored_result(built(KeptResult, kept), self._marks, self._view, moved)
        )
        self._view.library.tree.lose_also(losses)
        return Known(result)

    # -- keeping -------------------------------------------------------------------------------

    def keep(
        self,
        result: ArchResult | None,
        tell_parts: Callable[[], Mapping[str, object] | None] | None,
    ) -> None:
        """Keep what an analysis came to, with all that it asked.

        :param tell_parts: tells its parts, None where they do not tell all of it.
        """
        view = self._view
        if not self._key or view.asked.everything or view.library.cache is None:
            return
        parts = tell_parts() if tell_parts is not None else None
        asked, ids, earlier = view.asked, view.library.ids, self._joined
        if earlier is not None:
            earlier.add_to(asked)
        strict = view.tree.inputs()
        index = {rel: ids.of(rel) for rel in (*view.headers.files, *view.built)}
        names = sorted(asked.names)
        whole = {rel for rel, content in strict.items() if content not in _NOT_READ}
        value = {
            "result": None if result is None else plain(kept_result(result, self._marks)),
            "parts": parts,
            "places": {} if result is None or parts is None else self._places(result, parts),
            "losses": plain_losses({**view.tree.lost, **view.sources.lost}),
            "unmade": bool(view.unmade),
            "strict": sorted(whole | (set() if earlier is None else earlier.whole())),
            "walk": view.walk,
            "words": self._words,
            "followed": sorted(self._marks.followed),
            "names": names,
            "fields": sorted(asked.fields),
            "structs": sorted(asked.structs),
            "given": sorted(asked.given),
            "everything": asked.everything,
            "files": self._files(asked.names, asked.listed),
            "checks": [[*question, known] for question, known in asked.checks.items()],
            "searched": {word: sorted(files) for word, files in asked.searched.items()},
        }
        inputs = together(index, view.sources.inputs(), strict)
        if earlier is not None:
            inputs = together(earlier.inputs(), inputs)
        self._facts.keep(_KIND, self._key, inputs, value, near=self._near)
        ids.keep()

    def _places(
        self, result: ArchResult, parts: Mapping[str, object]
    ) -> dict[str, list[list[object]]]:
        """The lines that stand in what is kept, and what they say."""
        seen = SeenPlaces()
        kept = kept_result(result, self._marks)
        for report in kept.reports:
            seen.report(report)
        for row in kept.rows:
            seen.row(row)
        for lost in (kept.unparsed, kept.unresolved, kept.blind):
            seen.lost(lost)
        for file, line in (*kept.sections, *summary_places(parts["asked"])):
            seen.line(file, line)
        tokens = LineTokens(self._view)
        found: dict[str, list[list[object]]] = {}
        for file, line in sorted(seen.found):
            token = tokens.of(file, line)
            if isinstance(token, LineToken):
                found.setdefault(file, []).append([line, *token])
        return found

    def _files(self, names: Collection[str], every: Collection[str]) -> dict[str, object]:
        """Of each file that was looked at: whether all of it counts, what tells it, its lines."""
        files, earlier = self._view.parts(), self._joined
        found: dict[str, object] = {} if earlier is None else earlier.files()
        new = frozenset(names) if earlier is None else earlier.not_asked(names)
        for rel in {*files.files(), *(rel for rel, told in found.items() if told is None)}:
            flags = [rel in every, files.with_tables(rel), files.with_uses(rel)]
            if earlier is not None:
                before = earlier.flags(rel)
                flags = [now or then for now, then in zip(flags, before, strict=True)]
                if found.get(rel) is not None and flags == before and self._defines_none(rel, new):
                    continue
            said = files.of(rel, names, listed=flags[0], tables=flags[1], uses=flags[2])
            lines = files.lines(rel, names)
            flat = [line for _, first, last in lines for line in (first, last)]
            found[rel] = [[name for name, _, _ in lines], flags, said, flat]
        return found

    def _defines_none(self, rel: str, names: frozenset[str]) -> bool:
        """Whether a file defines none of some names."""
        return not names or names.isdisjoint(self._view.library.names([rel])[rel].functions)

    # -- the words of the mode -----------------------------------------------------------------

    def _words_digest(self) -> str:
        """What tells the words that name the mode, and where they stand, but for the lines."""
        marks, view = self._marks, self._view
        mine = frozenset(marks.seen_by(view.profile, marks.mode))
        whole = hashlib.blake2b(digest_size=16)
        for found in (marks.places, marks.others):
            for file in sorted(mine & found.keys()):
                whole.update(repr((file, list(self._told(file, found)))).encode())
        takers = marks.seen_by(view.profile, marks.takers)
        whole.update(repr((sorted(mine), takers, marks.module, sorted(marks.others))).encode())
        return whole.hexdigest()

    def _told(self, file: str, found: Found) -> Iterable[object]:
        selection = self._view.headers.selection(file)
        for item in found[file]:
            raw = item.definition
            around = None if raw is None else (raw.name, raw.kind, raw.static, raw.inline)
            compiled = selection.is_compiled(item.start)
            kind = (item.word, item.context, item.called, item.field, item.tag)
            yield (*kind, item.outer, around, compiled)
