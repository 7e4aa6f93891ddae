# SPDX-License-Identifier: GPL-2.0-or-later
"""A walk of the headers as one architecture's compiler would include them.

The walk starts at source files, follows every live `#include` in order, and keeps one table of
macros as it goes: include guards, `#define set_ptes set_ptes` overrides and headers of other
MMUs of the same directory (sparc's pgtable_32.h, powerpc's nohash) are then settled by the text
itself, and not by rules about names.

Where a header is looked for follows LINUXINCLUDE and USERINCLUDE (Makefile); `asm/` headers that
an architecture lacks come from asm-generic (scripts/Makefile.asm-headers: generic-y, mandatory-y).

Limits: all source files share one table, so that a header sees the macros of headers that
another file included before. What a .c file itself defines stays in that file, and is not seen
by the headers it includes; what a header outside the include directories changes of what others
defined is taken back at the end of the source file that included it. Generated headers do not
exist in a plain tree and are skipped.
"""

from __future__ import annotations

import re
from functools import partial
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.preprocess.directives import macro_text, plain, scan
from lazymmu.kernelc.preprocess.inclusions import Inclusions
from lazymmu.kernelc.preprocess.macros import Macros, Options, Scoped
from lazymmu.kernelc.preprocess.selection import Selection, interpret
from lazymmu.kernelc.preprocess.texts import Texts
from lazymmu.kernelc.presence import ALWAYS
from lazymmu.snapshot.beneath import OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from lazymmu.kernelc.arch_profile import Profile
    from lazymmu.snapshot.tree import Tree

__all__ = ["FORCED", "Headers", "is_public"]

FORCED: Final = ("include/linux/kconfig.h", "include/linux/compiler_types.h")
"""What every compilation includes before its first line (Makefile: USERINCLUDE, LINUXINCLUDE)."""

_SPEC: Final = re.compile(r'\s*(?:<([^>\n]+)>|"([^"\n]+)")')
_WORD: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*\Z")
_DEPTH: Final = 150
"""How deep headers may include each other: GCC's limit is 200."""

_EACH: Final = 1_000_000
"""Directives that are carried out of one header, however often it is read."""

_ALL: Final = 20_000_000
"""Directives that are carried out in all headers together; in 7.3 they are 190,000."""

_TIMES: Final = 1000
"""How often a header without a guard is read: no header of a kernel comes near."""


def is_public(rel: str) -> bool:
    """Tell whether a header stands where every file may include it from."""
    return rel.startswith("include/") or (rel.startswith("arch/") and "/include/" in rel)


def _leads_out(includer: str, argument: str) -> bool:
    """Tell whether the argument of an include is a path out of the tree."""
    match = _SPEC.match(argument)
    spec = (match[1] or match[2]) if match is not None else ""
    return normpath(join(dirname(includer), spec)).startswith(("/", "../"))


