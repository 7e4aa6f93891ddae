# SPDX-License-Identifier: GPL-2.0-or-later
"""A module out of tree: its folder, put into the kernel tree that it is built for.

The whole is then checked like a tree, and what the module takes part in is told, with the paths
of its files as the user named them. What no Makefile of it builds was not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.snapshot.tree import Tree, TreeError
from lazymmu.witness.finding import (
    CheckResult,
    Coverage,
    Finding,
    Lost,
    ModuleInfo,
    Sections,
    TreeInfo,
)
from lazymmu.witness.source.prefilter import MODE_WORD, takers

if TYPE_CHECKING:
    from lazymmu.witness.source.analyse_arch import ArchResult

__all__ = ["ModuleFolder", "nowhere_built"]

_PLACE: Final = "extmod"
"""Where a module stands in the tree: fingerprints of its findings rest on that, so that they are
the same however the folder is named."""


class ModuleFolder:
    """The folder of a module, and the tree that has it.

    name: the folder as the user named it; tree: the kernel's with the module in it.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | Tree, kernel: str | os.PathLike[str] | Tree
    ) -> None:
        """Put a module's folder into a kernel tree.

        Raises TreeError, with one sentence, when one of them is none, or the folder is part of
        the tree.
        """
        if isinstance(folder, Tree):
            raise TreeError("a kernel tree is no module")
        self.name = os.fspath(folder)
        tree = kernel if isinstance(kernel, Tree) else Tree.open(kernel)
        self.tree = tree.mounted(_PLACE, folder, module=True)
        if Path(folder).resolve().is_relative_to(tree.root):
            raise TreeError(f"{self.name}: is part of the kernel tree; check that, with --path")
        self._kernel = str(tree.root if isinstance(kernel, Tree) else kernel)
        self._files = tuple(_below(self.tree, _PLACE))
        if not any(file.endswith(".c") for file in self._files):
            raise TreeError(f"{self.name}: has no .c file, so it is no module")

    def told(self, result: CheckResult) -> CheckResult:
        """Return what of the whole result is about the module."""
        words = [MODE_WORD, *takers()]
        texts = (self.tree.read(file) for file in self._files if file.endswith((".c", ".h")))
        module = ModuleInfo(
            kernel=self._kernel,
            sources=sum(file.endswith(".c") for file in self._files),
            uses=any(word in text for text in texts for word in words),
        )
        findings = [f for f in result.findings if self._has(f.file, *(s.file for s in f.path))]
        return CheckResult(
            tree=self.info(result.tree),
            arches=result.arches,
            findings=tuple(map(self._finding, findings)),
            coverage=self._coverage(result.coverage),
            module=module,
        )

    def rows(self, found: Sections) -> Sections:
        """Return the sections that begin or end in the module."""
        rows = [replace(r, file=self._shown(r.file)) for r in found.rows if self._has(r.file)]
        return Sections(tuple(rows), self._coverage(found.coverage), found.arches)

    def info(self, tree: TreeInfo) -> TreeInfo:
        """Return what is said of the tree that was checked, with the module's name."""
        return replace(tree, path=self.name)

    def _coverage(self, coverage: Coverage) -> Coverage:
        """What was seen of the module; all that was not seen of it could hide a finding."""
        unparsed = self._lost(coverage.unparsed)
        unread = {lost.file for lost in unparsed if not lost.line}
        blind = [lost for lost in self._lost(coverage.blind) if lost.file not in unread]
        places = (
            replace(p, file=self._shown(p.file)) for p in coverage.places if self._has(p.file)
        )
        return replace(
            coverage,
            unparsed=unparsed,
            unresolved=self._lost(coverage.unresolved),
            places=tuple(places),
            blind=tuple(dict.fromkeys((*unparsed, *blind))),
        )

    def _has(self, *files: str) -> bool:
        return any(file.startswith(f"{_PLACE}/") for file in files)

    def _shown(self, file: str) -> str:
        inner = file.removeprefix(f"{_PLACE}/")
        return os.path.join(self.name, inner) if inner != file else file

    def _finding(self, finding: Finding) -> Finding:
        return replace(
            finding,
            file=self._shown(finding.file),
            path=tuple(replace(step, file=self._shown(step.file)) for step in finding.path),
            conditions=tuple(map(self._said, finding.conditions)),
        )

    def _said(self, sentence: str) -> str:
        return sentence.replace(f"{_PLACE}/", f"{self.name.rstrip('/')}/")

    def _lost(self, lost: Iterable[Lost]) -> tuple[Lost, ...]:
        return tuple(
            replace(
                item,
                file=self._shown(item.file),
                reason=self._said(item.reason),
            )
            for item in lost
            if self._has(item.file)
        )


def _below(tree: Tree, directory: str) -> Iterable[str]:
    """Yield the files in a directory of a tree and below it."""
    work = [directory]
    while work:
        path = work.pop()
        for entry in tree.entries(path):
            if entry.directory:
                work.append(f"{path}/{entry.name}")
            else:
                yield f"{path}/{entry.name}"


def nowhere_built(looked: Sequence[ArchResult]) -> list[Lost]:
    """Return the files of a module that no architecture builds, each with the reasons."""
    reasons: dict[str, dict[str, None]] = {}
    for item in looked:
        for file, why in item.unbuilt:
            reasons.setdefault(file, {})[why] = None
    everywhere = [
        file
        for file in reasons
        if all(any(file == other for other, _ in item.unbuilt) for item in looked)
    ]
    return [
        Lost(file, 0, "", f"not read, because {'; '.join(reasons[file])}") for file in everywhere
    ]
