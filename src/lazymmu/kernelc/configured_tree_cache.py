# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a configured tree as plain values, and back.

Offsets are those of directives: beside each stands which directive it is, so that a state is also
good for files whose directives are the same and stand elsewhere. What is not as this module wrote
it raises an error, and is no state that was kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.config.kconfig import Config
from lazymmu.kernelc.configured_tree_builder import TreeState
from lazymmu.kernelc.json_shapes import index, listed, mapped, numbers, pairs, string, strings
from lazymmu.kernelc.preprocess.headers import Headers
from lazymmu.kernelc.preprocess.selection import Selection
from lazymmu.kernelc.presence import ALWAYS, PresenceCondition
from lazymmu.snapshot.tree import SIZE_CAP, Loss, Tree

if TYPE_CHECKING:
    from lazymmu.kernelc.arch_profile import Profile
    from lazymmu.kernelc.preprocess.texts import Text

__all__ = [
    "Moved", "digests", "plain_config", "plain_losses", "plain_state", "restored_config",
    "restored_losses", "restored_state",
]  # fmt: skip

_ANY: Final = 1 << 64
"""Above all numbers of a configuration, which are those of the kernel's int and hex symbols."""

_PLACES: Final = 1 << 24
"""Above the number of places of a file; see Text.places."""

Moved = Mapping[str, list[int]]
"""The places of the directives of files in which they have moved (see Text.places)."""


def plain_config(config: Config) -> dict[str, object]:
    """Return a configuration as plain values."""
    return {
        "on": sorted(config.on),
        "free": sorted(config.free),
        "numbers": config.numbers,
        "either": sorted(config.either),
        "choices": [[sorted(members), made] for members, made in config.choices],
    }


class _Numbering:
    """Which of the places of a file's directives an offset is."""

    def __init__(self, text: Text) -> None:
        places = text.places
        self.begins = {offset: 2 * at for at, offset in enumerate(places[::2])}
        """Where a directive begins; the last is the end of the file."""
        self.ends = {offset: 2 * at + 1 for at, offset in enumerate(places[1::2])}


def plain_losses(losses: Iterable[Loss]) -> list[object]:
    """Return losses as plain values."""
    return [[loss.file, loss.reason, loss.unread] for loss in losses]


