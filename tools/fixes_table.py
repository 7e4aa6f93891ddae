# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the table of what each change of docs/findings/fixes does to each tree that it applies to.

``python -m tools.fixes_table TREE... --write`` lays each patch over each tree in memory, checks it,
and has the scenarios of its finding run on a machine of the tree's own code, before and after.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import lazymmu
from lazymmu.problem import Problem
from lazymmu.verbs.check import CheckRequest, check
from lazymmu.verbs.given import Input
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["FIXES", "SHOWN", "FixResult", "main", "measured", "render", "rows_of"]

FIXES: Final = Path(__file__).parents[1] / "docs" / "findings" / "fixes"
_TABLE: Final = FIXES / "checked.md"
_SAME: Final = "nothing to compare"

SHOWN: Final = {
    "0001": ("x86", ("fork-outside-section",)),
    "0002": ("x86", ("swap-entry-zapped", "file-swap-entry-zapped")),
    "0003": ("x86", ("table-unlinked-twice",)),
    "0004": ("x86", ("fork-copies-exclusive-entry",)),
    "0005": ("x86", ("pagemap-scan-flushes-inside",)),
    "0006": ("x86", ("migrate-vma-flushes-inside",)),
    "0007": ("powerpc", ("kernel-tlb-flush-in-section",)),
}
"""For each patch the architecture on which its finding is, and the scenarios that are about it."""

_HEAD: Final = """\
---
orphan: true
---
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
# What each fix does to each tree

Each patch by itself, laid over the tree in memory: `lazymmu check --diff` on the architecture that
its finding is of, and `lazymmu verify --tree --diff` with the scenarios of the finding. Looked at
were {trees}; which is not here beside a patch does not take it. A machine that is
lifted from a tree has the tree's own mode and hooks, and all else of its own: a change of other
code does not reach it, both machines are the same one, and there is nothing to compare (exit
status 3). What such a change does is for `check` to say.

Made by `python -m tools.fixes_table TREE... --write`; do not edit.

| tree | patch | architecture | new | fixed | machine of the tree |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class FixResult:
    """What one patch does to one tree.

    release; patch: its number; arch; new, fixed: the findings, rule and function; machine: what
    scenarios come to before and after, in words.
    """

    release: str
    patch: str
    arch: str
    new: tuple[str, ...]
    fixed: tuple[str, ...]
    machine: str

    def line(self) -> str:
        """The row of the table."""
        cells = (
            self.release,
            self.patch,
            self.arch,
            ", ".join(self.new) or "0",
            ", ".join(self.fixed) or "0",
            self.machine,
        )
        return f"| {' | '.join(cells)} |\n"


def measured(tree: str, patch: Path, cache: str | None = None) -> FixResult | None:
    """Check a tree with a patch, and run its machine; None where the patch does not apply.

    :param tree: the directory of a kernel's source.
    :param patch: a mail of `FIXES`.
    :param cache: folder of the cache; None for nowhere.
    """
    number = patch.name[:4]
    arch, scenarios = SHOWN[number]
    diff = Input(patch.read_bytes(), patch.name)
    try:
        answer = check(
            CheckRequest(trees=[tree], arches=[arch], diff=diff, jobs=1, cache_dir=cache)
        )
    except Problem:
        return None
    (outcome,) = answer.outcomes
    change = outcome.change
    new = [one for one in outcome.verdicts if one.severity is not Severity.INFORMATION]
    return FixResult(
        outcome.result.tree.release,
        number,
        arch,
        tuple(f"{one.rule} in {one.function}()" for one in new),
        tuple(f"{one.rule} in {one.function}()" for one in change.fixed) if change else (),
        _machine(tree, diff, arch, scenarios, cache),
    )


def _machine(tree: str, diff: Input, arch: str, scenarios: Sequence[str], cache: str | None) -> str:
    """What becomes of scenarios on the tree's machine, before and after."""
    asked = lazymmu.VerifyRequest(
        scenarios=list(scenarios), arches=[arch], tree=tree, diff=diff, jobs=1, cache_dir=cache
    )
    try:
        answer = lazymmu.verify(asked)
    except Problem as error:
        return f"not lifted: {error}"
    if answer.same_machines:
        return _SAME
    told = {(one.scenario, "(before)" in one.release): str(one.verdict) for one in answer.verdicts}
    names = [name for name in scenarios if (name, True) in told and (name, False) in told]
    parts = [f"{name}: {told[name, True]}, then {told[name, False]}" for name in names]
    refused = dict.fromkeys(one.refused for one in answer.lifted if one.refused)
    parts += [f"not lifted: {reason}" for reason in refused]
    return "; ".join(parts) or "no run differs"


def render(rows: Sequence[FixResult], trees: Sequence[str]) -> str:
    """The page: what was measured, and the names of all trees that were looked at."""
    return _HEAD.replace("{trees}", ", ".join(trees)) + "".join(one.line() for one in rows)


def rows_of(page: str) -> Iterator[tuple[str, ...]]:
    """The cells of each row of a page."""
    for line in page.splitlines():
        cells = tuple(one.strip() for one in line.strip("|").split("|"))
        if len(cells) == 6 and cells[1] in SHOWN:
            yield cells


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", metavar="TREE", nargs="+")
    parser.add_argument("--write", action="store_true", help=f"write {_TABLE.name}")
    parser.add_argument("--cache-dir", metavar="DIR", help="folder of the cache")
    asked = parser.parse_args(arguments)
    rows = []
    for tree in asked.trees:
        for patch in sorted(FIXES.glob("*.patch")):
            row = measured(tree, patch, asked.cache_dir)
            if row is not None:
                rows.append(row)
                sys.stderr.write(row.line())
    text = render(rows, [Path(one).name for one in asked.trees])
    if asked.write:
        _TABLE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
