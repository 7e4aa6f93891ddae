# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files one compilation has in common: a file, and what it includes, however deep.

A source file of a kernel includes some thousand headers, nearly all of them through others. Sets
of files are therefore the bits of integers, and what a header includes is found once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Inclusions"]


class Inclusions:
    """What a walk found of who includes whom; see headers.py."""

    def __init__(self, includes: Mapping[str, Iterable[str]]) -> None:
        """Start from what each file includes itself, which is complete when anybody asks."""
        self._includes = includes
        self._includers: dict[str, list[str]] | None = None
        self._bits: dict[str, int] = {}
        self._c_files: dict[str, int] = {}
        self._below: dict[str, int] = {}
        self._with: dict[str, int] = {}

    def has(self, rel: str, other: str) -> bool:
        """Whether the file `other` is compiled with the file `rel`: is it, or is included by it.

        A .c file that others include is compiled with those others too, and what they include.
        """
        return other == rel or self._mask(rel) & self._bits.get(other, 0) != 0

    def sources(self, rel: str) -> frozenset[str]:
        """Return the other .c files that are compiled with the file `rel`; see `has`."""
        mask = self._mask(rel)
        return frozenset(file for file, bit in self._c_files.items() if mask & bit) - {rel}

    def _mask(self, rel: str) -> int:
        """What is compiled with a file, but itself."""
        known = self._with.get(rel)
        if known is None:
            known = 0
            for includer in self._sources_of(rel):
                known |= self._bit(includer)
                known |= self._reach(includer)
            for included in self._includes.get(rel, ()):
                known |= self._bit(included) | self._reach(included)
            self._with[rel] = known
        return known

    def _sources_of(self, rel: str) -> list[str]:
        """The files that include a .c file."""
        if self._includers is None:
            self._includers = {}
            for includer, others in self._includes.items():
                for other in others:
                    if other.endswith(".c"):
                        self._includers.setdefault(other, []).append(includer)
        return self._includers.get(rel, [])

    def _reach(self, rel: str) -> int:
        """What a file includes, however deep."""
        known = self._below.get(rel)
        if known is None:
            known = 0
            work = list(self._includes.get(rel, ()))
            while work:
                file = work.pop()
                bit = self._bit(file)
                if known & bit:
                    continue
                known |= bit
                below = self._below.get(file)
                if below is not None:
                    known |= below
                else:
                    work += self._includes.get(file, ())
            self._below[rel] = known
        return known

    def _bit(self, rel: str) -> int:
        """The bit that stands for a file."""
        bit = self._bits.get(rel)
        if bit is None:
            bit = self._bits[rel] = 1 << len(self._bits)
            if rel.endswith(".c"):
                self._c_files[rel] = bit
        return bit
