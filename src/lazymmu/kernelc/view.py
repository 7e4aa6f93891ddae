# SPDX-License-Identifier: GPL-2.0-or-later
"""What one profile sees of a tree: which definition a name means, and its text for the parser.

The order in which a name is looked up is the compiler's and the linker's: the file at hand, the
headers (as the walk saw them, so that an architecture's override wins by construction), then
functions with external linkage in the files that are built. Statics of other files are no
candidates.

Only names are indexed; the text of a file is read again when one of its definitions is asked
for, and little of it is kept.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import dirname

from lazymmu.kernelc import cpp, masks, slices
from lazymmu.kernelc.cpp import Macro, Options
from lazymmu.kernelc.headers import Headers, walk
from lazymmu.kernelc.kconfig import solve
from lazymmu.kernelc.profile import Profile
from lazymmu.kernelc.slices import RawDef
from lazymmu.kernelc.tree import Tree

__all__ = ["Definition", "View"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One function or macro as one profile sees it.

    kind: function, macro (function-like) or object; line: of the name; first_line: of `start`;
    start, end: byte offsets of the whole definition in the file; params: of a macro;
    conditions: the free CONFIG symbols that it rests on, by Makefiles and `#if`; context: the
    Context section of its kernel-doc comment.
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
    conditions: tuple[str, ...] = ()
    context: str = ""


_FOR_EACH = re.compile(rb"^ForEachMacros:\n((?:[ \t]+.*\n|[ \t]*#.*\n)+)", re.M)
_ITEM = re.compile(rb"-[ \t]*'?(\w+)")


def loop_macros(tree: Tree) -> frozenset[str]:
    """Names of the macros that head a loop, from the tree's own .clang-format."""
    match = _FOR_EACH.search(tree.read(".clang-format"))
    return frozenset(name.decode() for name in _ITEM.findall(match[1])) if match else frozenset()


def core_directories(profile: Profile) -> tuple[tuple[str, bool], ...]:
    """Directories whose .c files are indexed at once, and whether those below them are too."""
    return (
        ("mm", True),
        (f"arch/{profile.arch_dir}", True),
        ("kernel", True),
        ("lib", False),
        ("fs", False),
        ("fs/proc", True),
        ("block", False),
        ("drivers/xen", True),
    )


class _File:
    """What is kept of a file: its definitions by name, and where its lines begin."""

    __slots__ = ("by_name", "path")

    def __init__(self, path: str, found: list[RawDef]) -> None:
        self.path = path
        self.by_name: dict[str, list[RawDef]] = {}
        for item in found:
            self.by_name.setdefault(item.name, []).append(item)


