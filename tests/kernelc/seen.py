# SPDX-License-Identifier: GPL-2.0-or-later
"""What the compiler would see: of a text under macros, and of the files of a tree."""

from __future__ import annotations

from collections.abc import Iterable

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kconfig import Config
from lazymmu.kernelc.preprocess.directives import scan
from lazymmu.kernelc.preprocess.headers import Headers
from lazymmu.kernelc.preprocess.macros import Macros
from lazymmu.kernelc.preprocess.selection import Selection, interpret
from lazymmu.snapshot.tree import Tree


def selection(text: bytes, macros: Macros) -> Selection:
    """What of a text is compiled under `macros`, which stay as they are."""
    return interpret(*scan(text.decode("latin-1")), Macros(base=macros), len(text))


def left(text: bytes, chosen: Selection) -> list[bytes]:
    """The words of a text that are compiled and are no directives."""
    directives, _ = scan(text.decode("latin-1"))
    words: list[bytes] = []
    position = 0
    for start, end in sorted([*chosen.dead, *(item[1:3] for item in directives)]):
        words += text[position:start].split()
        position = max(position, end)
    return words + text[position:].split()


def walked(tree: Tree, profile: Profile, config: Config, roots: Iterable[str]) -> Headers:
    """The headers that source files include, in the order given."""
    headers = Headers(tree, profile)
    headers.walk(config, roots)
    return headers
