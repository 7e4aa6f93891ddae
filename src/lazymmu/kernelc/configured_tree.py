# SPDX-License-Identifier: GPL-2.0-or-later
"""What one profile sees of a tree: which definition a name means, and its text for the parser.

The order in which a name is looked up is the compiler's and the linker's: the file at hand, the
headers (as the walk saw them, so that an architecture's override wins by construction), then
functions with external linkage in the files that are built. Statics of other files are no
candidates.

Only names are indexed (see names.py); a file is read again when one of its definitions is asked
for, and its text is not kept for long.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname
from typing import Final

from lazymmu.kernelc import configured_tree_cache
from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.kernelc.config.kconfig_model import KconfigFile
from lazymmu.kernelc.config.unbuilt import Unbuilt
from lazymmu.kernelc.garbage_collection import no_collection
from lazymmu.kernelc.parse import kernel_doc, masks, slices
from lazymmu.kernelc.parse.lexemes import blank
from lazymmu.kernelc.parse.ops_tables import Initialiser, read_initialisers
from lazymmu.kernelc.parse.slices import RawDef
from lazymmu.kernelc.preprocess.directives import scan
from lazymmu.kernelc.preprocess.headers import Headers, is_public
from lazymmu.kernelc.preprocess.line_splicing import plain_lines, whole_words
from lazymmu.kernelc.presence import ALWAYS, NEVER, PresenceCondition, both, either
from lazymmu.kernelc.tree_index import Library, Losses, Store
from lazymmu.processes import Task
from lazymmu.snapshot.conflict_markers import CONFLICT, conflicts, touches
from lazymmu.snapshot.dependencies import Recorder
from lazymmu.snapshot.tree import Stamp, Tree

__all__ = ["Definition", "View", "core_directories", "loop_macros"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One function or macro as one profile sees it.

    kind: function, macro (function-like) or object; line: of the name; first_line: of the first
    byte of the text that `View.text` returns; start, end, body: byte offsets in the file of the
    whole definition and of its brace or replacement text; params: of a macro; presence: its
    presence condition, by Makefiles and `#if`; context: the Context section of
    its kernel-doc comment.
    """

    name: str
    kind: str
    file: str
    line: int
    first_line: int
    start: int
    end: int
    body: int
    static: bool
    inline: bool
    params: tuple[str, ...]
    presence: PresenceCondition = ALWAYS
    context: str = ""


_FOR_EACH: Final = re.compile(rb"^ForEachMacros:\n((?:[ \t]+.*\n|[ \t]*#.*\n)+)", re.M)
_ITEM: Final = re.compile(rb"-[ \t]*'?(\w+)")
_KEPT: Final = 24 << 20
"""How many bytes of file texts are kept at once."""

_COPIES: Final = 4
"""How often a table is followed to one that it was copied from."""

_LARGE: Final = 200_000
"""Bytes of a file from which on the places of its lines are worth being kept."""

_AHEAD: Final = 3
"""One of so many .c files is read while another process solves Kconfig: that takes as long."""


def loop_macros(tree: Tree) -> frozenset[str]:
    """Names of the macros that head a loop, from the tree's own .clang-format."""
    match = _FOR_EACH.search(tree.read(".clang-format") if tree.has(".clang-format") else b"")
    return frozenset(name.decode() for name in _ITEM.findall(match[1])) if match else frozenset()


def core_directories(profile: Profile) -> tuple[tuple[str, bool], ...]:
    """Directories whose .c files are indexed at once, and whether those below them are too.

    The mode's callers and implementations, and what they call: everything else is reached only
    through files that the caller of View names.
    """
    return (
        ("mm", True),
        ("kernel", True),
        (f"arch/{profile.arch_dir}", True),
        ("lib", False),
        ("fs", False),
        ("fs/proc", True),
        ("block", False),
        ("drivers/xen", True),
    )


def _directories(profile: Profile, extra: Iterable[str]) -> dict[str, bool]:
    found = dict(core_directories(profile))
    for path in sorted(extra):
        found.setdefault(dirname(path), False)
    return found


def _decide(
    tree: Tree, profile: Profile, files: dict[str, KconfigFile]
) -> tuple[Config, dict[str, Stamp], Losses]:
    """Solve Kconfig; also the states of the files that it rests on, and what was lost."""
    recorder = Recorder(tree)
    before = len(tree.losses)
    config = solve(recorder, profile, files)
    recorder.note(files)
    return config, recorder.states, tree.losses[before:]