def plain_state(state: TreeState) -> dict[str, object]:
    """Return the state of a tree but its configuration: files and conditions by number."""
    headers = state.headers
    texts = headers.texts.all()
    files = list(dict.fromkeys([*headers.selections, *headers.includes, *state.built, *texts]))
    number = {rel: index for index, rel in enumerate(files)}
    numbering = {rel: _Numbering(text) for rel, text in texts.items()}
    conditions: dict[PresenceCondition, int] = {}
    macros, said, values = _plain_macros(headers, number, numbering, conditions)
    selections = []
    for rel, selection in headers.selections.items():
        begins, ends = numbering[rel].begins, numbering[rel].ends
        dead = [
            item for start, end in selection.dead for item in (start, end, ends[start], begins[end])
        ]
        guarded = [
            item
            for start, end, presence in selection.guarded
            for item in (
                start, end, ends[start], begins[end],
                conditions.setdefault(presence, len(conditions)),
            )
        ]  # fmt: skip
        selections.append([number[rel], dead, guarded])
    value: dict[str, object] = {
        "files": files,
        "texts": {str(number[rel]): text.digest for rel, text in texts.items()},
        "selections": selections,
        "includes": {
            str(number[rel]): [number[other] for other in others]
            for rel, others in headers.includes.items()
        },
        "missing": headers.missing,
        "overrides": _plain_overrides(headers, number, numbering),
        "macros": macros,
        "said": said,
        "values": values,
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


def _plain_macros(
    headers: Headers,
    number: Mapping[str, int],
    numbering: Mapping[str, _Numbering],
    conditions: dict[PresenceCondition, int],
) -> tuple[list[object], list[int], list[object]]:
    """Where macros are defined, what tells the text of each, and the values of the others."""
    macros: list[object] = []
    said: list[int] = []
    values: list[object] = []
    for name, file, start, presence in headers.macros.places():
        if file:
            which = numbering[file].begins[start]
            condition = conditions.setdefault(presence, len(conditions))
            macros += (name, number[file], start, which, condition)
            said.append(_short(headers.texts.get(file).directives[which // 2][-1]))
        else:
            macro = headers.macros.get(name)
            values += (name, macro.text if macro is not None else "")
    return macros, said, values


def _short(text: str) -> int:
    """What tells the text of a macro from others."""
    return int.from_bytes(blake2b(text.encode("latin-1"), digest_size=7).digest())


def _plain_overrides(
    headers: Headers, number: Mapping[str, int], numbering: Mapping[str, _Numbering]
) -> dict[str, object]:
    """By name and by who changes it: the file, the offset, and which directive that is."""
    return {
        name: {
            changer: [number[file], start, numbering[file].begins[start] if start >= 0 else 0]
            for changer, (file, start) in changes.items()
        }
        for name, changes in headers.overrides.items()
    }


def restored_losses(value: object) -> list[Loss]:
    """Return what `plain_losses` was given.

    :raises TypeError: for anything else.
    :raises ValueError: for anything else.
    """
    found = []
    for item in listed(value):
        file, reason, unread = listed(item)
        if type(unread) is not bool:
            raise TypeError("neither true nor false")
        found.append(Loss(string(file), string(reason), unread))
    return found


def restored_config(value: object) -> Config:
    """Return what `plain_config` was given; errors as for `restored_state`."""
    parts = mapped(value)
    options = mapped(parts["numbers"])
    numbers(list(options.values()), -_ANY, _ANY)
    choices = []
    for item in listed(parts["choices"]):
        members, made = listed(item)
        choices.append((strings(members), made is True))
    on, free, either = (strings(parts[part]) for part in ("on", "free", "either"))
    return Config(on, free, options, either, choices)  # type: ignore[arg-type]


class _ByNumber(Mapping[str, list[str]]):
    """Lists of files by name that are kept as numbers: of the names, few are ever asked for."""

    def __init__(self, found: Mapping[str, object], files: list[str]) -> None:
        """Take what `plain_state` has of a table; errors as for `restored_state`."""
        lists = [listed(some) for some in found.values()]
        numbers(list(chain.from_iterable(lists)), 0, len(files))
        self._found = found
        self._files = files

    def __getitem__(self, name: str) -> list[str]:
        return _named(self._found[name], self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def digests(value: object) -> dict[str, str]:
    """Return of a value of `plain_state` the digests of the directives of its files, by path."""
    parts = mapped(value)
    files = strings(parts["files"])
    texts = mapped(parts["texts"])
    return {files[index(key, len(files))]: string(found) for key, found in texts.items()}


def restored_state(
    tree: Tree, profile: Profile, config: Config, value: object, moved: Moved
) -> TreeState:
    """Return the state that a value of `plain_state` is.

    :param moved: the places of the directives of files that have others than when it was kept.
    :raises KeyError, TypeError, ValueError: the value is none, whatever it is.
    """
    parts = mapped(value)
    files = strings(parts["files"])
    headers = Headers(tree, profile, config)

    def table(kind: str) -> Mapping[str, list[str]]:
        return _ByNumber(mapped(parts[kind]), files)

    _restore_headers(headers, parts, files, moved)
    built = {
        files[index(key, len(files))]: tuple(strings(presence))
        for key, presence in mapped(parts["built"]).items()
    }
    return TreeState(
        config=config,
        headers=headers,
        built=built,
        functions=table("functions"),
        fields=table("fields"),
        structs=table("structs"),
        given=table("given"),
        loops=frozenset(strings(parts["loops"])),
    )


def _restore_headers(
    headers: Headers, parts: Mapping[str, object], files: list[str], moved: Moved
) -> None:
    """Enter into `headers` what a walk saw."""
    conditions = [tuple(strings(item)) for item in listed(parts["conditions"])]
    for item in listed(parts["selections"]):
        where, dead, guarded = listed(item)
        (rel,) = _named([where], files)
        headers.selections[rel] = _selection(dead, guarded, conditions, moved.get(rel))
    for key, others in mapped(parts["includes"]).items():
        headers.includes[files[index(key, len(files))]] = dict.fromkeys(_named(others, files))
    missing = mapped(parts["missing"])
    headers.missing = {spec: string(file) for spec, file in missing.items()}
    for name, changes in mapped(parts["overrides"]).items():
        headers.overrides[name] = {
            changer: _override(place, files, moved) for changer, place in mapped(changes).items()
        }
    _define(headers, listed(parts["macros"]), files, conditions, moved)
    for name, text in pairs(strings(parts["values"]), 2):
        headers.macros.define(name, text, "", -1, ALWAYS)
    for name in strings(parts["removed"]):
        headers.macros.undefine(name)


def _named(places: object, files: list[str]) -> list[str]:
    """The files that some numbers stand for."""
    return [files[place] for place in numbers(places, 0, len(files))]


def _selection(
    dead: object, guarded: object, conditions: list[PresenceCondition], places: list[int] | None
) -> Selection:
    """The selection of one file; places: those of its directives, if they have moved."""
    spans = pairs(numbers(dead, 0, SIZE_CAP + 1), 4)
    guards = pairs(numbers(guarded, 0, SIZE_CAP + 1), 5)
    numbers([which for *_, which in guards], 0, len(conditions))
    if places is not None:
        out = [(places[first], places[last]) for _, _, first, last in spans]
        inner = [(places[first], places[last], which) for _, _, first, last, which in guards]
    else:
        out = [(start, end) for start, end, _, _ in spans]
        inner = [(start, end, which) for start, end, _, _, which in guards]
    flat = [offset for span in out for offset in span]
    if sorted(flat) != flat:
        raise ValueError("spans that are not in order")
    return Selection(out, [(start, end, conditions[which]) for start, end, which in inner])


def _override(place: object, files: list[str], moved: Moved) -> tuple[str, int]:
    """The file and offset of a change."""
    where, start, which = numbers(place, -1, SIZE_CAP + 1)
    numbers([where], 0, len(files))
    file = files[where]
    return file, moved[file][which] if start >= 0 and file in moved else start


def _define(
    headers: Headers,
    items: list[object],
    files: list[str],
    conditions: list[PresenceCondition],
    moved: Moved,
) -> None:
    """Enter macros: name, file, offset, which place that is, and presence condition of each."""
    names = strings(items[::5])
    places = numbers(items[1::5], 0, len(files))
    starts = numbers(items[2::5], 0, SIZE_CAP + 1)
    which = numbers(items[3::5], 0, _PLACES)
    conditioned = numbers(items[4::5], 0, len(conditions))
    if moved:
        by_number = {at: moved[rel] for at, rel in enumerate(files) if rel in moved}
        starts = [
            by_number[place][at] if place in by_number else start
            for place, start, at in zip(places, starts, which, strict=True)
        ]
    names_of_files = map(files.__getitem__, places)
    presences = map(conditions.__getitem__, conditioned)
    headers.macros.enter(names, names_of_files, starts, presences)
