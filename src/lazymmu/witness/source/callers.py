# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may call a function: the definitions whose text has its name."""

from __future__ import annotations

from collections.abc import Collection

from lazymmu.kernelc.configured_tree import ConfiguredTree, Definition
from lazymmu.witness.source.other_names import Found


def naming(view: ConfiguredTree, file: str, *words: bytes) -> list[Definition]:
    """Definitions of a file that the profile builds, whose text has one of the words.

    An object-like macro is one if it stands for more than a name or a value.
    """
    if file.endswith(".c") and file not in view.built:
        return []
    text = view.tree.read(file)
    if not any(word in text for word in words):
        return []
    return [
        d
        for d in (*view.functions(file), *view.macros(file), *view.objects(file))
        if any(text.find(word, d.start, d.end) >= 0 for word in words)
    ]


class CallerSearch:
    """Looks for the callers of functions in the files that one profile sees.

    :param files: those that were searched for the words of `found`.
    :param found: words that were searched for in the whole tree: what is one of them need not be
        searched for again.
    """

    def __init__(self, view: ConfiguredTree, files: Collection[str], found: Found) -> None:
        self._view = view
        self._known: dict[str, dict[str, None]] = {}
        for file in files:
            for item in found.get(file, ()):
                self._known.setdefault(item.word, {})[file] = None

    def __call__(self, name: str, static: bool, file: str) -> list[Definition]:
        """Definitions whose text names the function `name` of a file.

        static: it is no other file's; of a header it is that of each that includes it.
        """
        word = name.encode()
        if static and file.endswith(".c"):
            return naming(self._view, file, word)
        files = self._known.get(name)
        if files is None:
            built, read = self._view.built, self._view.tree.read
            files = dict.fromkeys([*([] if file in built else [file]), *built])
            files = {rel: None for rel in files if word in read(rel)}
        return [d for rel in files for d in naming(self._view, rel, word)]