class View:
    """What `profile` sees of `tree` under `config`.

    built: the .c files that are indexed, each with its presence condition;
    headers: the walk; loops: names of loop macros.
    """

    def __init__(
        self,
        tree: Tree,
        profile: Profile,
        config: Config | None = None,
        *,
        extra: Iterable[str] = (),
        library: Library | None = None,
        jobs: int = 1,
        cache: Store | None = None,
    ) -> None:
        """Walk the headers and index the names of the core, and of the directories of `extra`.

        Without `config` the tree's Kconfig is solved for the profile. `library` shares what
        does not depend on the profile between views of one tree; without it, `jobs` processes
        may work at once, and `cache` keeps what is found.
        """
        self.tree = tree
        self.profile = profile
        self.library = library if library is not None else Library(tree, jobs=jobs, cache=cache)
        directories = _directories(profile, extra)
        self._raws: OrderedDict[str, bytes] = OrderedDict()
        self._held = 0
        self._parsed: dict[str, dict[str, list[RawDef]]] = {}
        self._together: dict[str, tuple[str, ...]] = {}
        self._made: dict[tuple[str, int], Definition] = {}
        self._blanks: dict[str, list[tuple[int, int]]] = {}
        self._tables: dict[str, tuple[Initialiser, ...]] = {}
        self._lines: tuple[str, list[int]] = ("", [])
        self._unread: dict[str, list[tuple[int, int]]] = {}
        self.config: Config
        self.headers: Headers
        self.built: Mapping[str, PresenceCondition]
        self._functions: Mapping[str, list[str]]
        self._fields: Mapping[str, list[str]]
        self._structs: Mapping[str, list[str]]
        with no_collection():
            known = configured_tree_cache.load(self.library, profile, config, directories)
            if known is None:
                known = self._build(config, directories)
        self.config, self.headers, self.built = known.config, known.headers, known.built
        self._functions, self._fields = known.functions, known.fields
        self._structs, self.loops = known.structs, known.loops
        self.headers.tree = tree
        for rel, presence in self.built.items():
            if presence and (instead := self.config.instead(presence)):
                self.headers.assumed[rel] = instead
        self._kbuild: Kbuild | None = None

    def _build(
        self, config: Config | None, directories: Mapping[str, bool]
    ) -> configured_tree_cache.State:
        library, profile = self.library, self.profile
        tree = library.recorder
        apart = config is None and library.jobs > 1
        deciding = Task(apart, _decide, self.tree, profile, library.kconfig)
        candidates = library.sources(directories.items())
        headers = Headers(tree, profile)
        if apart:
            # Meanwhile, what needs no configuration.
            headers.scan_ahead(candidates)
            library.read_names(candidates[: len(candidates) // _AHEAD])
        decided = config
        if config is None:
            config, states, losses = deciding.result()
            tree.states.update(states)
            tree.lose_also(losses)
        kbuild = Kbuild(tree, config, profile)
        built: dict[str, PresenceCondition] = {}
        for rel in candidates:
            presence = kbuild.presence(rel)
            if presence is not None:
                built[rel] = presence
        library.start_names(built)
        headers.walk(config, built, kbuild.include_directories)
        _add_included(headers, built)
        names = library.names([*headers.files, *built])
        state = configured_tree_cache.State(config, headers, built, {}, {}, {}, loop_macros(tree))
        for rel in headers.files:
            if rel not in built:
                for name in names[rel].functions:
                    state.functions.setdefault(name, []).append(rel)
        for rel in built:
            found = names[rel]
            for name in found.functions:
                state.functions.setdefault(name, []).append(rel)
            for name in found.fields:
                state.fields.setdefault(name, []).append(rel)
            for name in found.structs:
                state.structs.setdefault(name, []).append(rel)
        tree.note(candidates)
        configured_tree_cache.save(library, profile, decided, directories, state)
        return state

    def presence(self, rel: str) -> PresenceCondition | None:
        """Return the presence condition of the .c file `rel`; None: it is not built."""
        if rel in self.built:
            return self.built[rel]
        return self._makefiles().presence(rel)

    def why(self, rel: str) -> Unbuilt | None:
        """Return why the .c file `rel` is not built; None when it is (see Kbuild.why)."""
        return None if rel in self.built else self._makefiles().why(rel)

    def _makefiles(self) -> Kbuild:
        if self._kbuild is None:
            self._kbuild = Kbuild(self.tree, self.config, self.profile)
        return self._kbuild

    def why_not_built(self, rel: str) -> str:
        """Return in a few words why the .c file `rel` is not among `sources`, "" when it is."""
        if rel in self.built:
            return ""
        why = self.why(rel)
        return f"not built: {why}" if why is not None else "built, and not looked at"

    def definition(self, rel: str, raw: RawDef) -> Definition:
        """Return a definition of the file `rel` as slices.py found it, compiled or not."""
        return self._definition(rel, raw)

    def definitions(
        self, name: str, near: str | None = None, *, expanding: frozenset[str] = frozenset()
    ) -> tuple[Definition, ...]:
        """Return what `name` may mean in the file `near`, the likeliest first.

        Without `near`, headers of any directory are candidates. Names in `expanding` are macros
        whose text is being looked at: C does not replace them again inside of it, so that they
        mean functions.
        """
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
        for rel in self._functions.get(name, ()):
            if rel not in self.built and self._sees(near, rel):
                inline += self._in_file(name, rel, True)
            else:
                # A few headers define functions with external linkage, for the one file that
                # includes them (kernel/rcu/tree_exp.h).
                external += [item for item in self._in_file(name, rel, True) if not item.static]
        if len(external) > 1:
            external = self._together_with(near, external)
        return tuple(inline) if inline else self._strong(external)

    def _together_with(self, near: str | None, found: list[Definition]) -> list[Definition]:
        """Leave out what another member of a choice builds than the file at hand, or the default.

        One program has one of them; a caller that rests on no member means the default's.
        """
        mine = self.built.get(near, ALWAYS) if near else ALWAYS
        fitting = [
            item
            for item in found
            if not self.config.excludes(both(mine, self.built.get(item.file, ALWAYS)))
        ]
        usual = [item for item in fitting if item.file not in self.headers.assumed]
        return usual or fitting or found

    def _compiled_with(self, rel: str) -> tuple[str, ...]:
        """Return the other .c files that one compilation has in common with the file `rel`."""
        known = self._together.get(rel)
        if known is None:
            reached = self.headers.reached(rel)
            known = tuple(sorted(other for other in reached if other.endswith(".c")))
            known = self._together[rel] = tuple(other for other in known if other != rel)
        return known

    def _strong(self, found: list[Definition]) -> tuple[Definition, ...]:
        """Leave out weak definitions where there is another, as the linker does."""
        if len(found) < 2:
            return tuple(found)
        strong = [
            item for item in found if b"__weak" not in self._raw(item.file)[item.start : item.body]
        ]
        return tuple(strong or found)

    def functions(self, rel: str) -> tuple[Definition, ...]:
        """Return the functions that are compiled of the file `rel`, in its order."""
        return self._compiled(rel, "function")

    def macros(self, rel: str) -> tuple[Definition, ...]:
        """Return the function-like macros that the file `rel` defines where it is compiled."""
        return self._compiled(rel, "macro")

    def _compiled(self, rel: str, kind: str) -> tuple[Definition, ...]:
        raws = [raw for found in self._file(rel).values() for raw in found]
        selection = self.headers.selection(rel)
        return tuple(
            self._definition(rel, raw)
            for raw in sorted(raws, key=lambda raw: raw.start)
            if raw.kind == kind and selection.live(raw.start)
        )

    def has(self, definition: Definition, word: bytes) -> bool:
        """Tell whether the source of a definition has a word, be it in a comment."""
        return self._raw(definition.file).find(word, definition.start, definition.end) >= 0

    def text(self, definition: Definition) -> bytes:
        """Return the definition's text, ready for the parser.

        A function's text is that from `start` to `end`, with the length and newlines of the
        file; a macro's is its replacement text, from `body` on.
        """
        rel, start, end = definition.file, definition.start, definition.end
        if definition.kind == "function":
            return masks.mask(self._cut(rel, start, end), self.loops)
        for raw in self._file(rel).get(definition.name, ()):
            if raw.start == start:
                return masks.mask(masks.macro_body(self._raw(rel), raw), self.loops)
        return b""

    def unreadable(self, definition: Definition) -> str:
        """Return why a definition is not to be read, "" when it is."""
        spans = self._conflicts(definition.file)
        return CONFLICT if touches(spans, definition.start, definition.end) else ""

    def macro(self, name: str) -> bytes | None:
        """Return the value of an object-like macro after the walk, None when there is none."""
        macro = self.headers.macros.get(name)
        if macro is None or macro.parameters is not None:
            return None
        return macro.value.encode("latin-1")

    def initialisers(
        self, struct: str = "", field: str = "", table: str = ""
    ) -> tuple[Initialiser, ...]:
        """Return what tables of functions hold, in the .c files that are built.

        Without any of the three every file is read, which takes its time.

        struct: type of the tables; field: path of the field, or its last components; table:
        name of the variable. Those that are given must match; assignments have no struct. Where
        one table is copied to a part of another (`pv_ops.mmu = xen_mmu_ops`), that is one item
        with the other's name (see `held`).
        """
        last = field.rpartition(".")[2]
        if struct:
            files = self._structs.get(struct.removeprefix("typeof(").removesuffix(")"), [])
        elif table:
            files = self._structs.get(table, [])
        elif last:
            files = self._fields.get(last, [])
        else:
            files = list(self.built)
        return tuple(
            item
            for rel in files
            for item in self._initialisers(rel)
            if (not struct or item.struct == struct)
            and (not field or item.field == field or item.field.endswith(f".{field}"))
            and (not table or item.table == table)
        )

    def held(self, path: str) -> tuple[Initialiser, ...]:
        """Return what the field `path` of tables holds: `pv_ops.mmu.lazy_mode.enter`.

        The table's name may be missing from the path. Tables that are copied whole, to a table
        or to a part of one, count with what they hold there themselves, however deep.
        """
        found: dict[Initialiser, None] = {}
        parts = path.split(".")
        for shorter in (path, path.partition(".")[2]):
            if "." in shorter:
                found.update(dict.fromkeys(self.initialisers(field=shorter)))
        for cut in range(1, len(parts)):
            head, tail = ".".join(parts[:cut]), ".".join(parts[cut:])
            copies = [*self.initialisers(field=head), *self.initialisers(table=parts[0])]
            for item in copies:
                within = item.field in (head, ".".join(parts[1:cut]))
                if within or item.field.endswith(f".{head}"):
                    found.update(dict.fromkeys(self._copied(item, tail, _COPIES)))
        return tuple(found)

    def _copied(self, item: Initialiser, tail: str, depth: int) -> Iterator[Initialiser]:
        """Yield what stands at `tail` of the table that `item` names."""
        table, _, path = item.function.partition(".")
        if depth == 0 or (table not in self._structs and not path):
            return
        wanted = f"{path}.{tail}".lstrip(".")
        for other in self.initialisers(table=table):
            if other.field == wanted:
                yield other
            elif other is not item and (not other.field or wanted.startswith(f"{other.field}.")):
                rest = wanted[len(other.field) :].lstrip(".")
                yield from self._copied(other, rest, depth - 1)

    def _initialisers(self, rel: str) -> tuple[Initialiser, ...]:
        known = self._tables.get(rel)
        if known is None:
            selection = self.headers.selection(rel)
            presence = self.presence(rel) or ALWAYS
            text = self._cut(rel, 0, len(self._raw(rel)))
            known = self._tables[rel] = tuple(
                Initialiser(
                    item.file,
                    item.line,
                    item.table,
                    item.struct,
                    item.field,
                    item.function,
                    both(presence, selection.presence(offset)),
                )
                for offset, item in read_initialisers(rel, text)
            )
        return known

    def _file(self, rel: str) -> dict[str, list[RawDef]]:
        """Return the definitions of a file by name, those in dead branches among them."""
        known = self._parsed.get(rel)
        if known is None:
            known = self._parsed[rel] = {}
            self._conflicts(rel)
            for raw in slices.definitions(self._raw(rel)):
                known.setdefault(raw.name, []).append(raw)
        return known

    def _conflicts(self, rel: str) -> list[tuple[int, int]]:
        """Return what conflict markers make unreadable of a file; the file is lost then."""
        known = self._unread.get(rel)
        if known is None:
            known = self._unread[rel] = conflicts(self._raw(rel))
            if known:
                self.tree.lose(rel, CONFLICT)
        return known

    def _raw(self, rel: str) -> bytes:
        known = self._raws.get(rel)
        if known is not None:
            self._raws.move_to_end(rel)
            return known
        text = self._raws[rel] = plain_lines(whole_words(self.tree.read(rel)))
        self._held += len(text)
        while self._held > _KEPT and len(self._raws) > 1:
            self._held -= len(self._raws.popitem(last=False)[1])
        return text

    def _cut(self, rel: str, start: int, end: int) -> bytes:
        """Return part of a file with directives and what is not compiled blanked."""
        spans = self._blanks.get(rel)
        if spans is None:
            directives, _ = scan(self._raw(rel).decode("latin-1"))
            spans = [(item[1], item[2]) for item in directives]
            spans = _apart(sorted(spans + self.headers.selection(rel).dead))
            self._blanks[rel] = spans
        text = self._raw(rel)
        pieces: list[bytes] = []
        position = start
        for place in range(max(0, bisect_left(spans, (start, 0)) - 1), len(spans)):
            first, last = spans[place]
            if first >= end:
                break
            if last > position:
                first, last = max(first, position), min(last, end)
                pieces += (text[position:first], blank(text[first:last]))
                position = last
        pieces.append(text[position:end])
        return b"".join(pieces)

    def _in_file(self, name: str, rel: str, functions_only: bool) -> list[Definition]:
        raws = self._file(rel).get(name)
        if not raws:
            return []
        selection = self.headers.selection(rel)
        return [
            self._definition(rel, raw)
            for raw in raws
            if selection.live(raw.start)
            and (raw.kind == "function" or not functions_only)
            and not self._is_alias(rel, raw)
        ]

    def _is_alias(self, rel: str, raw: RawDef) -> bool:
        """Tell whether a macro only names itself (`#define set_ptes set_ptes`)."""
        if raw.kind != "object":
            return False
        return self._raw(rel)[raw.body : raw.end].strip() in (b"", raw.name.encode())

    def _macro(self, name: str, near: str | None) -> Definition | None:
        """Return the macro that `name` is in the file `near` after all its headers."""
        place = self.headers.macros.where(name)
        for file, offset in self.headers.overrides.get(name, {}).items():
            if near and self._sees(near, file):
                place = (file, offset)
        if place is None or place[1] < 0 or not self._sees(near, place[0]):
            return None
        for raw in self._file(place[0]).get(name, ()):
            if raw.kind != "function" and raw.start <= place[1] < raw.end:
                return None if self._is_alias(place[0], raw) else self._definition(place[0], raw)
        return None

    def _definition(self, rel: str, raw: RawDef) -> Definition:
        known = self._made.get((rel, raw.start))
        if known is None:
            known = self._made[rel, raw.start] = self._make(rel, raw)
        return known

    def _make(self, rel: str, raw: RawDef) -> Definition:
        text = self._raw(rel)
        first = raw.start if raw.kind == "function" else raw.body
        return Definition(
            name=raw.name,
            kind=raw.kind,
            file=rel,
            line=raw.line,
            first_line=self._line(rel, first),
            start=raw.start,
            end=raw.end,
            body=raw.body,
            static=raw.static,
            inline=raw.inline,
            params=raw.params,
            presence=both(
                self.built.get(rel, ALWAYS), self.headers.selection(rel).presence(raw.start)
            ),
            context=kernel_doc.doc_context(text, raw) if raw.kind != "object" else "",
        )

    def _line(self, rel: str, offset: int) -> int:
        """Return the line of an offset, from 1, in a time that does not grow with the file."""
        text = self._raw(rel)
        if len(text) < _LARGE:
            return text.count(b"\n", 0, offset) + 1
        if self._lines[0] != rel:
            self._lines = rel, [match.start() for match in re.finditer(rb"\n", text)]
        return bisect_left(self._lines[1], offset) + 1

    def _sees(self, near: str | None, header: str) -> bool:
        """Tell whether code in `near` may see a header: local ones are those it includes."""
        return not near or is_public(header) or header in self.headers.reached(near)


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted spans, those that overlap made one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _add_included(headers: Headers, built: dict[str, PresenceCondition]) -> None:
    """Enter the .c files that built ones include: there where one of those is."""
    includers: Iterable[str] = list(built)
    while True:
        found: dict[str, PresenceCondition] = {}
        for rel in includers:
            for other in headers.includes.get(rel, ()):
                if other.endswith(".c") and other not in built:
                    found[other] = either(found.get(other, NEVER), built[rel])
        if not found:
            return
        built.update(found)
        includers = found
