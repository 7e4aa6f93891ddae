# SPDX-License-Identifier: GPL-2.0-or-later
"""What is computed of a tree for one architecture: its configuration, what is built, the names.

Only names are indexed (see index/name_scan.py), and only those of the core and of directories
that are asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from posixpath import dirname
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.kernelc.preprocess.headers import Headers
from lazymmu.kernelc.presence import NEVER, PresenceCondition, either
from lazymmu.snapshot.dependencies import DependencyTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lazymmu.kernelc.arch_profile import Profile
    from lazymmu.kernelc.config.kconfig_model import KconfigFile
    from lazymmu.kernelc.tree_index import Losses, TreeIndex
    from lazymmu.snapshot.content_ids import ContentIds
    from lazymmu.snapshot.tree import Stamp, Tree

__all__ = [
    "Decided", "TreeState", "build", "core_directories", "decide", "directories", "index",
    "loop_macros",
]  # fmt: skip

_FOR_EACH: Final = re.compile(rb"^ForEachMacros:\n((?:[ \t]+.*\n|[ \t]*#.*\n)+)", re.M)
_ITEM: Final = re.compile(rb"-[ \t]*'?(\w+)")
_AHEAD: Final = 3
"""One of so many .c files is read while another process solves Kconfig: that takes as long."""


@dataclass(slots=True)
class TreeState:
    """What is computed of a tree for one architecture, and kept between runs.

    :param built: the .c files that are indexed, each with its presence condition.
    :param functions: the files that have a name, those of headers before those of .c files.
    :param fields: likewise.
    :param structs: likewise.
    :param given: the headers that give a word to a macro.
    :param loops: names of loop macros.
    """

    config: Config
    headers: Headers
    built: dict[str, PresenceCondition]
    functions: Mapping[str, list[str]]
    fields: Mapping[str, list[str]]
    structs: Mapping[str, list[str]]
    given: Mapping[str, list[str]]
    loops: frozenset[str]
    identity: str = ""
    """Names what it is, whatever that comes of (walk_identity.py); "" where nothing is kept."""
    machine: str = ""
    """Names for what machine it is, likewise."""
    walk: str = ""
    """Names it among what is kept (kept_trees.difference)."""


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


class Decided(NamedTuple):
    """A configuration, the contents that it was solved from by path, and what was lost.

    :param ids: what was learnt of the files, for `ContentIds.learn_also`.
    """

    config: Config
    inputs: dict[str, str]
    losses: Losses
    ids: dict[str, tuple[Stamp, str]]


def decide(tree: Tree, ids: ContentIds, profile: Profile, files: dict[str, KconfigFile]) -> Decided:
    """Solve the tree's Kconfig for a profile; files: those that were read already, by path."""
    recorder = DependencyTracker(tree, ids)
    used: dict[str, None] = {}
    config = solve(recorder, profile, files, used)
    recorder.note(used)
    inputs = recorder.inputs()
    return Decided(config, inputs, list(recorder.lost), ids.noted(inputs))


def build(
    library: TreeIndex,
    recorder: DependencyTracker,
    profile: Profile,
    deciding: Callable[[], Config],
    within: Mapping[str, bool],
    *,
    apart: bool,
) -> TreeState:
    """Walk the headers and index the names of the directories `within`.

    :param recorder: the tree; it remembers what the state is computed from.
    :param deciding: returns the configuration, once it is needed.
    :param apart: whether another process is at work on that.
    """
    candidates = library.sources(within.items(), recorder)
    headers = Headers(recorder, profile)
    if apart:
        # Meanwhile, what needs no configuration.
        headers.scan_ahead(candidates)
        library.read_names(candidates[: len(candidates) // _AHEAD])
    config = deciding()
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
    index(state, library)
    return state


def index(state: TreeState, library: TreeIndex) -> None:
    """Enter which file of a state has which names, anew."""
    names = library.names([*state.headers.files, *state.built])
    functions: dict[str, list[str]] = {}
    fields: dict[str, list[str]] = {}
    structs: dict[str, list[str]] = {}
    given: dict[str, list[str]] = {}
    for rel in state.headers.files:
        if rel not in state.built:
            for name in names[rel].functions:
                functions.setdefault(name, []).append(rel)
            for name in names[rel].given:
                given.setdefault(name, []).append(rel)
    for rel in state.built:
        found = names[rel]
        for table, words in (
            (functions, found.functions),
            (fields, found.fields),
            (structs, found.structs),
        ):
            for word in words:
                table.setdefault(word, []).append(rel)
    state.functions, state.fields, state.structs, state.given = functions, fields, structs, given


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
