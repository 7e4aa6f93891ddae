# SPDX-License-Identifier: GPL-2.0-or-later
"""The hunks of a series, and which of them depend on each other.

Two hunks belong together when they change one function; when one changes the declaration of a
function or macro, makes or takes it away, and the other has its name in what it changes; when they
change an architecture's hooks of the mode; when one renames a file and the other its name in a
Makefile; and when the lines of one are those of the other. What is none of these is independent
as far as text tells; what a part alone brings is then checked (`split`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract import vocabulary
from lazymmu.kernelc.parse.slices import definitions
from lazymmu.snapshot.patches.apply import PatchRefusedError, apply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.kernelc.parse.slices import RawDef
    from lazymmu.snapshot.patches.diffs import FilePatch, Hunk
    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.review.looks import Look
    from lazymmu.verbs.review.values import Submitted

__all__ = ["Piece", "grouped", "laid", "pieces"]

_NAME: Final = re.compile(rb"[A-Za-z_]\w*")
_OBJECT: Final = re.compile(rb"\b([\w-]+)\.o\b")
_CONFIG: Final = re.compile(rb"^\s*(?:menu)?config[ \t]+(\w+)")
_ARCH: Final = re.compile(r"arch/([\w-]+)/")
_HOOKS: Final = frozenset(
    name for name, word in vocabulary.load().mode.items() if word.layer == "arch"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A hunk, or a change of a file as a whole.

    :param patch: the number of its patch; file: of its `files`, counted from 0; hunk: of the file,
        None for one without.
    :param functions: the definitions that it changes, as `file:name`.
    :param makes: names that it gives another meaning: made, taken away, declared otherwise.
    :param uses: names in the lines that it changes.
    """

    patch: int
    file: int
    hunk: int | None
    path: str
    line: int
    functions: frozenset[str]
    makes: frozenset[bytes]
    uses: frozenset[bytes]
    hooks: str = ""


def pieces(seen: Sequence[Look], patches: Sequence[Submitted]) -> list[Piece]:
    """The pieces of a series; `seen`: the trees, with one more patch each time."""
    found: list[Piece] = []
    for number, sent in enumerate(patches, 1):
        before, after = seen[number - 1].tree, seen[number].tree
        for at, file in enumerate(sent.patch.files):
            sides = _Side(before, file.old), _Side(after, file.new)
            for which, hunk in enumerate(file.hunks) if file.hunks else ((None, None),):
                found.append(_piece(number, at, which, file, hunk, sides))
    return found


class _Side:
    """A file before or after a patch, and what it defines."""

    def __init__(self, tree: Tree, rel: str | None) -> None:
        self.rel = rel or ""
        self.text = tree.read(rel) if rel and tree.has(rel) else b""
        self.found: list[RawDef] = list(definitions(self.text)) if self._is_c() else []
        self.lines = self.text.split(b"\n")
        self.names = {one.name for one in self.found}

    def _is_c(self) -> bool:
        return self.rel.endswith((".c", ".h", ".S"))

    def head(self, one: RawDef) -> bytes:
        """How a definition is declared: all that is before its body."""
        return b" ".join(self.text[one.start : one.body].split())

    def changed(self, lines: tuple[bytes, ...], leading: int, trailing: int, near: int) -> range:
        """Where the lines of a hunk stand, less its context; counted from 0."""
        block = [line.rstrip(b"\n") for line in lines]
        places = range(len(self.lines) - len(block) + 1)
        at = min(
            (place for place in places if self.lines[place : place + len(block)] == block),
            key=lambda place: abs(place - near),
            default=near,
        )
        return range(at + leading, at + len(block) - trailing)

    def overlapped(self, lines: range) -> list[RawDef]:
        """The definitions that some lines, or the gap where there are none, are in."""
        first, last = lines.start, max(lines.stop - 1, lines.start)
        found = []
        for one in self.found:
            begins = self.text.count(b"\n", 0, one.start)
            ends = begins + self.text.count(b"\n", one.start, one.end)
            inside = begins <= last and ends >= first if len(lines) else begins < first <= ends
            if inside:
                found.append(one)
        return found


