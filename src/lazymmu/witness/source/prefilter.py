# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files of a tree name the mode, or a function that calls back in it; who has the mode.

One pass over every file; everything else is then read on demand. Headers that all may include are
looked through before: the names that the mode has there besides its own are searched for in the
same pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lazymmu.contract import vocabulary
from lazymmu.kernelc.arch_profile import PROFILES, Profile, unknown
from lazymmu.kernelc.index.occurrences import Context, Occurrence, occurrences
from lazymmu.kernelc.index.searched_words import SearchedWords
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Stamp, Tree
from lazymmu.witness.source.other_names import Found, joined, likely_names, other_names

MODE_WORD = b"lazy_mmu"
"""A part of every name of the mode's API, in every release."""

_SELECTED = b"ARCH_HAS_LAZY_MMU_MODE"
"""What the Kconfig of an architecture selects that has the mode (mm/Kconfig, from v7.0 on)."""


@dataclass(frozen=True, slots=True)
class Prefilter:
    """Files relative to the tree: those that name the mode, and those that name a taker.

    ``places`` are the words of the former that name it; ``having`` are the directories below arch/
    that have the mode by their own word.
    ``others`` are words of ``mode`` that may be other names of what begins or ends it (see
    other_names.py).
    ``module`` are the .c files of the directory that is a module out of tree (see Tree).
    """

    mode: tuple[str, ...]
    takers: tuple[str, ...]
    places: Mapping[str, tuple[Occurrence, ...]]
    having: frozenset[str]
    others: Found
    module: tuple[str, ...] = ()

    @property
    def machines(self) -> tuple[Profile, ...]:
        """The machines that the tree may have the mode on: those with a profile, then others."""
        naming = {parts[1] for file in self.mode if (parts := _in_headers(file)) is not None}
        known = [p for p in PROFILES.values() if p.arch_dir in naming | self.having]
        others = sorted(self.having - {p.arch_dir for p in PROFILES.values()})
        return (*known, *map(unknown, others))

    @property
    def words(self) -> Found:
        """All words of the files in ``mode`` that name it, or may be other names."""
        return joined(self.places, self.others)

    @property
    def followed(self) -> frozenset[str]:
        """All words that name the mode, or may be other names."""
        return frozenset(item.word for items in self.words.values() for item in items)

    def seen_by(self, profile: Profile, files: tuple[str, ...]) -> list[str]:
        """Those of ``files`` that are not another architecture's."""
        mine = f"arch/{profile.arch_dir}/"
        return [f for f in files if not f.startswith("arch/") or f.startswith(mine)]


def takers() -> list[bytes]:
    """Names of the functions that call another back at once, maybe inside of a section."""
    return [
        name.encode()
        for name, taker in vocabulary.load().callbacks.items()
        if taker.fn is not None and taker.runs == "now"
    ]


def searched() -> list[bytes]:
    """The words that the whole tree is searched for, whatever is built."""
    return [MODE_WORD, _SELECTED, *takers()]


def prefilter(
    tree: Tree, jobs: int, manifest: Mapping[str, Stamp], cache: Cache | None = None
) -> Prefilter:
    """Search the whole tree, with ``jobs`` processes; of what ``cache`` knows only the rest."""
    below = f"{tree.module}/"
    module = [f for f in manifest if tree.module and f.startswith(below) and f.endswith(".c")]
    search = SearchedWords(tree, jobs, manifest, cache)
    own = [MODE_WORD, *takers()]
    search.files([*own, *_likely(search)])  # one pass for all of them
    found = search.files(own)
    naming = sorted(file for file, words in found.items() if MODE_WORD in words)
    places = {file: occurrences(tree.read(file), MODE_WORD) for file in naming}
    others = other_names(search, places, MODE_WORD)
    return Prefilter(
        mode=tuple(sorted({*places, *others})),
        places=places,
        having=frozenset({*_defining(places), *_selecting(tree, manifest)}),
        others=others,
        takers=tuple(sorted(file for file, words in found.items() if words - {MODE_WORD})),
        module=tuple(sorted(module)),
    )


def _likely(search: SearchedWords) -> list[bytes]:
    """The other names of the mode that headers which any file may include show by themselves."""
    shared = [
        file
        for file in search.manifest
        if file.endswith(".h") and (file.startswith("include/") or _in_headers(file) is not None)
    ]
    naming = sorted(search.among(shared, [MODE_WORD]))
    places = {file: occurrences(search.tree.read(file), MODE_WORD) for file in naming}
    return likely_names(search.tree, places, MODE_WORD)


def _in_headers(file: str) -> list[str] | None:
    """The parts of a path below arch/*/include/, None of any other."""
    parts = file.split("/")
    return parts if parts[0] == "arch" and parts[2:3] == ["include"] else None


def _defining(places: Mapping[str, tuple[Occurrence, ...]]) -> Iterator[str]:
    """The architectures whose headers define or declare the hook that begins the mode."""
    words = vocabulary.load().mode
    for file, items in places.items():
        parts = _in_headers(file)
        if parts is not None and any(
            item.context is Context.DECLARATION
            and (mode := words.get(item.word)) is not None
            and (mode.layer, mode.action) == ("arch", "enable")
            for item in items
        ):
            yield parts[1]


def _selecting(tree: Tree, manifest: Mapping[str, Stamp]) -> Iterator[str]:
    """The architectures whose own Kconfig says that they have the mode."""
    for file in manifest:
        parts = file.split("/")
        below = parts[0] == "arch" and len(parts) > 2
        if below and parts[-1].startswith("Kconfig") and _SELECTED in tree.read(file):
            yield parts[1]
