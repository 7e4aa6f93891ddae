# SPDX-License-Identifier: GPL-2.0-or-later
"""Problems of which nobody can tell whether they are gone: their code was not seen any more.

A change may make a function unreadable, or leave it out of what is built. What was wrong in it is
then no more found, which is not to be taken for mended.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lazymmu.kernelc.parse.slices import definitions
from lazymmu.witness.finding import Lost

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.snapshot.tree import Tree
    from lazymmu.witness.finding import CheckResult, Finding

__all__ = ["hides", "losses_since", "lost_arches", "unseen"]


def losses_since(before: CheckResult, after: CheckResult) -> tuple[Lost, ...]:
    """What could hide a finding after a change, and could not before."""
    left = Counter(lost.key for lost in before.coverage.blind)
    new = []
    for lost in after.coverage.blind:
        if left[lost.key] > 0:
            left[lost.key] -= 1
        else:
            new.append(lost)
    new += lost_arches(set(before.arches).difference(after.arches))
    return tuple(new)


def lost_arches(arches: Iterable[str]) -> list[Lost]:
    """The losses of architectures that do not have the mode any more, as far as is seen.

    Nobody takes it off them: it is more likely that it has names now that are not known.
    """
    why = "this architecture had the mode before, and does not have it now"
    return [Lost(f"arch/{name}", 0, name, why) for name in sorted(arches)]


def unseen(findings: Iterable[Finding], tree: Tree, losses: Sequence[Lost]) -> list[Finding]:
    """Those of some findings whose code was not seen.

    :param findings: what a tree had, and another has not.
    :param tree: that other, as far as it was seen.
    :param losses: what of it could not be seen.
    """
    if not losses:
        return []
    defined: dict[str, frozenset[str]] = {}

    def defines(file: str, name: str) -> bool:
        if file not in defined:
            text = tree.read(file) if tree.has(file) else b""
            defined[file] = frozenset(one.name for one in definitions(text))
        return name in defined[file]

    found = []
    for finding in findings:
        left = not defines(finding.file, finding.function)
        if any(hides(lost, finding, left=left) for lost in losses):
            found.append(finding)
    return found


def hides(lost: Lost, finding: Finding, *, left: bool = False) -> bool:
    """Whether a problem would not be found because something was not seen.

    :param left: whether the function that it was in is no more where it was.
    """
    if not lost.line and lost.file in {f"arch/{arch}" for arch in finding.arches}:
        return True
    if not lost.line and not lost.name:
        return lost.file in _files(finding)
    if left and (lost.name == finding.function or lost.file == finding.file):
        return True
    steps = [(step.file, step.function) for step in finding.path if not step.aside]
    return (lost.file, lost.name) in {(finding.file, finding.function), *steps}


def _files(finding: Finding) -> set[str]:
    return {finding.file, *(step.file for step in finding.path if not step.aside)}
