# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the vocabulary's data files and checks every value against the class that it becomes.

A file is a list of groups.  A group has defaults and names; a name has what differs from them:

    [[group]]
    source = "include/linux/pgtable.h, set_ptes()"
    how = "deferred"
    call.set_ptes = { mm = 0, entry = 2 }
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, dataclass
from dataclasses import fields as fields_of
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from lazymmu.contract.vocabulary.words import LockField, Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_Word = TypeVar("_Word")

_NAME: Final = re.compile(r"(?:~?guard:)?[A-Za-z_][A-Za-z0-9_]*\Z")
"""A C identifier, or the class of a guard (include/linux/cleanup.h), with ~ for its end."""
_MAX_ARGUMENTS: Final = 16

_TABLES: Final[Mapping[str, frozenset[str]]] = {
    "lock_fields": frozenset({"field"}),
    "sleeps": frozenset({"group", "gfp"}),
    "contexts": frozenset({"group", "phrase"}),
}


class VocabularyError(ValueError):
    """A data file of the vocabulary is not as it must be; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Flags:
    """The names of GFP flags by what they allow."""

    blocking: frozenset[str]
    nonblocking: frozenset[str]
    type: str


def parse(file: Path) -> dict[str, Any]:
    """The TOML of `file`.

    :raises VocabularyError: it is missing or no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise VocabularyError(f"{file.name}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise VocabularyError(f"{file.name}: {error}") from error


def unknown_tables(name: str, table: Mapping[str, Any]) -> None:
    """Raise `VocabularyError` for a top-level table that file `name` does not have."""
    known = _TABLES.get(name, frozenset({"group"}))
    for key in table:
        if key not in known:
            raise VocabularyError(f"{name}.toml: no table `{key}` is known here")


def calls(name: str, table: Mapping[str, Any], word: type[_Word]) -> dict[str, _Word]:
    """The words of class `word` that the groups of `table` describe, by call name."""
    found: dict[str, _Word] = {}
    hints = get_type_hints(word)
    for number, group in enumerate(_list(name, table, "group"), 1):
        defaults = {key: value for key, value in group.items() if key != "call"}
        own = group.get("call", {})
        if not isinstance(own, dict) or not own:
            raise VocabularyError(f"{name}.toml: group {number} names no call")
        for call, differences in own.items():
            if not isinstance(differences, dict):
                raise VocabularyError(f"{name}.toml: `{call}` is no table")
            if not _NAME.match(call):
                raise VocabularyError(f"{name}.toml: `{call}` is no C identifier")
            if call in found:
                raise VocabularyError(f"{name}.toml: `{call}` is there twice")
            found[call] = _build(f"{name}.toml: `{call}`", word, {**defaults, **differences}, hints)
    return found


def fields(name: str, table: Mapping[str, Any]) -> dict[str, tuple[LockField, ...]]:
    """The members of lock_fields.toml by name, those of one object before those of a struct."""
    found: dict[str, tuple[LockField, ...]] = {}
    for entry in _list(name, table, "field"):
        member = entry.get("name")
        if not isinstance(member, str) or not _NAME.match(member):
            raise VocabularyError(f"{name}.toml: a field has no `name`")
        rest = {key: value for key, value in entry.items() if key != "name"}
        built = _build(f"{name}.toml: `{member}`", LockField, rest, get_type_hints(LockField))
        if bool(built.struct) == bool(built.object):
            raise VocabularyError(f"{name}.toml: `{member}` needs a struct or an object")
        if built in found.get(member, ()):
            raise VocabularyError(f"{name}.toml: `{member}` is there twice")
        found[member] = tuple(
            sorted((*found.get(member, ()), built), key=lambda field: field.object == "")
        )
    return found


def phrases(name: str, table: Mapping[str, Any]) -> tuple[tuple[str, Phrase], ...]:
    """The phrases of contexts.toml in order, each regular expression checked."""
    found: list[tuple[str, Phrase]] = []
    for entry in _list(name, table, "phrase"):
        pattern = entry.get("pattern")
        if not isinstance(pattern, str) or not pattern:
            raise VocabularyError(f"{name}.toml: a phrase has no `pattern`")
        try:
            re.compile(pattern)
        except re.error as error:
            raise VocabularyError(f"{name}.toml: `{pattern}`: {error}") from error
        rest = {key: value for key, value in entry.items() if key != "pattern"}
        where = f"{name}.toml: `{pattern}`"
        found.append((pattern, _build(where, Phrase, rest, get_type_hints(Phrase))))
    return tuple(found)


def gfp(name: str, table: Mapping[str, Any]) -> Flags:
    """The [gfp] table of sleeps.toml."""
    entry = table.get("gfp")
    if not isinstance(entry, dict):
        raise VocabularyError(f"{name}.toml: [gfp] is missing")
    _check_source(f"{name}.toml: [gfp]", entry)
    sets: list[frozenset[str]] = []
    for key in ("blocking", "nonblocking"):
        names = entry.get(key)
        if not isinstance(names, list) or not all(
            isinstance(flag, str) and _NAME.match(flag) for flag in names
        ):
            raise VocabularyError(f"{name}.toml: [gfp] `{key}` is no list of names")
        sets.append(frozenset(names))
    if sets[0] & sets[1]:
        twice = min(sets[0] & sets[1])
        raise VocabularyError(f"{name}.toml: [gfp] `{twice}` is both blocking and not")
    kind = entry.get("type")
    if not isinstance(kind, str):
        raise VocabularyError(f"{name}.toml: [gfp] `type` is missing")
    return Flags(sets[0], sets[1], kind)


def _list(name: str, table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    groups = table.get(key, [])
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise VocabularyError(f"{name}.toml: `{key}` is no list of tables")
    if not groups:
        raise VocabularyError(f"{name}.toml: there is no [[{key}]]")
    return groups


def _check_source(where: str, values: Mapping[str, Any]) -> None:
    source = values.get("source")
    if not isinstance(source, str) or not source.strip():
        raise VocabularyError(f"{where} has no source")


def _build(
    where: str, word: type[_Word], values: Mapping[str, Any], hints: Mapping[str, Any]
) -> _Word:
    """`word` from `values`, each checked against the type of its field in `hints`."""
    _check_source(where, values)
    for key, value in values.items():
        if key not in hints:
            raise VocabularyError(f"{where} has an unknown key `{key}`")
        if not _fits(value, hints[key]):
            raise VocabularyError(f"{where} has a wrong value for `{key}`: {value!r}")
    for field in fields_of(word):  # type: ignore[arg-type]
        if field.name not in values and field.default is MISSING:
            raise VocabularyError(f"{where} has no `{field.name}`")
    return word(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(hint) if part is not type(None))
    if origin is tuple:
        inner = get_args(hint)[0]
        return isinstance(value, list) and all(_fits(item, inner) for item in value)
    if hint is int:
        # Every number of the vocabulary is an argument's.
        return type(value) is int and -_MAX_ARGUMENTS <= value < _MAX_ARGUMENTS
    return isinstance(value, hint)
