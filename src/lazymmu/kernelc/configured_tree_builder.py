# SPDX-License-Identifier: GPL-2.0-or-later
"""What is computed of a tree for one architecture: its configuration, what is built, the names.

Only names are indexed (see index/name_scan.py), and only those of the core and of directories
that are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import dirname
from typing import Final

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.kernelc.config.kconfig_model import KconfigFile
from lazymmu.kernelc.index.name_scan import Names
from lazymmu.kernelc.preprocess.headers import Headers
from lazymmu.kernelc.presence import NEVER, PresenceCondition, either
from lazymmu.kernelc.tree_index import Losses, TreeIndex
from lazymmu.processes import Task
from lazymmu.snapshot.dependencies import DependencyTracker
from lazymmu.snapshot.tree import Stamp, Tree

__all__ = ["TreeState", "build", "core_directories", "directories", "loop_macros"]

_FOR_EACH: Final = re.compile(rb"^ForEachMacros:\n((?:[ \t]+.*\n|[ \t]*#.*\n)+)", re.M)
_ITEM: Final = re.compile(rb"-[ \t]*'?(\w+)")
_AHEAD: Final = 3
"""One of so many .c files is read while another process solves Kconfig: that takes as long."""


@dataclass(slots=True)
class TreeState:
    """What is computed of a tree for one architecture, and kept between runs.

    built: the .c files that are indexed, each with its presence condition; functions, fields,
    structs: the files that have a name, those of headers before those of .c files; given: the
    headers that give a word to a macro; loops: names of loop macros.
    """

    config: Config
    headers: Headers
    built: dict[str, PresenceCondition]
    functions: dict[str, list[str]]
    fields: dict[str, list[str]]
    structs: dict[str, list[str]]
    given: dict[str, list[str]]
    loops: frozenset[str]


def loop_macros(tree: Tree) -> frozenset[str]:
    """Names of the macros that head a loop, from the tree's own .clang-format."""
    match = _FOR_EACH.search(tree.read(".clang-format") if tree.has(".clang-format") else b"")
    return frozenset(name.decode() for name in _ITEM.findall(match[1])) if match else frozenset()


def core_directories(profile: Profile) -> tuple[tuple[str, bool], ...]:
    """Directories whose .c files are indexed at once, and whether those below them are too.

    The mode's callers and implementations, and what they call: everything else is reached only
    through files that the caller of View names.
    """
    return (
        ("mm", True),
        ("kernel", True),
        (f"arch/{profile.arch_dir}", True),
        ("lib", False),
        ("fs", False),
        ("fs/proc", True),
        ("block", False),
        ("drivers/xen", True),
    )


def directories(profile: Profile, extra: Iterable[str]) -> dict[str, bool]:
    """Return the directories of the core and of the files `extra` (see `core_directories`)."""
    found = dict(core_directories(profile))
    for path in sorted(extra):
        found.setdefault(dirname(path), False)
    return found


def _decide(
    tree: Tree, profile: Profile, files: dict[str, KconfigFile]
) -> tuple[Config, dict[str, Stamp], Losses]:
    """Solve Kconfig; also the states of the files that it rests on, and what was lost."""
    recorder = DependencyTracker(tree)
    before = len(tree.losses)
    config = solve(recorder, profile, files)
    recorder.note(files)
    return config, recorder.states, tree.losses[before:]


def build(
    tree: Tree,
    library: TreeIndex,
    profile: Profile,
    config: Config | None,
    within: Mapping[str, bool],
) -> TreeState:
    """Walk the headers and index the names of the directories `within`.

    Without `config` the tree's Kconfig is solved, in a process of its own if there may be one.
    """
    recorder = library.recorder
    apart = config is None and library.jobs > 1
    deciding = Task(apart, _decide, tree, profile, library.kconfig)
    candidates = library.sources(within.items())
    headers = Headers(recorder, profile)
    if apart:
        # Meanwhile, what needs no configuration.
        headers.scan_ahead(candidates)
        library.read_names(candidates[: len(candidates) // _AHEAD])
    if config is None:
        config, states, losses = deciding.result()
        recorder.states.update(states)
        recorder.lose_also(losses)
    kbuild = Kbuild(recorder, config, profile)
    built: dict[str, PresenceCondition] = {}
    for rel in candidates:
        presence = kbuild.presence(rel)
        if presence is not None:
            built[rel] = presence
    library.start_names(built)
    headers.walk(config, built, kbuild.include_directories)
    _add_included(headers, built)
    state = TreeState(config, headers, built, {}, {}, {}, {}, loop_macros(recorder))
    _index(state, library.names([*headers.files, *built]))
    recorder.note(candidates)
    return state


def _index(state: TreeState, names: Mapping[str, Names]) -> None:
    """Enter which file has which names."""
    for rel in state.headers.files:
        if rel not in state.built:
            for name in names[rel].functions:
                state.functions.setdefault(name, []).append(rel)
            for name in names[rel].given:
                state.given.setdefault(name, []).append(rel)
    for rel in state.built:
        found = names[rel]
        for table, words in (
            (state.functions, found.functions),
            (state.fields, found.fields),
            (state.structs, found.structs),
        ):
            for word in words:
                table.setdefault(word, []).append(rel)


def _add_included(headers: Headers, built: dict[str, PresenceCondition]) -> None:
    """Enter the .c files that built ones include: there where one of those is."""
    includers: Iterable[str] = list(built)
    while True:
        found: dict[str, PresenceCondition] = {}
        for rel in includers:
            for other in headers.includes.get(rel, ()):
                if other.endswith(".c") and other not in built:
                    found[other] = either(found.get(other, NEVER), built[rel])
        if not found:
            return
        built.update(found)
        includers = found
