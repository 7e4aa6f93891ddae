# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches laid over a tree, in memory: what each file becomes, or which hunk does not fit, and why.

As git applies them: all lines of a hunk must stand there, at the line that it names or as near to
it as they are found; a hunk that is at line 1, or that shows no line behind what it changes, must
be at the beginning, or at the end, of the file. A patch is laid on as a whole or not at all.
Nothing is written, and no link is followed but by the gate of the tree, which lets none lead out.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.snapshot.listing import CONTENT_CAP, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lazymmu.snapshot.patches.diffs import FilePatch, Hunk
    from lazymmu.snapshot.patches.series import Patch
    from lazymmu.snapshot.tree import Tree

__all__ = ["Applied", "PatchRefusedError", "Stack", "apply", "led"]

CONTENT_LIMIT: Final = 1 << 30
"""Bytes that all files of a series may have together."""

_LINK, _SUBMODULE = "120000", "160000"

_MAX_TRIES: Final = 1_000
"""Most places that are looked at for one hunk, where its lines stand again and again."""


class PatchRefusedError(Problem):
    """A patch does not fit; the text says which hunk of which patch, and what stands there."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a series makes of a tree.

    :param changes: the new content by path, None for what is gone.
    :param offset: by how many lines all hunks together were off.
    """

    changes: dict[str, bytes | None]
    offset: int


@dataclass(frozen=True, slots=True)
class _File:
    """The content of a file, or where a link leads."""

    content: bytes
    is_link: bool = False


def apply(tree: Tree, series: Iterable[Patch]) -> Applied:
    """Lay patches over a tree, one after the other.

    :raises PatchRefusedError: one does not fit.
    :raises Problem: a file of the tree cannot be read, or too much would be in memory.
    """
    stack = Stack(tree)
    for patch in series:
        stack.lay(patch)
    return stack.applied()


class Stack:
    """A tree with some patches on it, to which more may come."""

    def __init__(self, tree: Tree) -> None:
        """Begin with a tree that has none."""
        self._tree = tree
        self._was: dict[str, _File | None] = {}
        self._files: dict[str, _File | None] = {}
        self._size = 0
        self._offset = 0

    def applied(self) -> Applied:
        """What the patches make of the tree."""
        return Applied(self._changes(), self._offset)

    def lay(self, patch: Patch) -> None:
        """Lay one patch on what is there.

        :raises PatchRefusedError: it does not fit; the stack is as before.
        :raises Problem: a file of the tree cannot be read, or too much would be in memory.
        """
        before = self._size, self._offset
        try:
            self._lay(patch)
        except PatchRefusedError as refused:
            self._size, self._offset = before
            raise PatchRefusedError(
                f"{patch}: {refused}" if patch.title else str(refused)
            ) from None

    def _lay(self, patch: Patch) -> None:
        gone = {one.old for one in patch.files if one.leaves}
        done: dict[str, _File | None] = {}
        for one in patch.files:
            if _SUBMODULE in one.modes:
                raise PatchRefusedError(f"{one.path} is a submodule, whose content is elsewhere")
            old = self._old(one, done)
            if one.new is not None and one.old != one.new and one.new not in gone:
                there = done[one.new] if one.new in done else self._file(one.new)
                if there is not None:
                    raise PatchRefusedError(f"{one.new} is there already")
            made = self._made(one, old)
            if one.leaves and one.old is not None:
                if one.new is None and made is not None and made.content and not one.copied:
                    raise PatchRefusedError(f"{one.old} has more in it than the patch deletes")
                done[one.old] = done.get(one.old) if one.moves and one.old in done else None
            if one.new is not None:
                goes = one.loose and made is not None and not made.content and one.hunks
                done[one.new] = None if goes else made
                self._size += len(made.content) if made else 0
        if self._size > CONTENT_LIMIT:
            raise Problem(f"a patch of more than {CONTENT_LIMIT >> 20} MB of files")
        self._files |= done

    def _file(self, rel: str) -> _File | None:
        """What is at a path now, None for nothing."""
        if rel not in self._files:
            self._files[rel] = self._before(rel)
        return self._files[rel]

    def _before(self, rel: str) -> _File | None:
        """What the tree has at a path."""
        if rel not in self._was:
            self._was[rel] = self._read(rel)
        return self._was[rel]

    def _changes(self) -> dict[str, bytes | None]:
        """What is not as in the tree; a link is what it leads to in the tree."""
        found: dict[str, bytes | None] = {}
        for rel, file in self._files.items():
            if file == self._before(rel):
                continue
            if file is not None and file.is_link:
                where = led(rel, os.fsdecode(file.content))
                target = None
                with contextlib.suppress(Problem):
                    if where:
                        target = self._files[where] if where in self._files else self._read(where)
                file = target if target is None or not target.is_link else None
            found[rel] = None if file is None else file.content
        return found

    def _read(self, rel: str) -> _File | None:
        ground = self._tree.ground
        try:
            target = ground.link(rel)
            if target is not None:
                return _File(os.fsencode(target), is_link=True)
            # Whatever leads to it: a directory of the path may be a link within the tree.
            return _File(ground.read(rel, CONTENT_CAP))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise Problem(f"cannot read {rel} of {self._tree.root}: {why.lower()}") from None

    def _old(self, one: FilePatch, done: Mapping[str, _File | None]) -> _File | None:
        """The file that a patch changes, as it is before it.

        done: what other parts of the patch have made; a file that is renamed is as before them.
        """
        if one.old is None:
            return None
        file = done[one.old] if one.old in done and not one.moves else self._file(one.old)
        if file is None and one.loose and not any(hunk.old for hunk in one.hunks):
            return None
        if file is None:
            raise PatchRefusedError(f"{one.old} is not there")
        if file.is_link != (one.modes[0] == _LINK) and (file.is_link or one.hunks):
            kind = "a link" if file.is_link else "no link"
            raise PatchRefusedError(f"{one.old} is {kind}")
        return file

    def _made(self, one: FilePatch, old: _File | None) -> _File | None:
        """The file that a patch makes, by the one that it was."""
        is_link = one.modes[1] == _LINK
        if one.binary:
            if wanted(one.path):
                raise PatchRefusedError(
                    f"{one.path} is changed as a binary file, which is not read here"
                )
            return None if one.new is None else old or _File(b"")
        content = old.content if old is not None else b""
        if not one.hunks:
            # A file that is deleted as a whole without showing it was empty.
            return _File(content, is_link)
        lines = _split(content)
        taken: list[tuple[int, int]] = []
        for number, hunk in enumerate(one.hunks, 1):
            at = _place(lines, hunk, taken)
            if at < 0:
                why = _mismatch(lines, hunk)
                raise PatchRefusedError(f"hunk {number} of {one.path} does not apply: {why}")
            self._offset += abs(at - hunk.at[1])
            lines[at : at + len(hunk.old)] = hunk.new
            grown = len(hunk.new) - len(hunk.old)
            taken = [(a + grown, b + grown) if a >= at else (a, b) for a, b in taken]
            taken.append((at, at + len(hunk.new)))
        return _File(b"".join(lines), is_link)


