# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may call a function: the definitions whose text has its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from lazymmu.kernelc.configured_tree import ConfiguredTree, Definition
from lazymmu.kernelc.parse.lexemes import COMMENT
from lazymmu.witness.source.other_names import Found

_COMMENT: Final = re.compile(COMMENT)


def naming(view: ConfiguredTree, file: str, *words: bytes) -> list[Definition]:
    """Definitions of a file that the profile builds, whose text has one of the words.

    An object-like macro is one if it stands for more than a name or a value.
    """
    if file.endswith(".c") and file not in view.built:
        return []
    text = view.sources.read(file)
    found: list[Definition] = []
    if any(word in text for word in words):
        found += (
            d
            for d in view.defined(file)
            if any(text.find(word, d.start, d.end) >= 0 for word in words)
        )
        found += view.made(file, *words)
    view.asked.names.update(d.name for d in found)
    asked = b" ".join(words).decode("latin-1")
    view.asked.check("naming", file, asked, [f"{d.kind} {d.name}" for d in found])
    return found


def named_elsewhere(view: ConfiguredTree, file: str, word: str) -> bool:
    """Whether a file's code has a word outside of the definitions of that name."""
    text = _COMMENT.sub(lambda comment: b" " * len(comment[0]), view.sources.read(file))
    places = [found.start() for found in re.finditer(rb"\b%s\b" % re.escape(word.encode()), text)]
    own = [(d.start, d.end) for d in view.defined(file) if d.name == word]
    found = any(all(not start <= at < end for start, end in own) for at in places)
    view.asked.check("elsewhere", file, word, found)
    return found


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
        found: dict[Definition, None] = {}
        words = [name]
        for each in words:
            word = each.encode()
            for rel in self._files(each, static, file):
                found.update(dict.fromkeys(naming(self._view, rel, word)))
                # Who uses such a macro does not name what it holds or calls.
                words += [d.name for d in self._view.woven(rel, word) if d.name not in words]
        return list(found)

    def elsewhere(self, name: str, file: str) -> bool:
        """Whether the code of a file has a name outside of what it defines under it."""
        return named_elsewhere(self._view, file, name)

    def _files(self, name: str, static: bool, file: str) -> Iterable[str]:
        """Files that have a name which is defined in a file."""
        if static and file.endswith(".c"):
            return [file]
        files = self._known.get(name)
        if files is None:
            view, word = self._view, name.encode()
            headers = view.headers.files if file.endswith(".h") else ()
            every = dict.fromkeys([*([] if file in view.built else [file]), *view.built, *headers])
            files = {rel: None for rel in every if word in view.sources.read(rel)}
            view.asked.searched[name] = frozenset(files)
        return files
