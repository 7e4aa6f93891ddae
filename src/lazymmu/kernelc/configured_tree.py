# SPDX-License-Identifier: GPL-2.0-or-later
"""What one architecture's profile sees of a tree: which definition a name means, and its text.

What is seen is computed by configured_tree_builder.py, or was kept (kept_trees.py).
Names are looked up by name_lookup.py, tables of functions by function_tables.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.garbage_collection import no_collection
from lazymmu.kernelc import kept_trees
from lazymmu.kernelc.asked import Asked
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.configured_tree_builder import directories
from lazymmu.kernelc.definition import Definition, TextOrigin
from lazymmu.kernelc.expand.leaving import NO_MARKS, Marks
from lazymmu.kernelc.file_parts import FileParts
from lazymmu.kernelc.function_tables import FunctionTables
from lazymmu.kernelc.macro_words import MacroWords
from lazymmu.kernelc.name_lookup import NameLookup
from lazymmu.kernelc.parse import masks
from lazymmu.kernelc.source_texts import SourceTexts
from lazymmu.kernelc.tree_index import Store, TreeIndex
from lazymmu.kernelc.woven_macros import Woven, WovenMacros
from lazymmu.snapshot.conflict_markers import CONFLICT, touches
from lazymmu.snapshot.dependencies import DependencyTracker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lazymmu.kernelc.arch_profile import Profile
    from lazymmu.kernelc.config.kconfig import Config
    from lazymmu.kernelc.config.unbuilt import Unbuilt
    from lazymmu.kernelc.parse.item_handlers import ItemHandler
    from lazymmu.kernelc.parse.ops_tables import Initialiser
    from lazymmu.kernelc.parse.slices import RawDef
    from lazymmu.kernelc.presence import PresenceCondition
    from lazymmu.snapshot.tree import Tree

__all__ = ["ConfiguredTree", "Definition"]


class ConfiguredTree:
    """What `profile` sees of `tree` under `config`.

    built: the .c files that are indexed, each with its presence condition; headers: the walk;
    loops: names of loop macros.
    """

    def __init__(
        self,
        tree: Tree,
        profile: Profile,
        config: Config | None = None,
        *,
        extra: Iterable[str] = (),
        library: TreeIndex | None = None,
        jobs: int = 1,
        cache: Store | None = None,
        marks: Marks = NO_MARKS,
    ) -> None:
        """Walk the headers and index the names of the core, and of the directories of `extra`.

        Without `config` the tree's Kconfig is solved for the profile. `library` shares what
        does not depend on the profile between configurations of one tree; without it, `jobs`
        processes may work at once, and `cache` keeps what is found. `marks` are the words of what
        is followed, which decide what macros are part of their users.
        """
        self.profile = profile
        self.library = library if library is not None else TreeIndex(tree, jobs=jobs, cache=cache)
        self.tree = DependencyTracker(tree, self.library.ids)
        """Whose files are read here is held to rest on all of them."""
        self.sources = DependencyTracker(tree, self.library.ids)
        """Whose files are read here remembers what of them counts (see `asked`)."""
        within = directories(profile, extra)
        with no_collection():
            state = kept_trees.state(self.library, profile, config, within)
        self.config, self.headers, self.loops = state.config, state.headers, state.loops
        self.built: Mapping[str, PresenceCondition] = state.built
        self.headers.tree = self.sources
        for rel, presence in self.built.items():
            if presence and (instead := self.config.instead(presence)):
                self.headers.assumed[rel] = instead
        self._kbuild: Kbuild | None = None
        self.identity = state.identity
        """Names what was walked, and how; "" where nothing is kept."""
        self.machine, self.walk = state.machine, state.walk
        """Name for what machine that was, and the walk among what is kept."""
        self.asked = Asked()
        self._texts = SourceTexts(self.sources, self.headers)
        self._names = NameLookup(state, self._texts, self.asked)
        self.index = {
            "names": state.functions, "fields": state.fields,
            "structs": state.structs, "given": state.given,
        }  # fmt: skip
        """Which files have a name, by what `asked` has of each kind."""
        self._tables = FunctionTables(state, self._texts, self.asked, self.tree.read)
        self._woven = WovenMacros(self._names, marks)
        self._last: tuple[Definition, Woven | None] | None = None

    def presence(self, rel: str) -> PresenceCondition | None:
        """Return the presence condition of the .c file `rel`; None: it is not built."""
        if rel in self.built:
            return self.built[rel]
        return self._makefiles().presence(rel)

    def why(self, rel: str) -> Unbuilt | None:
        """Return why the .c file `rel` is not built; None when it is (see Kbuild.why)."""
        return None if rel in self.built else self._makefiles().why(rel)

    def why_not_built(self, rel: str) -> str:
        """Return in a few words why the .c file `rel` is not among `sources`, "" when it is."""
        if rel in self.built:
            return ""
        why = self.why(rel)
        return f"not built: {why}" if why is not None else "built, and not looked at"

    def _makefiles(self) -> Kbuild:
        if self._kbuild is None:
            self._kbuild = Kbuild(self.tree, self.config, self.profile)
        return self._kbuild

    def definition(self, rel: str, raw: RawDef) -> Definition:
        """Return a definition of the file `rel` as slices.py found it, compiled or not."""
        self.asked.names.add(raw.name)
        return self._names.definition(rel, raw)

    def definitions(
        self, name: str, near: str | None = None, *, expanding: frozenset[str] = frozenset()
    ) -> tuple[Definition, ...]:
        """Return what `name` may mean in the file `near`, the likeliest first.

        Without `near`, headers of any directory are candidates. Names in `expanding` are macros
        whose text is being looked at: C does not replace them again inside of it, so that they
        mean functions.
        """
        return self._names.definitions(name, near, expanding)

    def parts(self) -> FileParts:
        """Return what of each file was looked at, and what that is told by."""
        return FileParts(self.asked, self._texts, self.headers, self._names, self._tables)

    def macro_words(self, files: Iterable[str]) -> MacroWords:
        """Return the words of macros: of the headers, and of those of `files` that are .c files."""
        return MacroWords(self.headers, self._texts, files)

    def defined(self, rel: str) -> Iterator[Definition]:
        """Yield the definitions that are compiled of the file `rel`, functions first.

        Unlike `functions` and its like this is not held to rest on all of them: who asks does so
        for some, and remembers which (see `Asked.check`).
        """
        selection = self.headers.selection(rel)
        raws = [raw for raw in self._names.of_file(rel) if selection.is_compiled(raw.start)]
        for kind in ("function", "macro", "object"):
            yield from (self._names.definition(rel, raw) for raw in raws if raw.kind == kind)

    def raw_definitions(self, rel: str) -> list[RawDef]:
        """Return the definitions of the file `rel` as slices.py found them, compiled or not."""
        return self._names.of_file(rel)

    def functions(self, rel: str) -> tuple[Definition, ...]:
        """Return the functions that are compiled of the file `rel`, in its order."""
        return self._listed(rel, "function")

    def objects(self, rel: str) -> tuple[Definition, ...]:
        """Return the object-like macros that the file `rel` defines where it is compiled."""
        return self._listed(rel, "object")

    def macros(self, rel: str) -> tuple[Definition, ...]:
        """Return the function-like macros that the file `rel` defines where it is compiled."""
        return self._listed(rel, "macro")

    def _listed(self, rel: str, kind: str) -> tuple[Definition, ...]:
        found = self._names.compiled(rel, kind)
        self.asked.listed.add(rel)
        self.asked.names.update(item.name for item in found)
        return found

    def woven(self, rel: str, word: bytes) -> tuple[Definition, ...]:
        """Return the macros of a file that are part of who uses them and whose text has a word."""
        # Macros are directives, and what tells a file has all of those.
        names = self._names
        macros = (*names.compiled(rel, "macro"), *names.compiled(rel, "object"))
        return tuple(
            d for d in macros if self.has(d, word) and self._woven.is_woven(d.name.encode(), rel)
        )

    def is_woven(self, definition: Definition) -> bool:
        """Tell whether a definition is a macro that is part of who uses it."""
        word = definition.name.encode()
        return definition.kind != "function" and self._woven.is_woven(word, definition.file)

    def has(self, definition: Definition, word: bytes) -> bool:
        """Tell whether the source of a definition has a word, be it in a comment."""
        self.asked.names.add(definition.name)
        text = self._texts.raw(definition.file)
        return text.find(word, definition.start, definition.end) >= 0

    def text(self, definition: Definition) -> bytes:
        """Return the definition's text, ready for the parser.

        A function's text is that from `start` to `end`, with the length and newlines of the
        file; a macro's is its replacement text, from `body` on.
        """
        self.asked.names.add(definition.name)
        rel = definition.file
        if definition.kind == "function":
            woven = self._woven_text(definition)
            if woven is not None:
                return masks.mask(woven.text, self.loops)
            return masks.mask(self._texts.cut(rel, definition.start, definition.end), self.loops)
        raw = self._names.raw(definition)
        if raw is None:
            return b""
        return masks.mask(masks.macro_body(self._texts.raw(rel), raw), self.loops)

    def source(self, definition: Definition) -> TextOrigin | None:
        """Return where the text of a definition comes from; None where it is that of the file."""
        woven = self._woven_text(definition) if definition.kind == "function" else None
        if woven is None:
            return None
        at = 0 if definition.made else definition.start
        file, origins = definition.file, woven.origins
        return TextOrigin(
            lambda offset: self._texts.place(file, at + origins.of(offset)),
            tuple((macro.file, macro.first_line, macro.name) for macro in woven.macros),
        )

    def _woven_text(self, definition: Definition) -> Woven | None:
        """The text of a function that is not as the file has it; that asked for last is kept."""
        if self._last is None or self._last[0] is not definition:
            if definition.made:
                woven: Woven | None = Woven(*self._names.made.text(definition), ())
            else:
                text = self._texts.cut(definition.file, definition.start, definition.end)
                woven = self._woven.text(definition, text)
            self._last = (definition, woven)
        return self._last[1]

    def making(self, name: str, near: str) -> tuple[Definition, ...]:
        """Return the functions of a name that macros make for the file `near`.

        `definitions` knows those that its own uses make, and not those that its headers' do:
        there are thousands of them, of which few matter.
        """
        return self._names.making(name, near, headers=True)

    def made(self, rel: str, *words: bytes) -> tuple[Definition, ...]:
        """Return the functions that macros make in a file where their use has one of `words`."""
        return tuple(self._names.made.naming(rel, *words))

    def made_by(self, makers: Iterable[str]) -> tuple[Definition, ...]:
        """Return the functions that some macros make wherever they are used, also by others."""
        found: dict[Definition, None] = {}
        words = [maker.encode() for maker in makers]
        for word in words:
            for rel in self.having(word.decode("latin-1")):
                found.update(dict.fromkeys(self.made(rel, word)))
                macros = self._names.compiled(rel, "macro")
                using = (d.name.encode() for d in macros if self.has(d, word))
                words += [name for name in using if name not in words]
        return tuple(found)

    def makes(self, definition: Definition) -> bool:
        """Tell whether a macro comes to functions, where it is used at file level."""
        return self._names.made.is_maker(definition)

    @property
    def unmade(self) -> Mapping[tuple[str, int, str], str]:
        """The uses of macros that may make functions and do not, by place and name, and why."""
        return self._names.made.lost

    def made_at(self, rel: str, offset: int) -> tuple[Definition, ...]:
        """Return the functions that the macro makes whose use is around an offset of a file."""
        return self._names.made.at(rel, offset)

    def unreadable(self, definition: Definition) -> str:
        """Return why a definition is not to be read, "" when it is."""
        self.asked.names.add(definition.name)
        spans = self._texts.conflicts(definition.file)
        if touches(spans, definition.start, definition.end):
            return CONFLICT
        if definition.kind == "function":
            self._woven_text(definition)
        return self._woven.lost.get((definition.file, definition.start), "")

    def macro(self, name: str) -> bytes | None:
        """Return the value of an object-like macro after the walk, None when there is none."""
        macro = self.headers.macros.get(name)
        if macro is None or macro.parameters is not None:
            return None
        return macro.value.encode("latin-1")

    def initialisers(
        self,
        struct: str = "",
        field: str = "",
        table: str = "",
        *,
        near: str = "",
        at_most: int | None = None,
    ) -> tuple[Initialiser, ...]:
        """Return what tables of functions hold (see FunctionTables.initialisers)."""
        return self._tables.initialisers(struct, field, table, near=near, at_most=at_most)

    def constant(self, name: str, file: str) -> str:
        """Return what a file gives a variable declared const (see FunctionTables.constant)."""
        return self._tables.constant(name, file)

    def constants(self, file: str) -> Mapping[str, str]:
        """Return all that a file gives variables declared const (see FunctionTables.constants)."""
        return self._tables.constants(file)

    def array(self, name: str, file: str) -> tuple[str, ...]:
        """Return the names that an array of a file holds (see FunctionTables.array)."""
        return self._tables.array(name, file)

    def item_handlers(self, file: str) -> tuple[ItemHandler, ...]:
        """Return calls that are handed an item and a name (see FunctionTables.item_handlers)."""
        return self._tables.item_handlers(file)

    def having(self, word: str) -> tuple[str, ...]:
        """Return the files that are built, and the headers, that have a word."""
        plain, every = word.encode("latin-1"), (*self.built, *self.headers.files)
        found = tuple(rel for rel in every if plain in self.sources.read(rel))
        self.asked.searched[word] = frozenset(found)
        return found

    def has_table(self, name: str, file: str) -> bool:
        """Return whether a .c file has a table of that name (see FunctionTables.has_table)."""
        return self._tables.has_table(name, file)

    def held(self, path: str) -> tuple[Initialiser, ...]:
        """Return what the field `path` of tables holds: `pv_ops.mmu.lazy_mode.enter`.

        The table's name may be missing from the path. Tables that are copied whole, to a table
        or to a part of one, count with what they hold there themselves, however deep.
        """
        return self._tables.held(path)