def _split(content: bytes) -> list[bytes]:
    """The lines of a file, which end at newlines and nowhere else."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _place(lines: list[bytes], hunk: Hunk, taken: Sequence[tuple[int, int]]) -> int:
    """Where the lines of a hunk stand, nearest to where it says; -1 if nowhere.

    taken: what earlier hunks have written, where no other may.
    """
    old = list(hunk.old)
    said = min(hunk.at[1], len(lines))
    begins = hunk.at[0] == 0
    ends = not hunk.trailing
    if not hunk.leading and ends and not begins:
        # A diff without context (-U0): only the very place is sure.
        return said if lines[said : said + len(old)] == old else -1

    def fits(at: int) -> bool:
        end = at + len(old)
        free = all(end <= first or at >= last for first, last in taken)
        anchored = (not begins or at == 0) and (not ends or end == len(lines))
        return at >= 0 and anchored and free and lines[at:end] == old

    if begins or ends:
        at = 0 if begins else len(lines) - len(old)
        return at if fits(at) else -1
    if fits(said):
        return said
    return _nearest(lines, old, said, fits)


def _nearest(lines: list[bytes], old: list[bytes], said: int, fits: Callable[[int], bool]) -> int:
    """The nearest place, below or above, where some lines stand."""
    counts = Counter(lines)
    # By the rarest of them, so that few places are looked at.
    mark = min(range(len(old)), key=lambda number: counts[old[number]])
    places = [number - mark for number, line in enumerate(lines) if line == old[mark]]
    places.sort(key=lambda place: (abs(place - said), place < said))
    return next((place for place in places[:_MAX_TRIES] if fits(place)), -1)


def _mismatch(lines: list[bytes], hunk: Hunk) -> str:
    """What stands at the place of a hunk instead of its lines."""
    at = hunk.at[1]
    for number, wanted_line in enumerate(hunk.old):
        if at + number >= len(lines):
            return f"the file ends at line {len(lines)}, and `{_text(wanted_line)}` is looked for"
        if lines[at + number] != wanted_line:
            there = _text(lines[at + number])
            return f"line {at + number + 1} is `{there}`, and `{_text(wanted_line)}` is looked for"
    return f"its lines stand at line {at + 1}, but not where it shows the file to begin or end"


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape").strip()[:200]


def led(rel: str, target: str) -> str:
    """Where a link at `rel` leads, as a path relative to the tree; empty if out of it."""
    led = os.path.normpath(os.path.join(os.path.dirname(rel), target))
    return "" if led.startswith("/") or led.split("/")[0] == ".." else led
