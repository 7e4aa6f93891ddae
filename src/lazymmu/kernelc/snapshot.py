# SPDX-License-Identifier: GPL-2.0-or-later
"""What a view keeps between runs: its state as plain lists, and when that is still good.

A snapshot is kept by tree and profile. It is good as long as every file and directory that was
looked at is in the state it was in (see recorder.py). Anything about it that is not as this
module wrote it makes it no snapshot: the view is then built anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lazymmu.kernelc.cpp import Selection
from lazymmu.kernelc.headers import Headers
from lazymmu.kernelc.kconfig import Config
from lazymmu.kernelc.library import Library, digest
from lazymmu.kernelc.profile import Profile
from lazymmu.kernelc.recorder import unchanged
from lazymmu.kernelc.tree import Loss

__all__ = ["State", "kept", "load", "save"]

_KIND: Final = "view"
_MARK: Final = "view-kept"
_FORMAT: Final = "5"
"""Changes whenever the same tree would give another state, or another form of it."""


@dataclass(slots=True)
class State:
    """What View computes from a tree: see there."""

    config: Config
    headers: Headers
    built: dict[str, tuple[str, ...]]
    functions: dict[str, list[str]]
    fields: dict[str, list[str]]
    structs: dict[str, list[str]]
    loops: frozenset[str]


def _key(
    library: Library, profile: Profile, config: Config | None, directories: Mapping[str, bool]
) -> str:
    decided = None if config is None else (sorted(config.on), sorted(config.free), config.numbers)
    return digest(
        _FORMAT,
        str(library.tree.root),
        profile.name,
        profile.arch_dir,
        sorted((name, forced.value) for name, forced in profile.config.items()),
        sorted(profile.builtins.items()),
        sorted(directories.items()),
        decided,
    )


def save(
    library: Library,
    profile: Profile,
    config: Config | None,
    directories: Mapping[str, bool],
    state: State,
) -> None:
    """Keep the state of a view, and the states of the files that it was computed from.

    That of a tree changed in memory is not kept: it would take the place of the tree's own, which
    is also good for every change of files that it does not rest on.
    """
    if library.cache is None or not library.tree.plain:
        return
    # What was read for another architecture says nothing to this one.
    mine = f"arch/{profile.arch_dir}"
    states = {
        rel: list(known)
        for rel, known in library.recorder.states.items()
        if not rel.startswith("arch/") or rel == mine or rel.startswith(f"{mine}/")
    }
    headers = state.headers
    files = list(dict.fromkeys([*headers.selections, *headers.includes, *state.built]))
    number = {rel: index for index, rel in enumerate(files)}
    labels: dict[tuple[str, ...], int] = {}
    macros: list[object] = []
    texts: list[object] = []
    for name, file, start, needs in headers.macros.places():
        if file:
            where = number[file]
            macros += (name, where, start, labels.setdefault(needs, len(labels)))
        else:
            macro = headers.macros.get(name)
            texts += (name, macro.text if macro is not None else "")
    selections = []
    for rel, selection in headers.selections.items():
        flat = [offset for span in selection.dead for offset in span]
        guarded = [
            item
            for start, end, needs in selection.guarded
            for item in (start, end, labels.setdefault(needs, len(labels)))
        ]
        selections.append([number[rel], flat, guarded])
    value: dict[str, object] = {
        "states": states,
        "losses": [[loss.file, loss.reason, loss.unread] for loss in library.tree.losses],
        "on": sorted(state.config.on),
        "free": sorted(state.config.free),
        "numbers": state.config.numbers,
        "files": files,
        "selections": selections,
        "includes": {
            str(number[rel]): [number[other] for other in others]
            for rel, others in headers.includes.items()
        },
        "missing": headers.missing,
        "overrides": headers.overrides,
        "macros": macros,
        "texts": texts,
        "removed": list(headers.macros.removed()),
        "built": {str(number[rel]): list(needs) for rel, needs in state.built.items()},
        "loops": sorted(state.loops),
    }
    for kind, index in (
        ("functions", state.functions),
        ("fields", state.fields),
        ("structs", state.structs),
    ):
        value[kind] = {name: [number[rel] for rel in rels] for name, rels in index.items()}
    value["labels"] = [list(needs) for needs in labels]
    key = _key(library, profile, config, directories)
    library.cache.put(_KIND, key, value)
    library.cache.put(_MARK, key, 1)


def kept(library: Library, profile: Profile, directories: Mapping[str, bool]) -> bool:
    """Tell whether a view was kept, be it good or not."""
    key = _key(library, profile, None, directories)
    return library.cache is not None and library.cache.get(_MARK, key) is not None


def load(
    library: Library, profile: Profile, config: Config | None, directories: Mapping[str, bool]
) -> State | None:
    """Return the state kept for a view, None when there is none that is good."""
    if library.cache is None:
        return None
    value = library.cache.get(_KIND, _key(library, profile, config, directories))
    if not isinstance(value, dict) or not unchanged(library.tree, value.get("states")):
        return None
    try:
        return _restore(library, profile, value)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None


def _restore(library: Library, profile: Profile, value: dict[str, Any]) -> State:
    config = Config(value["on"], value["free"], value["numbers"])
    files: list[str] = value["files"]
    labels = [tuple(needs) for needs in value["labels"]]
    headers = Headers(library.tree, profile, config)
    for index, flat, guarded in value["selections"]:
        dead = list(zip(flat[::2], flat[1::2], strict=True))
        spans = zip(guarded[::3], guarded[1::3], guarded[2::3], strict=True)
        headers.selections[files[index]] = Selection(
            dead, [(start, end, labels[needs]) for start, end, needs in spans]
        )
    for index, others in value["includes"].items():
        headers.includes[files[int(index)]] = dict.fromkeys(files[other] for other in others)
    headers.missing = value["missing"]
    headers.overrides = value["overrides"]
    define = headers.macros.define
    items = value["macros"]
    for name, where, start, needs in zip(
        items[::4], items[1::4], items[2::4], items[3::4], strict=True
    ):
        define(name, None, files[where], start, labels[needs])
    texts = value["texts"]
    for name, text in zip(texts[::2], texts[1::2], strict=True):
        define(name, text, "", -1, ())
    for name in value["removed"]:
        headers.macros.undefine(name)
    library.tree.lose_also(Loss(*loss) for loss in value["losses"])
    built = {files[int(index)]: tuple(needs) for index, needs in value["built"].items()}

    def table(kind: str) -> dict[str, list[str]]:
        return {name: [files[at] for at in found] for name, found in value[kind].items()}

    return State(
        config=config,
        headers=headers,
        built=built,
        functions=table("functions"),
        fields=table("fields"),
        structs=table("structs"),
        loops=frozenset(value["loops"]),
    )
