# SPDX-License-Identifier: GPL-2.0-or-later
"""The source witness: a kernel tree against the contract, one architecture after another.

``check`` gives the findings, ``sections`` the table of sections.  Architectures are looked at
in processes of their own, because nothing of one is of use to another but plain values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

from lazymmu.contract import deferral, dialects
from lazymmu.contract.dialects import Dialect
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Witness
from lazymmu.garbage_collection import free_earlier, seldom_collected
from lazymmu.kernelc.arch_profile import PROFILES, Profile
from lazymmu.kernelc.configured_tree_builder import core_directories
from lazymmu.kernelc.tree_index import TreeIndex
from lazymmu.one_stack import in_one_stack
from lazymmu.processes import Task
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Stamp, Tree
from lazymmu.witness.finding import CheckResult, Coverage, Lost, SectionRow, Sections, TreeInfo
from lazymmu.witness.source import blind_spots
from lazymmu.witness.source.analyse_arch import ArchResult, analyse_arch
from lazymmu.witness.source.external_module import ModuleFolder, nowhere_built
from lazymmu.witness.source.findings import findings
from lazymmu.witness.source.mode_places import settle
from lazymmu.witness.source.other_names import joined
from lazymmu.witness.source.prefilter import Prefilter, prefilter
from lazymmu.witness.source.result_cache import keep, key, recall
from lazymmu.witness.source.source_lines import with_code
from lazymmu.witness.source.spoken_dialect import detect_dialect

Where = str | os.PathLike[str] | Tree
"""What may be checked: the path of a tree, or one that is open."""

Progress = Callable[[str, int, int], None]


class TreeOptions(TypedDict, total=False):
    """How to look at a tree; what is left out, or None, is as said here.

    * `arches`: names of `kernelc.arch_profile.PROFILES`, or directories below arch/ of another
      architecture; all whose tree implements the mode.
    * `rules`: names of `contract.rules.RULES`; all that source can show.
    * `dialect`: a name of `contract.dialects.DIALECTS`; the one that the tree's text speaks.
    * `jobs`: processes; one per processor.
    * `cache_dir`: where to keep what was learnt of the tree; nowhere.
    * `progress`: called with a stage, how much of it is done, and of how much.
    * `kernel`: the tree that the path, the folder of a module out of tree, is built for
      (``make M=path``); only what the module takes part in is told then.
    * `elsewhere`: architectures of other trees that are asked about in the same breath, and so no
      mistake where this tree lacks them; none.
    """

    arches: Collection[str] | None
    rules: Collection[str] | None
    dialect: str | None
    jobs: int | None
    cache_dir: str | os.PathLike[str] | None
    progress: Progress | None
    kernel: Where | None
    elsewhere: Collection[str]


@seldom_collected()
@in_one_stack
def check(path: Where, **options: Unpack[TreeOptions]) -> CheckResult:
    """Check a kernel tree, or a module out of tree, against the contract.

    A tree that implements the mode on none of the architectures is a result without any.

    :param path: top directory of a Linux source tree, neither configured nor built; or the tree,
        opened, maybe with files changed in memory (`Tree.over`, `Tree.mounted`).
    :param options: see `TreeOptions`.
    :raises TreeError: the path is no kernel tree.
    :raises ValueError: an unknown rule, architecture or dialect.
    """
    folder, asked = _parsed(path, **options)
    known: CheckResult | None = asked.recall("check", CheckResult)
    if known is not None:
        known = replace(known, tree=replace(known.tree, path=asked.path))
        return known if folder is None else folder.told(known)
    result = _whole(asked, _library(asked))
    if result.arches:
        asked.keep("check", result)
        return result if folder is None else folder.told(result)
    return result if folder is None else replace(result, tree=folder.info(result.tree))


@seldom_collected()
@in_one_stack
def check_with_inputs(
    path: Where, **options: Unpack[TreeOptions]
) -> tuple[CheckResult, frozenset[str]]:
    """Check a kernel tree in this process alone, and tell all paths that the result rests on.

    Those are files, directories, and paths at which nothing was found. What changes at none of them
    can change the result by a word alone that the whole tree is searched for
    (`prefilter.searched()`). Arguments and errors are those of `check`; it needs a `cache_dir`,
    since what nobody keeps has no inputs.
    """
    _, asked = _parsed(path, **options)
    asked.jobs = 1
    library = _library(asked)
    result = _whole(asked, library)
    return result, frozenset(library.rested)


def _library(asked: _Request) -> TreeIndex:
    return TreeIndex(asked.tree, jobs=asked.jobs, cache=asked.store, manifest=asked.manifest)


def _whole(asked: _Request, library: TreeIndex) -> CheckResult:
    """What a tree comes to, looked at anew but for the facts that are kept."""
    free_earlier()
    marks = prefilter(asked.tree, asked.jobs, asked.manifest, asked.store)
    looked = _analysed(asked, marks, library)
    rows = {item.arch: _row(item, asked.dialect) for item in looked}
    return CheckResult(
        tree=TreeInfo(asked.path, asked.tree.release, asked.dialect.name),
        arches=tuple(item.arch for item in looked),
        findings=with_code(
            asked.tree, findings((c for item in looked for c in item.reports), asked.dialect, rows)
        ),
        coverage=_coverage(asked, marks, looked) if looked else _nothing(asked),
    )


@seldom_collected()
@in_one_stack
def sections(path: Where, **options: Unpack[TreeOptions]) -> Sections:
    """Every section of a tree, or of a module; arguments and errors as for ``check``."""
    folder, asked = _parsed(path, **options)
    known: Sections | None = asked.recall("sections", Sections)
    if known is not None:
        return known if folder is None else folder.rows(known)
    marks = prefilter(asked.tree, asked.jobs, asked.manifest, asked.store)
    looked = _analysed(asked, marks, _library(asked))
    if not looked:
        return Sections((), _nothing(asked))
    by_place: dict[tuple[str, int, str], list[SectionRow]] = {}
    for item in looked:
        for row in item.rows:
            by_place.setdefault((row.file, row.line, row.function), []).append(row)
    rows = tuple(_one_row(same) for _, same in sorted(by_place.items()))
    arches = tuple(item.arch for item in looked)
    result = Sections(rows, _coverage(asked, marks, looked), arches)
    asked.keep("sections", result)
    return result if folder is None else folder.rows(result)


@dataclass(slots=True)
class _Request:
    """What a run was asked for, checked, and what it has at hand."""

    path: str
    tree: Tree
    manifest: dict[str, Stamp]
    listed: int
    """When the manifest was made, in nanoseconds."""
    arches: frozenset[str]
    """Names of the machines that were asked for; empty: all that the tree has the mode on."""
    rules: tuple[str, ...]
    dialect: Dialect
    jobs: int
    store: Cache | None
    tell: Progress
    _names: dict[str, str] = field(default_factory=dict)

    def recall(self, verb: str, shape: Any) -> Any:
        """What an earlier run of the same on the same tree came to."""
        return None if self.store is None else recall(self.store, self._key(verb), shape, self.tree)

    def keep(self, verb: str, result: object) -> None:
        """Keep a result, unless a file could not be read: no time of change tells when it can."""
        lost = {loss.file for loss in self.tree.losses}
        if self.store is not None and not any(map(self.tree.refused, lost)):
            keep(self.store, self._key(verb), result, self.tree, self.manifest, self.listed)
            self.store.commit()

    def _key(self, verb: str) -> str:
        if verb not in self._names:
            asked = (verb, sorted(self.arches), self.rules, self.dialect)
            self._names[verb] = key(str(self.tree.root), self.manifest, *asked)
        return self._names[verb]


def _parsed(
    path: Where,
    *,
    arches: Collection[str] | None = None,
    rules: Collection[str] | None = None,
    dialect: str | None = None,
    jobs: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    kernel: Where | None = None,
    elsewhere: Collection[str] = (),
) -> tuple[ModuleFolder | None, _Request]:
    """What a run was asked for, checked; the folder of a module first."""
    folder = None if kernel is None else ModuleFolder(path, kernel)
    path = path if folder is None else folder.tree
    tree = path if isinstance(path, Tree) else Tree.open(path)
    shown = [name for name, rule in RULES.items() if Witness.SOURCE in rule.witnesses]
    _known("architecture", arches or (), (*_there_are(tree), *elsewhere))
    _known("rule", rules or (), shown)
    _known("dialect", [dialect] if dialect else (), dialects.DIALECTS)
    tell = progress or _silent
    tell("reading the tree", 0, 1)
    manifest = tree.manifest()
    return folder, _Request(
        path=str(tree.root if isinstance(path, Tree) else path),
        tree=tree,
        manifest=manifest,
        listed=tree.listed,
        arches=frozenset(arches or ()),
        rules=tuple(name for name in shown if not rules or name in rules),
        dialect=dialects.DIALECTS[dialect] if dialect else detect_dialect(tree),
        jobs=jobs or os.cpu_count() or 1,
        store=Cache(cache_dir) if cache_dir else None,
        tell=tell,
    )


def _analysed(asked: _Request, marks: Prefilter, library: TreeIndex) -> list[ArchResult]:
    """Look at each architecture that was asked for and has the mode."""
    wanted = [p for p in marks.machines if not asked.arches or p.name in asked.arches]
    looked: list[ArchResult] = []
    done = 0
    asked.tell("checking", 0, len(wanted))
    for item in _each(asked, library, wanted, marks):
        looked += [item] if item is not None else []
        asked.tell("checking", done := done + 1, len(wanted))
    order = [profile.name for profile in wanted]
    looked.sort(key=lambda item: order.index(item.arch))
    return looked


def _each(
    asked: _Request, library: TreeIndex, wanted: list[Profile], marks: Prefilter
) -> Iterator[ArchResult | None]:
    """Look at each architecture; several in processes of their own, ``jobs`` at a time."""
    tree, rules, dialect = asked.tree, asked.rules, asked.dialect
    if asked.jobs == 1 or len(wanted) == 1:
        for profile in wanted:
            yield analyse_arch(tree, profile, rules, dialect, marks, library)
        return
    common = {d: deep for profile in wanted for d, deep in core_directories(profile)}
    library.names(library.sources(common.items()))
    library.jobs = 1
    running: list[Task[ArchResult | None]] = []
    for profile in wanted:
        if len(running) == asked.jobs:
            yield running.pop(0).result()
        running.append(Task(True, analyse_arch, tree, profile, rules, dialect, marks, library))
    for task in running:
        yield task.result()


def _row(item: ArchResult, dialect: Dialect) -> deferral.DeferralRow:
    """The architecture's row of the deferral table.

    One that the table lacks is taken to be the weakest implementation that the dialect allows.
    """
    if item.arch in deferral.ROWS:
        return deferral.classify(item.arch, item.words, item.enter)
    unpinned, _ = deferral.WORST_CASE[dialect.name]
    return replace(unpinned, arch=item.arch)


def _nothing(asked: _Request) -> Coverage:
    """Of a tree without the mode: what could not be read, and may have it all the same."""
    lost = tuple(blind_spots.of_tree(asked.tree.losses, ()))
    return Coverage(0, 0, lost, blind=lost)


def _coverage(asked: _Request, marks: Prefilter, looked: Sequence[ArchResult]) -> Coverage:
    """What was looked at, and what could not be seen."""
    found = joined(marks.places, *(item.included for item in looked))
    places = settle(found, (item.verdicts for item in looked))
    seen = {item.directory for item in looked}
    wanted = {p.arch_dir for p in marks.machines if not asked.arches or p.name in asked.arches}
    return Coverage(
        sections=len({s for item in looked for s in item.sections}),
        functions_parsed=sum(item.parsed for item in looked),
        unparsed=_merged([*(item.unparsed for item in looked), nowhere_built(looked)]),
        unresolved=_merged(item.unresolved for item in looked),
        places=places,
        blind=_merged(
            [
                blind_spots.of_places(places),
                blind_spots.of_tree(asked.tree.losses, marks.mode),
                blind_spots.of_architectures(marks.having & wanted - seen),
                blind_spots.of_files({item.directory: dict(item.unlisted) for item in looked}),
                *(item.blind for item in looked),
            ]
        ),
        assumed=tuple(item.arch for item in looked if item.arch not in deferral.ROWS),
    )


def _there_are(tree: Tree) -> tuple[str, ...]:
    """The machines that may be asked for: those with a profile, and the tree's architectures."""
    below = [entry.name for entry in tree.entries("arch") if entry.directory]
    taken = {profile.arch_dir for profile in PROFILES.values()}
    return (*PROFILES, *(name for name in below if name not in taken))


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def _known(what: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"unknown {what} `{name}` (known: {', '.join(known)})")


def _merged(lists: Iterable[Iterable[Lost]]) -> tuple[Lost, ...]:
    return tuple(
        sorted({item for each in lists for item in each}, key=lambda i: (i.file, i.line, i.name))
    )


def _one_row(rows: list[SectionRow]) -> SectionRow:
    """The same section as several architectures see it."""
    first = rows[0]

    def union(name: str) -> tuple[str, ...]:
        return tuple(sorted({v for row in rows for v in getattr(row, name)}))

    return SectionRow(
        file=first.file,
        line=first.line,
        function=first.function,
        arches=tuple(a for row in rows for a in row.arches),
        space="/".join(sorted({space for row in rows for space in row.space.split("/")})),
        locks_begin=union("locks_begin"),
        locks_end=union("locks_end"),
        pinned=tuple(sorted(union("pinned"), key=lambda pin: (pin != "nothing", pin))),
        actions=tuple(sorted({a for row in rows for a in row.actions})),
        sleeps=union("sleeps"),
        nests=union("nests"),
        flushes=union("flushes"),
    )
