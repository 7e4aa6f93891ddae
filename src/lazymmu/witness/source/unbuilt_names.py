# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a file that nobody builds means another thing by a helper's name: nothing is lost then.

What begins or ends a section may have any name (own_api.py), and a driver may have that for
something of its own. It is the helper only where the file can see it: by its own definition it
means another, and without the header that has the helper it means none that is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import dirname, join, normpath
from typing import Final

from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.parse.slices import definitions

__all__ = ["means_another"]

_INCLUDE: Final = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.M)

_MAX_HEADERS: Final = 200
"""Headers that only such a file includes; beyond it the name is taken for the helper's."""


def means_another(view: ConfiguredTree, file: str, word: str) -> bool:
    """Whether a .c file that is not built cannot mean what its tree calls by a name.

    :param word: the name of a helper that begins or ends sections in files that are built.
    """
    text = view.tree.read(file)
    if any(raw.name == word for raw in definitions(text)):
        return True
    homes = {definition.file for definition in view.definitions(word)}
    if not homes or not all(home.endswith(".h") for home in homes):
        return False
    seen = {file}
    todo = [(file, text)]
    while todo:
        for header in _included(view, *todo.pop()):
            if header in seen:
                continue
            seen.add(header)
            if len(seen) > _MAX_HEADERS:
                return False
            if header in view.headers.includes or header in view.headers.selections:
                if any(view.headers.inclusions.has(header, home) for home in homes):
                    return False
            elif header in homes:
                return False
            else:
                text = view.tree.read(header)
                if any(raw.name == word for raw in definitions(text)):
                    return True
                todo.append((header, text))
    return True


def _included(view: ConfiguredTree, file: str, text: bytes) -> Iterator[str]:
    """The headers that a text includes, as far as the tree has them."""
    arch = f"arch/{view.profile.arch_dir}/include"
    for quote, name in _INCLUDE.findall(text):
        path = name.decode("latin-1")
        places = [join(dirname(file), path)] if quote == b'"' else []
        places += [join(top, path) for top in (arch, "include", f"{arch}/uapi", "include/uapi")]
        places += [join("include/asm-generic", path.removeprefix("asm/"))]
        found = next((p for p in map(normpath, places) if view.tree.has(p)), None)
        if found is not None:
            yield found