class Headers:
    """What a walk saw: the headers in order, the final macros, and what of each text is live.

    selections: by header; includes: by file, what it includes, as resolved; missing: arguments
    of includes that name no file of the tree, each with the first file that has it; overrides:
    by macro, the local headers that change it, with the file and offset where it is defined after
    that (-1: nowhere); assumed: by source file, the symbols that are otherwise there than the walk
    had them, on or off; inclusions: by file, what is compiled with it.
    """

    def __init__(
        self,
        tree: Tree,
        profile: Profile,
        config: Options | None = None,
    ) -> None:
        """Make an empty result for `tree` as `profile` sees it; `walk` fills it."""
        self.tree = tree
        self.profile = profile
        self.texts = Texts(tree)
        self.macros = Scoped(profile.builtins, config, self._macro_text)
        self.selections: dict[str, Selection] = {}
        self.includes: dict[str, dict[str, None]] = {}
        self.missing: dict[str, str] = {}
        self.overrides: dict[str, dict[str, tuple[str, int]]] = {}
        self.assumed: dict[str, dict[str, bool]] = {}
        self._extra: tuple[str, ...] = ()
        self._known: dict[str, bool] = {}
        self._angled: dict[str, str | None] = {}
        self._sources: dict[str, Selection] = {}
        self.inclusions = Inclusions(self.includes)
        self._depth = 0
        self._left = _ALL
        self._times: dict[str, int] = {}

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were included, in the order of their first visit."""
        return tuple(self.selections)

    def resolve(self, includer: str, argument: str) -> str | None:
        """Return the file that `#include argument` in the file `includer` means, None if absent."""
        if argument in self._angled:
            return self._angled[argument]
        match = _SPEC.match(argument)
        if match is None:
            word = _WORD.match(plain(argument))
            macro = self.macros.get(word[1]) if word is not None else None
            match = _SPEC.match(macro.value) if macro is not None else None
            if match is None:
                return None
        if match[2] is not None:
            rel = normpath(f"{dirname(includer)}/{match[2]}")
            if self._has(rel):
                return rel
            return self._local(match[2]) or self._search(match[2])
        found = self._search(match[1])
        if found is not None or not self._extra:
            self._angled[argument] = found
            return found
        return self._local(match[1])

    def _local(self, spec: str) -> str | None:
        """Look where the Makefiles of the source file at hand say."""
        for directory in self._extra:
            rel = normpath(f"{directory}/{spec}")
            if self._has(rel):
                return rel
        return None

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
            inside = not rel.startswith(("/", ".."))
            known = self._known[rel] = inside and self.tree.has(rel)
        return known

    def visit(self, includer: str, argument: str) -> None:
        """Follow one live `#include argument` of the file `includer`."""
        rel = self.resolve(includer, argument)
        if rel is None:
            spec = plain(argument)
            self.missing.setdefault(spec, includer)
            if _leads_out(includer, spec):
                self.tree.lose(includer, f"`#include {spec:.80}` {OUT}")
            return
        known = self.includes.get(includer)
        if known is None:
            known = self.includes[includer] = {}
        known[rel] = None
        self.enter(rel)

    def enter(self, rel: str) -> None:
        """Read the header `rel` at this point of the walk, unless its guard says it is done."""
        text = self.texts.get(rel)
        earlier = self.selections.get(rel)
        if earlier is not None and text.guard and self.macros.defined(text.guard)[0]:
            return
        times = self._times[rel] = self._times.get(rel, 0) + 1
        size = 1 + len(text.directives)
        often = times > 1 and (times > _TIMES or times * size > _EACH)
        if self._depth > _DEPTH or often or self._left < 0:
            self.tree.lose(rel, "headers include each other in a circle")
            return
        self._left -= size
        if earlier is None:
            self.selections[rel] = Selection()
        self._depth += 1
        outer, self.macros.local = self.macros.local, "" if is_public(rel) else rel
        found = interpret(
            text.directives,
            text.following,
            self.macros,
            text.length,
            file=rel,
            include=partial(self.visit, rel),
            # A .c file that another includes is a source file all the same.
            defines=not rel.endswith(".c"),
        )
        self.macros.local = outer
        self._depth -= 1
        self._judge(self.macros, rel)
        self.selections[rel] = found if earlier is None else earlier.merged(found)

    def scan_ahead(self, roots: Iterable[str]) -> None:
        """Scan all that the source files `roots` may include, whatever their conditions say.

        This needs no configuration, and leaves little for `walk` to read.
        """
        work = [rel for rel in FORCED if self._has(rel)]
        work += roots
        seen = set(work)
        while work:
            includer = work.pop()
            for kind, _, _, word, rest in self.texts.get(includer).directives:
                if kind == "include" and rest and not word:
                    rel = self.resolve(includer, rest)
                    if rel is not None and rel not in seen:
                        seen.add(rel)
                        work.append(rel)
        # What was not found may be, once a Makefile's own directories count.
        self._angled = {key: rel for key, rel in self._angled.items() if rel is not None}

    def walk(
        self,
        config: Options,
        roots: Iterable[str],
        search: Callable[[str], tuple[str, ...]] | None = None,
    ) -> None:
        """Walk under `config` from the source files `roots`, in the order given.

        :param search: further directories in which a given source file's includes are looked for.
        """
        self.macros.options = config
        for rel in FORCED:
            if self._has(rel):
                self.enter(rel)
        for root in roots:
            text = self.texts.get(root)
            self._extra = search(root) if search is not None else ()
            interpret(
                text.directives,
                text.following,
                self.macros,
                text.length,
                file=root,
                include=partial(self.visit, root),
                defines=False,
            )
            self._judge(self.macros, root)
            for name, (changer, file, offset) in self.macros.restore().items():
                self.overrides.setdefault(name, {})[changer] = file, offset
        self._extra = ()

    def forget_texts(self) -> None:
        """Let go of the directives that the walk has read: nobody asks for them any more."""
        self.texts = Texts(self.tree)

    @property
    def read(self) -> Collection[str]:
        """The source files of which `selection` was asked."""
        return self._sources.keys()

    def selection(self, rel: str) -> Selection:
        """Return what of the file `rel` is compiled.

        Of a header it is what the walk found, of any other file what follows from the walk's
        final macros, those of the local headers it includes, and its own.
        """
        known = self.selections.get(rel)
        if known is None or rel.endswith(".c"):
            known = self._sources.get(rel)
        if known is None:
            text = self.tree.read(rel)
            directives, following = scan(text.decode("latin-1"))
            table = self.table(rel)
            known = interpret(directives, following, table, len(text), file=rel)
            self._judge(table, rel)
            self._sources[rel] = known
        return known

    def _judge(self, macros: Macros, rel: str) -> None:
        """Note that the file `rel` has a condition that is too much to be evaluated."""
        if macros.beyond:
            self.tree.lose(rel, "a condition of #if that is too much to be evaluated")
            macros.beyond = False

    def table(self, rel: str) -> Macros:
        """Return the macros with which the source file `rel` is read, to be changed at will."""
        macros = Macros(base=self.macros, load=self._macro_text)
        for symbol, on in self.assumed.get(rel, {}).items():
            if on:
                macros.define(f"CONFIG_{symbol}", " 1", "", -1, ALWAYS)
            else:
                macros.undefine(f"CONFIG_{symbol}")
        if self.overrides:
            for name, changes in self.overrides.items():
                for changer, (file, offset) in changes.items():
                    if self.inclusions.has(rel, changer):
                        if offset < 0:
                            macros.undefine(name)
                        else:
                            macros.define(name, None, file, offset, ALWAYS)
        return macros

    def _macro_text(self, rel: str, start: int) -> str:
        """Return the text behind the name of the `#define` at offset `start` of a file."""
        if not rel or start < 0:
            return ""
        return macro_text(self.tree.read(rel).decode("latin-1"), start)
