# SPDX-License-Identifier: GPL-2.0-or-later
"""Which definition a name means to the compiler and the linker, for one configured tree.

The order in which a name is looked up is theirs: the file at hand, the headers (as the walk saw
them, so that an architecture's override wins by construction), then functions with external
linkage in the files that are built. Statics of other files are no candidates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.kernelc.definition import Definition
from lazymmu.kernelc.expand.expansion import MacroText
from lazymmu.kernelc.made_functions import MadeFunctions
from lazymmu.kernelc.parse import kernel_doc, slices
from lazymmu.kernelc.preprocess.headers import is_public
from lazymmu.kernelc.presence import ALWAYS, both

if TYPE_CHECKING:
    from collections.abc import Collection

    from lazymmu.kernelc.asked import Asked
    from lazymmu.kernelc.configured_tree_builder import TreeState
    from lazymmu.kernelc.parse.slices import RawDef
    from lazymmu.kernelc.source_texts import SourceTexts

__all__ = ["NameLookup"]


class NameLookup:
    """Finds definitions of names; a file is sliced when one of its names is asked for."""

    def __init__(self, state: TreeState, texts: SourceTexts, asked: Asked) -> None:
        """Look up names that `state` has indexed, in `texts`; `asked` is told which."""
        self._state = state
        self._asked = asked
        self._headers = state.headers
        self._built = state.built
        self._texts = texts
        self._parsed: dict[str, dict[str, list[RawDef]]] = {}
        self._together: dict[str, tuple[str, ...]] = {}
        self._made: dict[tuple[str, int], Definition] = {}
        self._local: dict[str, frozenset[bytes]] = {}
        self._macros: dict[tuple[bytes, str], MacroText | None] = {}
        self._header_macros: dict[tuple[str, int], MacroText | None] = {}
        self.made = MadeFunctions(state, texts, self.macro_text, asked)

    def definitions(
        self, name: str, near: str | None, expanding: frozenset[str]
    ) -> tuple[Definition, ...]:
        """Return what `name` may mean (see ConfiguredTree.definitions)."""
        self._asked.names.add(name)
        return self._written(name, near, expanding) or self.making(name, near)

    def making(
        self, name: str, near: str | None, *, headers: bool = False
    ) -> tuple[Definition, ...]:
        """Return what macros make under a name in a file, or in the headers too."""
        files = (near, *self._compiled_with(near)) if near else ()
        if not headers:
            files = tuple(file for file in files if file.endswith(".c"))
        return tuple(self.made.definitions(name, files, headers=headers))

    def _written(
        self, name: str, near: str | None, expanding: frozenset[str]
    ) -> tuple[Definition, ...]:
        """Return the definitions of a name that a file has in its own words."""
        functions_only = name in expanding
        if near:
            for rel in (near, *self._compiled_with(near)):
                found = self._in_file(name, rel, functions_only)
                if found:
                    return tuple(found)
        if not functions_only:
            macro = self._macro(name, near)
            if macro is not None:
                return (macro,)
        inline: list[Definition] = []
        external: list[Definition] = []
        for rel in self._state.functions.get(name, ()):
            if rel not in self._built and self._sees(near, rel):
                inline += self._in_file(name, rel, True)
            else:
                # A few headers define functions with external linkage, for the one file that
                # includes them (kernel/rcu/tree_exp.h).
                external += [item for item in self._in_file(name, rel, True) if not item.static]
        if len(external) > 1:
            external = self._together_with(near, external)
        return tuple(inline) if inline else self._strong(external)

    def may_be_macro(self, word: bytes) -> bool:
        """Tell whether a word is a macro in any file that does not define it itself."""
        name = word.decode("latin-1")
        return self._headers.macros.where(name) is not None or name in self._headers.overrides

    def is_everywhere(self, word: bytes) -> bool:
        """Tell whether a word means the same in every file that defines no macro of that name."""
        name = word.decode("latin-1")
        if name in self._headers.overrides:
            return False
        place = self._headers.macros.where(name)
        return place is None or is_public(place[0])

    def local_macros(self, near: str) -> frozenset[bytes]:
        """Return the names of the macros that a file defines itself."""
        known = self._local.get(near)
        if known is None:
            known = self._local[near] = frozenset(
                name.encode("latin-1")
                for name, raws in self._file(near).items()
                if any(raw.kind != "function" for raw in raws)
            )
        return known

    def macro(self, word: str, near: str) -> Definition | None:
        """Return the macro that a word means in a file, None when it means none."""
        self._asked.names.add(word)
        here = self._in_file(word, near, False)
        found = here[0] if here else self._macro(word, near)
        return found if found is not None and found.kind != "function" else None

    def macro_text(self, word: bytes, near: str) -> MacroText | None:
        """Return the same as its `#define` has it."""
        key = (word, near)
        if key not in self._macros:
            self._macros[key] = self._macro_text(word.decode("latin-1"), near)
        return self._macros[key]

    def _macro_text(self, word: str, near: str) -> MacroText | None:
        if word in self._headers.overrides or word.encode("latin-1") in self.local_macros(near):
            macro = self.macro(word, near)
            if macro is None:
                return None
            text = self._texts.raw(macro.file)[macro.body : macro.end]
            params = macro.params if macro.kind == "macro" else None
            return MacroText.of(macro.name, params, text, (macro.file, macro.start))
        # Of a header, the one line is read that matters.
        place = self._headers.macros.where(word)
        if place is None or place[1] < 0 or not self._sees(near, place[0]):
            return None
        if place not in self._header_macros:
            self._header_macros[place] = self._of_header(word, place)
        return self._header_macros[place]

    def _of_header(self, word: str, place: tuple[str, int]) -> MacroText | None:
        raw = slices.macro_at(self._texts.raw(place[0]), place[1])
        if raw is None or raw.name != word:
            return None
        text = self._texts.raw(place[0])[raw.body : raw.end]
        params = raw.params if raw.kind == "macro" else None
        return MacroText.of(word, params, text, (place[0], raw.start))

    def _together_with(self, near: str | None, found: list[Definition]) -> list[Definition]:
        """Leave out what another member of a choice builds than the file at hand, or the default.

        One program has one of them; a caller that rests on no member means the default's.
        """
        mine = self._built.get(near, ALWAYS) if near else ALWAYS
        fitting = [
            item
            for item in found
            if not self._state.config.excludes(both(mine, self._built.get(item.file, ALWAYS)))
        ]
        usual = [item for item in fitting if item.file not in self._headers.assumed]
        return usual or fitting or found

    def _compiled_with(self, rel: str) -> tuple[str, ...]:
        """Return the other .c files that one compilation has in common with the file `rel`."""
        known = self._together.get(rel)
        if known is None:
            others = self._headers.inclusions.sources(rel)
            known = self._together[rel] = tuple(sorted(others))
        return known

    def _strong(self, found: list[Definition]) -> tuple[Definition, ...]:
        """Leave out weak definitions where there is another, as the linker does."""
        if len(found) < 2:
            return tuple(found)
        strong = [
            item
            for item in found
            if b"__weak" not in self._texts.raw(item.file)[item.start : item.body]
        ]
        return tuple(strong or found)

    def definition(self, rel: str, raw: RawDef) -> Definition:
        """Return a definition of the file `rel` as slices.py found it, compiled or not."""
        known = self._made.get((rel, raw.start))
        if known is None:
            known = self._made[rel, raw.start] = self._make(rel, raw)
        return known

    def raw(self, definition: Definition) -> RawDef | None:
        """Return a definition as slices.py found it, None when its file no longer has it."""
        self._asked.names.add(definition.name)
        for raw in self._file(definition.file).get(definition.name, ()):
            if raw.start == definition.start:
                return raw
        return None

    def compiled(self, rel: str, kind: str) -> tuple[Definition, ...]:
        """Return the definitions of a kind that are compiled of the file `rel`, in its order."""
        selection = self._headers.selection(rel)
        return tuple(
            self.definition(rel, raw)
            for raw in self.of_file(rel)
            if raw.kind == kind and selection.is_compiled(raw.start)
        )

    @property
    def read(self) -> Collection[str]:
        """The files whose definitions were looked at."""
        return self._parsed.keys()

    def of_file(self, rel: str) -> list[RawDef]:
        """Return all definitions of a file, compiled or not, in its order."""
        raws = [raw for found in self._file(rel).values() for raw in found]
        return sorted(raws, key=lambda raw: raw.start)

    def _file(self, rel: str) -> dict[str, list[RawDef]]:
        """Return the definitions of a file by name, those in dead branches among them."""
        known = self._parsed.get(rel)
        if known is None:
            known = self._parsed[rel] = {}
            self._texts.conflicts(rel)
            for raw in slices.definitions(self._texts.raw(rel)):
                known.setdefault(raw.name, []).append(raw)
        return known

    def _in_file(self, name: str, rel: str, functions_only: bool) -> list[Definition]:
        raws = self._file(rel).get(name)
        if not raws:
            return []
        selection = self._headers.selection(rel)
        return [
            self.definition(rel, raw)
            for raw in raws
            if selection.is_compiled(raw.start)
            and (raw.kind == "function" or not functions_only)
            and not self._is_alias(rel, raw)
        ]

    def _is_alias(self, rel: str, raw: RawDef) -> bool:
        """Tell whether a macro only names itself (`#define set_ptes set_ptes`)."""
        if raw.kind != "object":
            return False
        return self._texts.raw(rel)[raw.body : raw.end].strip() in (b"", raw.name.encode())

    def _macro(self, name: str, near: str | None) -> Definition | None:
        """Return the macro that `name` is in the file `near` after all its headers."""
        place = self._headers.macros.where(name)
        for changer, change in self._headers.overrides.get(name, {}).items():
            if near and self._sees(near, changer):
                place = change
        if place is None or place[1] < 0 or not self._sees(near, place[0]):
            return None
        for raw in self._file(place[0]).get(name, ()):
            if raw.kind != "function" and raw.start <= place[1] < raw.end:
                return None if self._is_alias(place[0], raw) else self.definition(place[0], raw)
        return None

    def _make(self, rel: str, raw: RawDef) -> Definition:
        text = self._texts.raw(rel)
        first = raw.start if raw.kind == "function" else raw.body
        return Definition(
            name=raw.name,
            kind=raw.kind,
            file=rel,
            line=raw.line,
            first_line=self._texts.line(rel, first),
            start=raw.start,
            end=raw.end,
            body=raw.body,
            static=raw.static,
            inline=raw.inline,
            params=raw.params,
            presence=both(
                self._built.get(rel, ALWAYS), self._headers.selection(rel).presence(raw.start)
            ),
            context=kernel_doc.doc_context(text, raw) if raw.kind != "object" else "",
        )

    def _sees(self, near: str | None, header: str) -> bool:
        """Tell whether code in `near` may see a header: local ones are those it includes."""
        return not near or is_public(header) or self._headers.inclusions.has(near, header)
