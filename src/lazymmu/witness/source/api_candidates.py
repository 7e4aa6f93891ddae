# SPDX-License-Identifier: GPL-2.0-or-later
"""Which definitions of a tree may be a part of the mode's API: those whose text names it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from lazymmu.kernelc.configured_tree import ConfiguredTree, Definition
from lazymmu.kernelc.index.occurrences import Context
from lazymmu.witness.source.other_names import Found


class Candidate(NamedTuple):
    """A definition whose text names the mode, or something that is part of the API.

    :param compiled: the machine compiles it; if not, it only tells what an override of it means.
    :param overridable: an architecture may define the name before (``#ifndef name``).
    """

    definition: Definition
    compiled: bool
    overridable: bool


def candidates(view: ConfiguredTree, files: Iterable[str], found: Found) -> list[Candidate]:
    """The definitions in some files that may be a part of the mode's API."""
    out: dict[tuple[str, int], Candidate] = {}
    for file in files:
        header = file.endswith(".h")
        if not header and file not in view.built:
            continue
        text, selection = view.sources.read(file), view.headers.selection(file)
        for item in found.get(file, ()):
            raw = item.definition
            if raw is None or item.context is not Context.BODY or (file, raw.start) in out:
                continue
            compiled = selection.is_compiled(raw.start)
            overridable = header and is_overridable(text, raw.name)
            view.asked.check("overridable", file, raw.name, overridable)
            if compiled or overridable:
                definition = view.definition(file, raw)
                out[file, raw.start] = Candidate(definition, compiled, overridable)
    return list(out.values())


def is_overridable(text: bytes, name: str) -> bool:
    """Whether the text of a header defines a name only where no architecture did before."""
    word = name.encode()
    return word in text and (
        re.search(
            rb"^[ \t]*#[ \t]*(?:ifndef[ \t]+|if\b[^\n]*![ \t]*defined[ \t]*\(?[ \t]*)"
            + re.escape(word)
            + rb"\b",
            text,
            re.M,
        )
        is not None
    )
