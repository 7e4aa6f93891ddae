# SPDX-License-Identifier: GPL-2.0-or-later
"""A walk of the headers as one architecture's compiler would include them.

The walk starts at source files, follows every live `#include` in order, and keeps one table of
macros as it goes: include guards, `#define set_ptes set_ptes` overrides and headers of other
MMUs of the same directory (sparc's pgtable_32.h, powerpc's nohash) are then settled by the text
itself, and not by rules about names.

Where a header is looked for follows LINUXINCLUDE and USERINCLUDE (Makefile); `asm/` headers that
an architecture lacks come from asm-generic (scripts/Makefile.asm-headers: generic-y, mandatory-y).

Limits: all source files share one table, so that a header sees the macros of headers that
another file included before; what a .c file itself defines stays in that file, and is not seen
by the headers it includes. Generated headers do not exist in a plain tree and are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from posixpath import dirname, normpath
from typing import Final

from lazymmu.kernelc import cpp
from lazymmu.kernelc.cpp import Directive, Macros, Options, Selection
from lazymmu.kernelc.profile import Profile
from lazymmu.kernelc.tree import Tree

__all__ = ["FORCED", "Headers", "walk"]

FORCED: Final = ("include/linux/kconfig.h", "include/linux/compiler_types.h")
"""What every compilation includes before its first line (Makefile: USERINCLUDE, LINUXINCLUDE)."""

_SPEC: Final = re.compile(r'\s*(?:<([^>\n]+)>|"([^"\n]+)")')
_WORD: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*\Z")
_DEPTH: Final = 180


class Headers:
    """What a walk saw: the headers in order, the final macros, and what of each text is live."""

    def __init__(self, tree: Tree, profile: Profile, macros: Macros) -> None:
        """Make an empty result for `tree` as `profile` sees it; `walk` fills it."""
        self.tree = tree
        self.profile = profile
        self.macros = macros
        self.selections: dict[str, Selection] = {}
        self.includes: dict[str, dict[str, None]] = {}
        self.missing: dict[str, str] = {}
        self._known: dict[str, bool] = {}
        self._resolved: dict[str, str | None] = {}
        self._sources: dict[str, Selection] = {}
        self._depth = 0

    @property
    def files(self) -> tuple[str, ...]:
        """The headers that were visited, in the order of their first visit."""
        return tuple(self.selections)

    def resolve(self, includer: str, argument: str) -> str | None:
        """Return the file that `#include argument` in the file `includer` means, None if absent."""
        match = _SPEC.match(argument)
        if match is None:
            word = _WORD.match(cpp.plain(argument))
            macro = self.macros.get(word[1]) if word is not None else None
            match = _SPEC.match(macro.value) if macro is not None else None
            if match is None:
                return None
        if match[2] is not None:
            rel = normpath(f"{dirname(includer)}/{match[2]}")
            if self._has(rel):
                return rel
        spec = match[1] or match[2]
        if spec not in self._resolved:
            self._resolved[spec] = self._search(spec)
        return self._resolved[spec]

    def _search(self, spec: str) -> str | None:
        arch = f"arch/{self.profile.arch_dir}/include"
        places = [f"{arch}/{spec}", f"include/{spec}", f"{arch}/uapi/{spec}"]
        if spec.startswith(("asm/", "uapi/asm/")):
            # A wrapper of asm-generic stands in arch/*/include/generated in a built tree.
            generic = "asm-generic/" + spec.split("asm/", 1)[1]
            places += [f"include/{generic}", f"include/uapi/{generic}"]
        places.append(f"include/uapi/{spec}")
        for place in places:
            rel = normpath(place)
            if self._has(rel):
                return rel
        return None

    def _has(self, rel: str) -> bool:
        known = self._known.get(rel)
        if known is None:
            known = self._known[rel] = self.tree.has(rel)
        return known

    def visit(self, includer: str, argument: str) -> None:
        """Follow one live `#include argument` of the file `includer`."""
        rel = self.resolve(includer, argument)
        if rel is None:
            self.missing.setdefault(cpp.plain(argument), includer)
            return
        self.includes.setdefault(includer, {})[rel] = None
        self.enter(rel)

    def enter(self, rel: str) -> None:
        """Read the header `rel` at this point of the walk, unless its guard says it is done."""
        earlier = self.selections.get(rel)
        if earlier is not None and self._guarded(rel):
            return
        if self._depth > _DEPTH:
            return
        directives = self._directives(rel)
        if earlier is None:
            self.selections[rel] = Selection()
        self._depth += 1
        found = cpp.interpret(
            directives,
            self.macros,
            self._lengths[rel],
            file=rel,
            include=lambda argument: self.visit(rel, argument),
        )
        self._depth -= 1
        self.selections[rel] = found if earlier is None else earlier.merged(found)

    def selection(self, rel: str) -> Selection:
        """Return what of the file `rel` is compiled: of a header as the walk found it, of any
        other file with the walk's final macros and its own."""
        known = self.selections.get(rel) or self._sources.get(rel)
        if known is None:
            text = self.tree.read(rel)
            known = cpp.interpret(
                cpp.scan(text.decode("latin-1")), Macros(base=self.macros), len(text), file=rel
            )
            self._sources[rel] = known
        return known

    def live(self, rel: str) -> bytes:
        """Return the text of `rel` with its directives and what is not compiled blanked.

        Length and newlines are those of the file.
        """
        text = self.tree.read(rel)
        return cpp.apply(text, cpp.scan(text.decode("latin-1")), self.selection(rel))

    # What the walk remembers of a text while it runs.
    _scanned: dict[str, list[Directive]]
    _lengths: dict[str, int]

    def _directives(self, rel: str) -> list[Directive]:
        known = self._scanned.get(rel)
        if known is None:
            text = self.tree.read(rel)
            known = self._scanned[rel] = cpp.scan(text.decode("latin-1"))
            self._lengths[rel] = len(text)
        return known

    def _guarded(self, rel: str) -> bool:
        """Tell whether an include guard that is now defined wraps all directives of `rel`."""
        directives = self._directives(rel)
        if not directives or directives[0].kind != "ifndef":
            return False
        if directives[0].following != len(directives) - 1:
            return False
        return self.macros.defined(directives[0].argument.split()[0])[0]


def walk(tree: Tree, profile: Profile, config: Options, roots: Iterable[str]) -> Headers:
    """Walk the headers that the source files `roots` include, in the order given.

    Raises nothing: what cannot be read is in `tree.losses`, what is not there in
    `Headers.missing`.
    """
    macros = Macros(profile.builtins, config)
    headers = Headers(tree, profile, macros)
    headers._scanned = {}
    headers._lengths = {}
    for rel in FORCED:
        if tree.has(rel):
            headers.enter(rel)
    for root in roots:
        text = tree.read(root)

        def follow(argument: str, root: str = root) -> None:
            headers.visit(root, argument)

        cpp.interpret(
            cpp.scan(text.decode("latin-1")),
            macros,
            len(text),
            file=root,
            include=follow,
            defines=False,
        )
    headers._scanned = {}
    headers._lengths = {}
    return headers
