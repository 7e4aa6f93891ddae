# SPDX-License-Identifier: GPL-2.0-or-later
"""`demo`: what each of the three witnesses says of one mistake, on what ships with lazymmu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from lazymmu.problem import Problem
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs import check, trace, verify
from lazymmu.verbs.check import CheckAnswer, CheckRequest
from lazymmu.verbs.trace import TraceRequest
from lazymmu.verbs.verify import VerifyAnswer, VerifyRequest
from lazymmu.witness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.witness.finding import Finding
    from lazymmu.witness.machine.verdict import Verdict
    from lazymmu.witness.trace.values import TraceFinding, TraceResult

__all__ = ["DemoAnswer", "demo", "examples"]

Show: TypeAlias = Callable[[str, int, int], None]

_TREE = "linux-old"
"""The example that a recording of a released kernel can be held beside: it begins and ends sections
by the arch_ functions, as kernels before v7.0 do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAnswer:
    """One mistake, seen three times.

    :param checked: the example tree.
    :param finding: a mistake in it.
    :param code: the lines of its path, in order.
    :param verdict: the scenario that shows its harm, searched.
    :param verified: all scenarios where they matter most.
    :param watched: a recording in which the same happened.
    :param seen: the first time.
    """

    checked: CheckAnswer
    finding: Finding
    code: tuple[str, ...]
    verdict: Verdict
    verified: VerifyAnswer
    watched: TraceResult
    seen: TraceFinding


def examples() -> Path:
    """The folder of what ships with lazymmu: trees, scenarios, recordings.

    :raises lazymmu.Problem: it is not there.
    """
    package = Path(__file__).resolve().parents[1]
    # In an installation it lies in the package, in the project beside its source.
    for folder in (package / "examples", package.parents[1] / "examples"):
        if (folder / _TREE).is_dir():
            return folder
    raise Problem("the examples are not installed; they ship with the source of lazymmu")


def demo(*, progress: Show | None = None) -> DemoAnswer:
    """Look for one mistake that all three witnesses know: in source, on a machine, in a recording.

    :param progress: called with a stage's name, how much of it is done, and of how much.
    :raises lazymmu.Problem: what ships with lazymmu is not there, or shows no such mistake.
    """
    folder = examples()
    # By the name that one who stands beside it would type.
    name = str(folder / _TREE)
    near = Path.cwd() / "examples" / _TREE
    name = f"examples/{_TREE}" if near.exists() and near.samefile(name) else name
    checked = check.check(CheckRequest(trees=[name]), progress=progress)
    for watched, seen in _violations(folder / "trace"):
        for finding in _like(checked, seen):
            scenario = finding.harms[0].scenario
            asked = VerifyRequest(scenarios=[scenario], arches=[finding.harms[0].arch])
            broken = [one for one in verify.verify(asked).verdicts if one.violations]
            if broken:
                return DemoAnswer(
                    checked=checked,
                    finding=finding,
                    code=_code(Tree.open(name), finding),
                    verdict=broken[0],
                    verified=verify.verify(VerifyRequest(), progress=progress),
                    watched=watched,
                    seen=seen,
                )
    raise Problem("the examples have no mistake that a recording shows as well")


def _violations(folder: Path) -> Iterator[tuple[TraceResult, TraceFinding]]:
    """The violations in the recordings that ship, of one after the other."""
    for path in sorted(folder.glob("*.trace.gz")):
        near = Path.cwd() / "examples/trace" / path.name
        name = f"examples/trace/{path.name}" if near.exists() and near.samefile(path) else str(path)
        for watched in trace.trace(TraceRequest(traces=[name])).watched:
            for seen in watched.violations:
                yield watched, seen


def _like(checked: CheckAnswer, seen: TraceFinding) -> list[Finding]:
    """Findings of the same rule that are sure, hurt, and whose harm a scenario shows."""
    same = [
        one
        for one in checked.verdicts
        if one.rule == seen.rule
        and one.severity is Severity.HURTS
        and one.confidence is Confidence.HIGH
        and one.harms[0].scenario
    ]

    def order(one: Finding) -> tuple[bool, int, str, int]:
        # What a path is for shows where it leads from one function into another.
        alone = len({step.function for step in one.path}) == 1
        return (alone, len(one.path), one.file, one.line)

    return sorted(same, key=order)


def _code(tree: Tree, finding: Finding) -> tuple[str, ...]:
    """The line of each step, without the comment at its end."""
    texts = {step.file: tree.read(step.file).decode(errors="replace") for step in finding.path}
    lines = [texts[step.file].splitlines()[step.line - 1] for step in finding.path]
    return tuple(line.partition("/*")[0].strip() for line in lines)
