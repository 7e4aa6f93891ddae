# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions about the text of one file that an analysis has asked, asked once more.

A file has changed; where all that was asked of its text gets the same answer, the analysis would
go the same way. Each kind of question is named where it is asked (`Asked.check`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.json_shapes import listed, mapped, string, strings
from lazymmu.witness.source.api_candidates import is_overridable
from lazymmu.witness.source.callers import named_elsewhere, naming
from lazymmu.witness.source.constant_pointers import held_in, told
from lazymmu.witness.source.declared_handlers import declared
from lazymmu.witness.source.other_names import Found
from lazymmu.witness.source.stubs import includes, says_no

__all__ = ["answer", "answers"]


def answer(view: ConfiguredTree, words: Found, kind: str, file: str, what: str) -> object:
    """Return the answer to a question about the text of a file as it is now.

    :param words: those that name the mode, or may be other names.
    :raises KeyError: there is no such kind of question.
    """
    return _KINDS[kind](view, words, file, what)


def answers(
    view: ConfiguredTree, words: Found, file: str, kept: Mapping[str, object]
) -> dict[str, bool]:
    """Return by the kind of question about a file's text whether each is answered as it was.

    :param words: as `answer` takes them.
    :param kept: what was kept of the analysis that asked.
    """
    found: dict[str, bool] = {}
    for item in listed(kept["checks"]):
        kind, about, what, known = listed(item)
        if about == file:
            now = answer(view, words, string(kind), file, string(what))
            found[string(kind)] = found.get(string(kind), True) and now == known
    text = view.sources.read(file)
    found["searched"] = all(
        (word.encode() in text) == (file in strings(files))
        for word, files in mapped(kept["searched"]).items()
    )
    return found


def _naming(view: ConfiguredTree, _words: Found, file: str, what: str) -> object:
    found = naming(view, file, *what.encode("latin-1").split(b" "))
    return [f"{d.kind} {d.name}" for d in found]


def _overridable(view: ConfiguredTree, _words: Found, file: str, what: str) -> object:
    return file.endswith(".h") and is_overridable(view.sources.read(file), what)


def _pointers(view: ConfiguredTree, words: Found, file: str, _what: str) -> object:
    return told(held_in(file, view.sources.read(file), words.get(file, ())))


def _elsewhere(view: ConfiguredTree, _words: Found, file: str, what: str) -> object:
    return named_elsewhere(view, file, what)


def _array(view: ConfiguredTree, _words: Found, file: str, what: str) -> object:
    return list(view.array(what, file))


def _items(view: ConfiguredTree, _words: Found, file: str, _what: str) -> object:
    return list(map(repr, view.item_handlers(file)))


def _handlers(view: ConfiguredTree, _words: Found, file: str, _what: str) -> object:
    return list(map(repr, declared(view, file)))


def _stub(view: ConfiguredTree, _words: Found, file: str, what: str) -> object:
    return says_no(view.sources.read(file), what)


def _includes(view: ConfiguredTree, _words: Found, file: str, what: str) -> object:
    return includes(view.sources.read(file), what)


_KINDS: Final[Mapping[str, Callable[[ConfiguredTree, Found, str, str], object]]] = {
    "array": _array,
    "elsewhere": _elsewhere,
    "handlers": _handlers,
    "includes": _includes,
    "items": _items,
    "naming": _naming,
    "overridable": _overridable,
    "pointers": _pointers,
    "stub": _stub,
}
