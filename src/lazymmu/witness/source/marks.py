# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files of a tree name the mode, or a function that calls back in it.

One pass over every file; everything else is then read on demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lazymmu.contract import vocabulary
from lazymmu.kernelc.occurrences import Occurrence, occurrences
from lazymmu.kernelc.profile import Profile
from lazymmu.kernelc.tree import Stamp, Tree
from lazymmu.kernelc.words import files_with

MODE_WORD = b"lazy_mmu"
"""A part of every name of the mode's API, in every release."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Files relative to the tree: those that name the mode, and those that name a taker.

    ``places`` are the words of the former that name it.
    """

    mode: tuple[str, ...]
    takers: tuple[str, ...]
    places: Mapping[str, tuple[Occurrence, ...]]

    def implements(self, profile: Profile) -> bool:
        """Whether the architecture's directory names the mode in a header at all."""
        head = f"arch/{profile.arch_dir}/include/"
        return any(file.startswith(head) for file in self.mode)

    def seen_by(self, profile: Profile, files: tuple[str, ...]) -> list[str]:
        """Those of ``files`` that are not another architecture's."""
        mine = f"arch/{profile.arch_dir}/"
        return [f for f in files if not f.startswith("arch/") or f.startswith(mine)]


def mark(tree: Tree, jobs: int, manifest: Mapping[str, Stamp]) -> Marks:
    """Search the whole tree, with ``jobs`` processes."""
    takers = [
        name.encode()
        for name, taker in vocabulary.load().callbacks.items()
        if taker.fn is not None and taker.runs == "now"
    ]
    found = files_with(tree, [MODE_WORD, *takers], jobs, manifest=manifest)
    mode = tuple(sorted(file for file, words in found.items() if MODE_WORD in words))
    return Marks(
        mode=mode,
        places={file: occurrences(tree.read(file), MODE_WORD) for file in mode},
        takers=tuple(sorted(file for file, words in found.items() if words - {MODE_WORD})),
    )
