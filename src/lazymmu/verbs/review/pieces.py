# SPDX-License-Identifier: GPL-2.0-or-later
"""The hunks of a series, and which of them depend on each other.

Two hunks belong together when they change one function, variable or Kconfig entry; when one changes
the declaration of a function, macro, variable, type, member or Kconfig symbol, makes or takes it
away, and the other has its name in what it changes; when they change an architecture's hooks of the
mode; when one makes, moves or deletes a file and the other names it in a Makefile or an #include;
and when the lines of one are those of the other. What is none of these is independent as far as
text tells; what a part alone brings is then checked (`split`).

Limit: members of two structures that have one name are taken for one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract import vocabulary
from lazymmu.snapshot.patches.apply import PatchRefusedError, apply
from lazymmu.verbs.review.meanings import FileMeanings, names_of_file, used

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lazymmu.snapshot.patches.diffs import FilePatch, Hunk
    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.review.looks import Look
    from lazymmu.verbs.review.values import Submitted

__all__ = ["Piece", "grouped", "laid", "pieces"]

_ARCH: Final = re.compile(r"arch/([\w-]+)/")
_HOOKS: Final = frozenset(
    name for name, word in vocabulary.load().mode.items() if word.layer == "arch"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A hunk, or a change of a file as a whole.

    :param patch: the number of its patch; file: of its `files`, counted from 0; hunk: of the file,
        None for one without.
    :param functions: the functions and macros that it changes, as `file:name`; things: those, and
        variables and entries of Kconfig.
    :param makes: names that it gives another meaning: made, taken away, declared otherwise; as
        `meanings` writes them.
    :param uses: names in the lines that it changes.
    :param arch: the directory below arch/ that it is in; code of no other knows its names.
    :param hooks: that directory, where it changes hooks of the mode.
    :param comes: the file is not where it was: its pieces are one.
    """

    patch: int
    file: int
    hunk: int | None
    path: str
    line: int
    functions: frozenset[str]
    things: frozenset[str]
    makes: frozenset[bytes]
    uses: frozenset[bytes]
    arch: str = ""
    hooks: str = ""
    comes: bool = False


def pieces(seen: Sequence[Look], patches: Sequence[Submitted]) -> list[Piece]:
    """The pieces of a series; `seen`: the trees, with one more patch each time."""
    found: list[Piece] = []
    for number, sent in enumerate(patches, 1):
        before, after = seen[number - 1].tree, seen[number].tree
        for at, file in enumerate(sent.patch.files):
            sides = FileMeanings(before, file.old), FileMeanings(after, file.new)
            for which, hunk in enumerate(file.hunks) if file.hunks else ((None, None),):
                found.append(_piece(number, at, which, file, hunk, sides))
    return found


def _piece(
    number: int, at: int, which: int | None, file: FilePatch, hunk: Hunk | None,
    sides: tuple[FileMeanings, FileMeanings],
) -> Piece:  # fmt: skip
    old, new = sides
    both = {path for path in (file.old, file.new) if path}
    called = {name for path in both for name in names_of_file(path)} if _comes(file) else set()
    arch = _ARCH.match(file.path)
    home = arch[1] if arch else ""
    if hunk is None:
        return Piece(number, at, which, file.path, 1, frozenset(), frozenset(), frozenset(called),
                     frozenset(), home, comes=True)  # fmt: skip
    gone = old.changed(hunk.old, hunk.leading, hunk.trailing, hunk.at[0])
    came = new.changed(hunk.new, hunk.leading, hunk.trailing, hunk.at[1])
    concerned = [*old.overlapped(gone), *new.overlapped(came)]
    makes = {one.key for one in concerned if old.meanings.get(one.key) != new.meanings.get(one.key)}
    names = {one.name for one in concerned if one.whole}
    made = {one.name for one in concerned if one.key in makes}
    touches = any(name in _HOOKS or name in made for name in names)
    return Piece(
        number, at, which, file.path, came.start + 1,
        frozenset(f"{file.path}:{one.name}" for one in concerned if one.code),
        frozenset(f"{file.path}:{name}" for name in names),
        frozenset(makes | called), used(_lines(hunk), file.path),
        home, home if touches and names & _HOOKS else "", _comes(file),
    )  # fmt: skip


def _comes(file: FilePatch) -> bool:
    """Whether a file is not where it was, before or after."""
    return file.old != file.new or not file.hunks


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
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for together in _depending(found):
        for one in together:
            first, last = sorted((top(together[0]), top(one)))
            parent[last] = first
    groups: dict[int, list[Piece]] = {}
    for number, piece in enumerate(found):
        groups.setdefault(top(number), []).append(piece)
    return _applying([groups[key] for key in sorted(groups)], base, patches)


def _depending(found: Sequence[Piece]) -> Iterator[list[int]]:
    """Pieces, by their numbers, that depend on each other."""
    same: dict[object, list[int]] = {}
    makers: dict[bytes, list[int]] = {}
    for number, one in enumerate(found):
        for name in one.things:
            same.setdefault(name, []).append(number)
        if one.hooks:
            same.setdefault(("hooks", one.hooks), []).append(number)
        if one.comes:
            same.setdefault((one.patch, one.file), []).append(number)
        for key in one.makes:
            makers.setdefault(key, []).append(number)
    yield from same.values()
    users: dict[bytes, list[int]] = {key: [] for key in makers}
    for number, one in enumerate(found):
        for key in one.uses & makers.keys():
            users[key].append(number)
    for key, making in makers.items():
        for maker in making:
            home = found[maker].arch
            yield [maker, *(one for one in (*making, *users[key])
                            if not home or found[one].arch in ("", home))]  # fmt: skip


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
