# SPDX-License-Identifier: GPL-2.0-or-later
"""`sections`: every section of source trees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

from lazymmu.verbs import names, reading
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.reading import TreeRequest
from lazymmu.verbs.selection import inside
from lazymmu.witness.source import check as source

if TYPE_CHECKING:
    from typing import Unpack

    from lazymmu.witness.finding import SectionRow, Sections
    from lazymmu.witness.source.check import Progress, TreeOptions, Where

__all__ = ["SectionsAnswer", "SectionsRequest", "sections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionsRequest(TreeRequest):
    """A question for `sections`: all that `lazymmu sections` can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionsAnswer:
    """The sections of the trees of a request.

    :param request: the question.
    :param trees: the path of each tree and its sections, ordered by file and line.
    """

    request: SectionsRequest
    trees: tuple[tuple[str, Sections], ...]

    @property
    def rows(self) -> tuple[SectionRow, ...]:
        """The sections of all trees."""
        return tuple(row for _, found in self.trees for row in found.rows)

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for each tree that does not implement the mode on what was asked for."""
        where = ", ".join(sorted(set(self.request.arches) - {"all"})) or "any architecture"
        return tuple(
            f"{path} does not implement the lazy MMU mode on {where}"
            for path, found in self.trees
            if not found.arches and not found.rows
        )

    def exit_code(self) -> ExitCode:
        """The exit code of the command: a tree without a section is inconclusive."""
        every = all(found.rows for _, found in self.trees)
        return ExitCode.CLEAN if every else ExitCode.INCONCLUSIVE


@overload
def sections(asked: SectionsRequest, *, progress: Progress | None = None) -> SectionsAnswer: ...
@overload
def sections(asked: Where, **options: Unpack[TreeOptions]) -> list[SectionRow]: ...
def sections(
    asked: SectionsRequest | Where, *, progress: Progress | None = None, **options: Any
) -> SectionsAnswer | list[SectionRow]:
    """List every lazy MMU section of trees.

    :param asked: a request; or one tree.
    :param progress: called with a stage, how much of it is done, and of how much.
    :param options: of one tree alone, see `TreeOptions`.
    :returns: a `SectionsAnswer` to a request, and the rows of one tree.
    :raises lazymmu.Problem: the request cannot be met; its text is one sentence for the user.
    :raises lazymmu.snapshot.tree.TreeError: `asked` is one path, and no kernel tree.
    :raises ValueError: `asked` is one tree, and an option has an unknown name in it.
    """
    if not isinstance(asked, SectionsRequest):
        return list(source.sections(asked, progress=progress, **options).rows)
    if options:
        raise TypeError(f"a request has all options in it, also {', '.join(options)}")
    names.dialect(asked.dialect)
    arches = reading.arches_of(asked)
    trees = []
    for tree, paths in zip(asked.trees, reading.paths_of(asked), strict=True):
        found = reading.read(source.sections, tree, asked, arches, progress)
        rows = [row for row in found.rows if not asked.paths or inside(paths, [row.file])]
        rows.sort(key=lambda row: (row.file, row.line, row.arches))
        trees.append((reading.called(tree), replace(found, rows=tuple(rows))))
    return SectionsAnswer(request=asked, trees=tuple(trees))
