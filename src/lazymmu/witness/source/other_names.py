# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that may begin or end a section for whoever uses them, and where a tree has them.

A definition whose text has calls of the mode that all go one way, begin or end, may do so for its
user; own_api.py and entry_points.py tell later whether it does. Its users need not name the mode,
so that they are searched for by its name, and theirs by theirs. This looks at words alone: it errs
towards too much, and costs a tree without such definitions nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lazymmu.contract import vocabulary
from lazymmu.kernelc.index.occurrences import Context, Occurrence, occurrences
from lazymmu.kernelc.index.searched_words import SearchedWords
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source.constant_pointers import held_in

Found = Mapping[str, tuple[Occurrence, ...]]
"""Words by the file that has them, in the order of their places."""

_ROUNDS: Final = 6
"""How many times users of such names are asked for names of their own."""

_MOST: Final = 200
"""Names that are searched for in one tree; real trees have two at most."""

_ONE_WAY: Final = (
    frozenset({"enable"}),
    frozenset({"disable"}),
    frozenset({"disable", "flush"}),
    frozenset({"pause"}),
    frozenset({"resume"}),
)

_POINTED: Final = frozenset(
    {Context.VALUE, Context.STRING, Context.DECLARATION, Context.MACRO, Context.STRAY}
)
"""Where a name may stand that something else is made to point to, or to be."""

_POINTER: Final = re.compile(rb"\(\s*\*\s*\w+\s*\)\s*\(")
"""A parameter that points to a function."""

_Ways = dict[str, frozenset[str]]
"""What the calls in the text of each name do."""


def likely_names(tree: Tree, found: Found, part: bytes) -> list[bytes]:
    """Give the names that `other_names` would search a tree for first, if `found` were all of it.

    :param found: the words that have the part `part`, of some of its files.
    """
    ways = _vocabulary()
    _learn(found, ways, part)
    everywhere, _ = _more_names(tree, found, ways)
    return _needles(everywhere, part) if len(everywhere) <= _MOST else []


def other_names(search: SearchedWords, found: Found, part: bytes) -> Found:
    """Find the words of a tree that are other names of what begins or ends the mode.

    :param found: the words that have the part `part`, which the mode's own names have.
    :returns: the others; what is beyond a bound is lost in the tree.
    """
    tree = search.tree
    ways = _vocabulary()
    others: dict[str, tuple[Occurrence, ...]] = {}
    names: set[bytes] = set()
    _learn(found, ways, part)
    for _ in range(_ROUNDS):
        known = joined(found, others)
        everywhere, within = _more_names(tree, known, ways)
        if not everywhere and not within:
            break
        wanted = _needles(everywhere, part)
        if len(names) + len(wanted) > _MOST:
            tree.lose("", f"more than {_MOST} names that may begin or end a section")
            break
        names.update(wanted)
        for file, words in search.files(wanted).items():
            _add(others, tree, file, words)
        for name, file in within:
            if part not in name.encode():
                _add(others, tree, file, {name.encode()})
    return others


def joined(*founds: Found) -> Found:
    """The words of several searches, in the order of their places."""
    out: dict[str, tuple[Occurrence, ...]] = {}
    for found in founds:
        for file, items in found.items():
            known = out.get(file)
            if known is not None:
                items = tuple(sorted({*known, *items}, key=lambda item: item.start))
            out[file] = items
    return out


def _vocabulary() -> _Ways:
    """What the mode's own calls do."""
    return {
        name: frozenset({mode.action})
        for name, mode in vocabulary.load().mode.items()
        if mode.action != "active"
    }


def _needles(names: set[str], part: bytes) -> list[bytes]:
    """What has to be searched for: whoever names what has the part itself is found already."""
    return [name.encode() for name in sorted(names) if part not in name.encode()]


def _more_names(tree: Tree, known: Found, ways: _Ways) -> tuple[set[str], set[tuple[str, str]]]:
    """Names that were not known, by all the ways to have one; which way they go is noted."""
    everywhere, within = _new_names(known, ways)
    _add_pointers(tree, known, ways, everywhere, within)
    return everywhere | _taking(tree, known, ways), within


def _learn(places: Found, ways: _Ways, part: bytes) -> None:
    """Learn which way names go that have the part themselves: they are found already."""
    for _ in range(_ROUNDS):
        before = dict(ways)
        for name, _, _, way in _one_way(places, ways):
            if part in name.encode():
                ways[name] = ways.get(name, frozenset()) | way
        if ways == before:
            break


def _new_names(places: Found, ways: _Ways) -> tuple[set[str], set[tuple[str, str]]]:
    """Names that were not known to go one way: those of the tree, and those of one .c file."""
    everywhere: set[str] = set()
    within: set[tuple[str, str]] = set()
    for name, file, private, way in _one_way(places, ways):
        known = ways.get(name, frozenset())
        if way <= known:
            continue
        ways[name] = known | way
        if private:
            within.add((name, file))
        else:
            everywhere.add(name)
    return everywhere, within


def _add_pointers(
    tree: Tree, places: Found, ways: _Ways, everywhere: set[str], within: set[tuple[str, str]]
) -> None:
    """Add the variables and tables that always point to what goes one way."""
    for file, items in places.items():
        if not any(item.context in _POINTED and item.word in ways for item in items):
            continue
        for pointer in held_in(file, tree.read(file), items):
            name = pointer.path.partition("->")[0]
            if pointer.function in ways and name not in ways:
                ways[name] = frozenset()
                if pointer.private:
                    within.add((name, file))
                else:
                    everywhere.add(name)


def _taking(tree: Tree, places: Found, ways: _Ways) -> set[str]:
    """Names of users of the mode that are handed a function: who does so is of interest."""
    found: set[str] = set()
    for file, items in places.items():
        for item in items:
            raw = item.definition
            if raw is None or item.context is not Context.BODY or raw.name in ways:
                continue
            if raw.kind != "function" or (raw.static and file.endswith(".c")):
                continue
            if _POINTER.search(tree.read(file), raw.start, raw.body) is not None:
                ways[raw.name] = frozenset()
                found.add(raw.name)
    return found


def _one_way(places: Found, ways: _Ways) -> Iterator[tuple[str, str, bool, frozenset[str]]]:
    """Definitions whose text goes one way: name, file, whether it is that file's own, the way.

    Macros may go both: what they do is done by who uses them.
    """
    for file, items in places.items():
        inside: dict[tuple[str, int, bool], set[str]] = {}
        macros: set[str] = set()
        for item in items:
            raw = item.definition
            if raw is None or item.context is not Context.BODY or raw.name == item.word:
                continue
            private = file.endswith(".c") and (raw.static or raw.kind != "function")
            if raw.kind != "function":
                macros.add(raw.name)
            key = (raw.name, raw.start, private)
            inside.setdefault(key, set()).update(ways.get(item.word, ()))
        for (name, _, private), actions in inside.items():
            way = frozenset(actions)
            if name in vocabulary.load().names:
                continue
            if way in _ONE_WAY or (way and name in macros):
                yield name, file, private, way


def _add(
    places: dict[str, tuple[Occurrence, ...]], tree: Tree, file: str, words: set[bytes]
) -> None:
    """Note where a file has some words."""
    text = tree.read(file)
    more = {item.start: item for item in places.get(file, ())}
    for word in words:
        if re.search(rb"\b" + re.escape(word) + rb"\b", text) is not None:
            wanted = word.decode("latin-1")
            found = occurrences(text, word)
            more |= {item.start: item for item in found if item.word == wanted}
    if more:
        places[file] = tuple(more[start] for start in sorted(more))
