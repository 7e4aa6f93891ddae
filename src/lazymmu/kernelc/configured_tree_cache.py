# SPDX-License-Identifier: GPL-2.0-or-later
"""What a configured tree keeps between runs: its state as plain lists, and when that is still good.

It is kept by tree and profile. It is good as long as every file and directory that was looked at
is in the state it was in (see snapshot/dependencies.py). What is not as this module wrote it is no
state that was kept: the tree is then looked at anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kconfig import Config
from lazymmu.kernelc.configured_tree_builder import TreeState
from lazymmu.kernelc.json_shapes import index, listed, mapped, numbers, pairs, string, strings
from lazymmu.kernelc.preprocess.headers import Headers
from lazymmu.kernelc.preprocess.selection import Selection
from lazymmu.kernelc.presence import ALWAYS, PresenceCondition
from lazymmu.kernelc.tree_index import TreeIndex, digest
from lazymmu.snapshot.dependencies import unchanged
from lazymmu.snapshot.tree import SIZE_CAP, Loss

__all__ = ["load", "save"]

_KIND: Final = "view"
_ANY: Final = 1 << 64
"""Above all numbers of a configuration, which are those of the kernel's int and hex symbols."""


def _key(
    library: TreeIndex, profile: Profile, config: Config | None, directories: Mapping[str, bool]
) -> str:
    decided = None if config is None else tuple(_config(config).values())
    return digest(
        str(library.tree.root),
        profile.name,
        profile.arch_dir,
        sorted((name, forced.value) for name, forced in profile.config.items()),
        sorted(profile.builtins.items()),
        sorted(directories.items()),
        decided,
    )


def _config(config: Config) -> dict[str, object]:
    """Return a configuration as plain values."""
    return {
        "on": sorted(config.on),
        "free": sorted(config.free),
        "numbers": config.numbers,
        "either": sorted(config.either),
        "choices": [[sorted(members), made] for members, made in config.choices],
    }


def _walked(state: TreeState) -> dict[str, object]:
    """Return what is known of a tree's files as plain values: files and conditions by number."""
    headers = state.headers
    files = list(dict.fromkeys([*headers.selections, *headers.includes, *state.built]))
    number = {rel: index for index, rel in enumerate(files)}
    conditions: dict[PresenceCondition, int] = {}
    macros: list[object] = []
    texts: list[object] = []
    for name, file, start, presence in headers.macros.places():
        if file:
            where = number[file]
            macros += (name, where, start, conditions.setdefault(presence, len(conditions)))
        else:
            macro = headers.macros.get(name)
            texts += (name, macro.text if macro is not None else "")
    selections = []
    for rel, selection in headers.selections.items():
        flat = [offset for span in selection.dead for offset in span]
        guarded = [
            item
            for start, end, presence in selection.guarded
            for item in (start, end, conditions.setdefault(presence, len(conditions)))
        ]
        selections.append([number[rel], flat, guarded])
    value: dict[str, object] = {
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
        "built": {str(number[rel]): list(presence) for rel, presence in state.built.items()},
        "loops": sorted(state.loops),
    }
    for kind, found in (
        ("functions", state.functions),
        ("fields", state.fields),
        ("structs", state.structs),
        ("given", state.given),
    ):
        value[kind] = {name: [number[rel] for rel in rels] for name, rels in found.items()}
    value["conditions"] = [list(presence) for presence in conditions]
    return value