class View:
    """What `profile` sees of `tree` under `config`."""

    def __init__(
        self,
        tree: Tree,
        profile: Profile,
        config: Options | None = None,
        *,
        extra: Iterable[str] = (),
    ) -> None:
        """Walk the headers and index the names of the core, and of the directories of `extra`.

        Without `config` the tree's Kconfig is solved for the profile.
        """
        if config is None:
            config = solve(tree, profile)
        self.tree = tree
        self.profile = profile
        self.config = config
        self.loops = loop_macros(tree)
        self.sources = self._list_sources(extra)
        self.headers: Headers = walk(tree, profile, config, self.sources)
        self._functions: dict[str, list[str]] = {}
        self._parsed: dict[str, _File] = {}
        self._texts: OrderedDict[str, bytes] = OrderedDict()
        self._reached: dict[str, frozenset[str]] = {}
        for rel in self.headers.files:
            for item in self._file(rel).by_name:
                if any(raw.kind == "function" for raw in self._file(rel).by_name[item]):
                    self._functions.setdefault(item, []).append(rel)
        for rel in self.sources:
            for item, raws in self._file(rel).by_name.items():
                if any(raw.kind == "function" and not raw.static for raw in raws):
                    self._functions.setdefault(item, []).append(rel)

    def _list_sources(self, extra: Iterable[str]) -> tuple[str, ...]:
        wanted = list(core_directories(self.profile))
        wanted += [(dirname(path), False) for path in extra]
        exact = {directory for directory, _ in wanted}
        below = tuple(f"{directory}/" for directory, deep in wanted if deep)
        found = [
            path
            for path in self.tree.manifest()
            if path.endswith(".c") and (dirname(path) in exact or path.startswith(below))
        ]
        order = {directory: place for place, (directory, _) in enumerate(wanted)}
        return tuple(sorted(found, key=lambda path: (order.get(path.split("/")[0], 9), path)))

    def _file(self, rel: str) -> _File:
        known = self._parsed.get(rel)
        if known is None:
            known = self._parsed[rel] = _File(rel, slices.definitions(self.tree.read(rel)))
        return known

    def _raw(self, rel: str) -> bytes:
        known = self._texts.get(rel)
        if known is None:
            known = self._texts[rel] = self.tree.read(rel)
            if len(self._texts) > 32:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(rel)
        return known

    def _live(self, rel: str) -> bytes:
        key = f"live:{rel}"
        known = self._texts.get(key)
        if known is None:
            known = self._texts[key] = self.headers.live(rel)
            if len(self._texts) > 32:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(key)
        return known

    def definitions(
        self, name: str, near: str | None = None, *, expanding: frozenset[str] = frozenset()
    ) -> tuple[Definition, ...]:
        """Return what `name` may mean in the file `near`, the likeliest first.

        Names in `expanding` are macros whose text is being looked at: C does not replace them
        again inside of it, so that they mean functions.
        """
        if near is not None:
            found = self._in_file(name, near, name in expanding)
            if found:
                return tuple(found)
        if name not in expanding:
            macro = self._macro(name, near)
            if macro is not None:
                return (macro,)
        inline: list[Definition] = []
        external: list[Definition] = []
        for rel in self._functions.get(name, ()):
            if rel in self.headers.selections:
                if self._sees(near, rel):
                    inline += self._in_file(name, rel, True)
            else:
                external += [item for item in self._in_file(name, rel, True) if not item.static]
        if inline:
            return tuple(inline)
        return self._strong(external)

    def _strong(self, found: list[Definition]) -> tuple[Definition, ...]:
        """Leave out weak definitions where there is another, as the linker does."""
        if len(found) < 2:
            return tuple(found)
        strong = [
            item
            for item in found
            if b"__weak" not in self._raw(item.file)[item.start : item.body]
        ]
        return tuple(strong or found)

    def _in_file(self, name: str, rel: str, functions_only: bool) -> list[Definition]:
        raws = self._file(rel).by_name.get(name)
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
        macro: Macro | None = self.headers.macros.get(name)
        if macro is None or macro.start < 0 or not self._sees(near, macro.file):
            return None
        if macro.parameters is None and macro.value in ("", name):
            return None
        for raw in self._file(macro.file).by_name.get(name, ()):
            if raw.kind != "function" and raw.start <= macro.start < raw.end:
                return self._definition(macro.file, raw)
        return None

    def _definition(self, rel: str, raw: RawDef) -> Definition:
        text = self._raw(rel)
        return Definition(
            name=raw.name,
            kind=raw.kind,
            file=rel,
            line=raw.line,
            first_line=raw.line - text.count(b"\n", raw.start, raw.body)
            if raw.kind != "function"
            else text.count(b"\n", 0, raw.start) + 1,
            start=raw.start,
            end=raw.end,
            body=raw.body,
            static=raw.static,
            inline=raw.inline,
            params=raw.params,
            conditions=self.headers.selection(rel).needs(raw.start),
        )

    def _sees(self, near: str | None, header: str) -> bool:
        """Tell whether code in `near` may see the header: local headers are those it includes."""
        if near is None or header.startswith("include/") or "/include/" in header:
            return True
        if near not in self._reached:
            seen = {near}
            work = [near]
            while work:
                for rel in self.headers.includes.get(work.pop(), ()):
                    if rel not in seen:
                        seen.add(rel)
                        work.append(rel)
            self._reached[near] = frozenset(seen)
        return header in self._reached[near]

    def text(self, definition: Definition) -> bytes:
        """Return the definition's text, ready for the parser.

        A function's slice runs from `start` to `end`, a macro's is its replacement text, from
        `body` on; length and newlines are those of the file.
        """
        if definition.kind == "function":
            live = self._live(definition.file)
            return masks.mask(live[definition.start : definition.end], self.loops)
        for raw in self._file(definition.file).by_name.get(definition.name, ()):
            if raw.start == definition.start:
                return masks.mask(masks.macro_body(self._raw(definition.file), raw), self.loops)
        return b""

    def macro(self, name: str) -> bytes | None:
        """Return the value of an object-like macro after the walk, None when there is none."""
        macro = self.headers.macros.get(name)
        if macro is None or macro.parameters is not None:
            return None
        return macro.value.encode("latin-1")