def _piece(
    number: int, at: int, which: int | None, file: FilePatch, hunk: Hunk | None,
    sides: tuple[_Side, _Side],
) -> Piece:  # fmt: skip
    old, new = sides
    if hunk is None:
        stems = {path.rpartition("/")[2].rpartition(".")[0].encode() + b".o"
                 for path in (file.old, file.new) if path}  # fmt: skip
        return Piece(number, at, which, file.path, 1, frozenset(), frozenset(stems), frozenset())
    gone = old.changed(hunk.old, hunk.leading, hunk.trailing, hunk.at[0])
    came = new.changed(hunk.new, hunk.leading, hunk.trailing, hunk.at[1])
    before, after = old.overlapped(gone), new.overlapped(came)
    heads = {one.name: old.head(one) for one in before}, {one.name: new.head(one) for one in after}
    names = {one.name for one in (*before, *after)}
    makes = {
        name.encode()
        for name in names
        if (name in old.names) != (name in new.names)
        or (name in heads[0] and name in heads[1] and heads[0][name] != heads[1][name])
    }
    lines = _lines(hunk)
    text = b"\n".join(lines)
    makes |= {match[1] for line in lines if (match := _CONFIG.match(line))}
    uses = set(_NAME.findall(text)) | {stem + b".o" for stem in _OBJECT.findall(text)}
    uses |= {name.removeprefix(b"CONFIG_") for name in uses}
    arch = _ARCH.match(file.path)
    touches = any(name in _HOOKS or name.encode() in makes for name in names)
    hooks = arch[1] if arch and touches and names & _HOOKS else ""
    return Piece(
        number, at, which, file.path, came.start + 1,
        frozenset(f"{file.path}:{name}" for name in names),
        frozenset(makes), frozenset(uses), hooks,
    )  # fmt: skip


def _lines(hunk: Hunk) -> list[bytes]:
    """The lines that a hunk takes away and adds, less its context."""

    def inner(lines: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return lines[hunk.leading : len(lines) - hunk.trailing]

    old, new = inner(hunk.old), inner(hunk.new)
    kept = set(old) & set(new)
    return [line for line in (*old, *new) if line not in kept]


def grouped(found: Sequence[Piece], base: Tree, patches: Sequence[Submitted]) -> list[list[Piece]]:
    """The pieces in groups that depend on nothing in other groups, in the order of the series."""
    parent = list(range(len(found)))

    def top(one: int) -> int:
        while parent[one] != one:
            one = parent[one]
        return one

    for one, other in _depending(found):
        parent[max(top(one), top(other))] = min(top(one), top(other))
    groups: dict[int, list[Piece]] = {}
    for number, piece in enumerate(found):
        groups.setdefault(top(number), []).append(piece)
    return _applying([groups[key] for key in sorted(groups)], base, patches)


def _depending(found: Sequence[Piece]) -> Iterator[tuple[int, int]]:
    for number, one in enumerate(found):
        for other in range(number):
            earlier = found[other]
            if (
                one.functions & earlier.functions
                or one.makes & (earlier.uses | earlier.makes)
                or earlier.makes & one.uses
                or (one.hooks and one.hooks == earlier.hooks)
                or (one.hunk is None and (one.patch, one.file) == (earlier.patch, earlier.file))
            ):
                yield number, other


def _applying(
    groups: list[list[Piece]], base: Tree, patches: Sequence[Submitted]
) -> list[list[Piece]]:
    """The groups, each joined with the earlier ones without which it does not apply."""
    done: list[list[Piece]] = []
    for group in groups:
        joined = group
        while _refused(joined, base, patches) and done:
            # By its nearest neighbour in the file that does not fit.
            files = {piece.path for piece in joined}
            near = next((one for one in done[::-1] if files & {p.path for p in one}), done[-1])
            done.remove(near)
            joined = near + joined
        done.append(joined)
    return sorted(done, key=lambda one: (one[0].patch, one[0].file, one[0].hunk or 0))


def _refused(group: Sequence[Piece], base: Tree, patches: Sequence[Submitted]) -> bool:
    try:
        apply(base, laid(group, patches))
    except PatchRefusedError:
        return True
    return False


def laid(group: Iterable[Piece], patches: Sequence[Submitted]) -> list[Patch]:
    """The patches of a series with nothing in them but some pieces."""
    kept: dict[tuple[int, int], set[int | None]] = {}
    for piece in group:
        kept.setdefault((piece.patch, piece.file), set()).add(piece.hunk)
    found = []
    for number, sent in enumerate(patches, 1):
        files = []
        for at, file in enumerate(sent.patch.files):
            wanted = kept.get((number, at))
            if wanted is not None:
                hunks = tuple(h for which, h in enumerate(file.hunks) if which in wanted)
                files.append(replace(file, hunks=hunks))
        if files:
            found.append(replace(sent.patch, files=tuple(files)))
    return found