def save(
    library: TreeIndex,
    profile: Profile,
    config: Config | None,
    directories: Mapping[str, bool],
    state: TreeState,
) -> None:
    """Keep the state of a configured tree, and the states of the files that it was computed from.

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
    value: dict[str, object] = {
        "states": states,
        "losses": [[loss.file, loss.reason, loss.unread] for loss in library.tree.losses],
        **_config(state.config),
        **_walked(state),
    }
    key = _key(library, profile, config, directories)
    library.cache.put(_KIND, key, value)


def load(
    library: TreeIndex, profile: Profile, config: Config | None, directories: Mapping[str, bool]
) -> TreeState | None:
    """Return the state kept for a configured tree, None when there is none that is good."""
    if library.cache is None:
        return None
    value = library.cache.get(_KIND, _key(library, profile, config, directories))
    if not isinstance(value, dict) or not unchanged(library.tree, value.get("states")):
        return None
    try:
        state, losses = _restore(library, profile, value)
    except (KeyError, TypeError, ValueError):
        return None
    library.tree.lose_also(losses)
    return state


def _solved(value: dict[str, object]) -> Config:
    """The configuration in a value of `save`; errors as for `_restore`."""
    options = mapped(value["numbers"])
    numbers(list(options.values()), -_ANY, _ANY)
    choices = []
    for item in listed(value["choices"]):
        members, made = listed(item)
        choices.append((strings(members), made is True))
    on, free, either = (strings(value[part]) for part in ("on", "free", "either"))
    return Config(on, free, options, either, choices)  # type: ignore[arg-type]


def _restore(
    library: TreeIndex, profile: Profile, value: dict[str, object]
) -> tuple[TreeState, list[Loss]]:
    """The state that a value of `save` is, and what was lost when it was computed.

    Raises KeyError, TypeError or ValueError when it is none, whatever it is.
    """
    config = _solved(value)
    files = strings(value["files"])
    conditions = [tuple(strings(item)) for item in listed(value["conditions"])]
    headers = Headers(library.tree, profile, config)

    def named(places: object) -> list[str]:
        return [files[place] for place in numbers(places, 0, len(files))]

    def table(kind: str) -> dict[str, list[str]]:
        return {name: named(found) for name, found in mapped(value[kind]).items()}

    for item in listed(value["selections"]):
        where, flat, guarded = listed(item)
        dead = numbers(flat, 0, SIZE_CAP + 1)
        if sorted(dead) != dead:
            raise ValueError("spans that are not in order")
        spans = pairs(numbers(guarded, 0, SIZE_CAP + 1), 3)
        numbers([which for _, _, which in spans], 0, len(conditions))
        (rel,) = named([where])
        headers.selections[rel] = Selection(
            [(start, end) for start, end in pairs(dead, 2)],
            [(start, end, conditions[which]) for start, end, which in spans],
        )
    for key, others in mapped(value["includes"]).items():
        headers.includes[files[index(key, len(files))]] = dict.fromkeys(named(others))
    missing = mapped(value["missing"])
    headers.missing = {spec: string(file) for spec, file in missing.items()}
    for name, changes in mapped(value["overrides"]).items():
        offsets = mapped(changes)
        numbers(list(offsets.values()), -1, SIZE_CAP + 1)
        headers.overrides[name] = offsets  # type: ignore[assignment]
    _define(headers, listed(value["macros"]), files, conditions)
    for name, text in pairs(strings(value["texts"]), 2):
        headers.macros.define(name, text, "", -1, ALWAYS)
    for name in strings(value["removed"]):
        headers.macros.undefine(name)
    built = {
        files[index(key, len(files))]: tuple(strings(presence))
        for key, presence in mapped(value["built"]).items()
    }
    losses = [_loss(*listed(item)) for item in listed(value["losses"])]
    state = TreeState(
        config=config,
        headers=headers,
        built=built,
        functions=table("functions"),
        fields=table("fields"),
        structs=table("structs"),
        given=table("given"),
        loops=frozenset(strings(value["loops"])),
    )
    return state, losses


def _define(
    headers: Headers, items: list[object], files: list[str], conditions: list[PresenceCondition]
) -> None:
    """Enter the macros of a snapshot: name, file, offset and presence condition of each."""
    names = strings(items[::4])
    places = numbers(items[1::4], 0, len(files))
    starts = numbers(items[2::4], -1, SIZE_CAP + 1)
    which = numbers(items[3::4], 0, len(conditions))
    define = headers.macros.define
    for name, place, start, number in zip(names, places, starts, which, strict=True):
        define(name, None, files[place], start, conditions[number])


def _loss(file: object, reason: object, unread: object) -> Loss:
    """A loss, as it was kept."""
    if type(unread) is not bool:
        raise TypeError("neither true nor false")
    return Loss(string(file), string(reason), unread)
