# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants mistakes in the hooks of a real tree, one at a time, and has `verify --tree` look.

``python -m tools.hook_mutants --write TREE`` tries them on all scenarios, the cheapest first, until
one comes to another verdict, breaks another rule, or the same with other preemptions. What became
of each is stored in tests/lift/hook_mutants.json, and docs/hook_mutants.rst is a table of it; why
nobody catches one stands in tests/lift/hook_mutants.toml. Each is stored as soon as it was tried;
``--seconds`` ends early, and the next run goes on with those that were not tried. Of a mutant that
was caught anywhere the scenario that did is the first one; ``--rest`` tries those again that nobody
caught, as after new scenarios, and ``--scenario`` asks those alone.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.tree_index import TreeIndex
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.steps import Steps
from lazymmu.lift.tree import MACHINES, install, uninstall
from lazymmu.litmus.run import Run, RunLimits, library, verify
from lazymmu.machine import releases
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.machine.verdict import SearchOutcome, Verdict
from lazymmu.witness.source.spoken_dialect import detect_dialect
from tools.hook_sites import HookMutant, mutants
from tools.mutants import judged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from lazymmu.lift.lifted import Lifted
    from lazymmu.litmus.scenario import Scenario

__all__ = [
    "DOCUMENT",
    "FILE",
    "JUDGED",
    "Caught",
    "HookCampaign",
    "main",
    "read",
    "render",
    "table",
]

TOP: Final = Path(__file__).parents[1]
FILE: Final = TOP / "tests" / "lift" / "hook_mutants.json"
JUDGED: Final = TOP / "tests" / "lift" / "hook_mutants.toml"
DOCUMENT: Final = TOP / "docs" / "hook_mutants.rst"
MADE: Final = ".. What follows is made by tools/hook_mutants.py --write.\n\n"
MORE: Final = 2000
"""States that a mutant's search may have more than four times those of the original."""
SEED: Final = 14


@dataclass(frozen=True, slots=True)
class Caught:
    """What became of one mutant.

    :param by: the scenario that shows it, "refused" where it cannot be lifted, "" for nobody.
    :param how: what it then says.
    """

    arch: str
    tree: str
    name: str
    by: str = ""
    how: str = ""


class HookCampaign:
    """One architecture of a tree, and what scenarios say of it as it is."""

    def __init__(
        self, tree: Tree, arch: str, scenarios: Iterable[Scenario], cache: Path | None = None
    ) -> None:
        """Lift it, and run all scenarios; raises Unliftable."""
        self.tree = tree
        self.arch = arch
        self.store = None if cache is None else Cache(cache)
        self.dialect = detect_dialect(tree)
        lifted = self._install(tree)
        self.view = lifted.linker.view
        self.mutants = list(mutants(self.view, lifted))
        known = [(one, self._verdict(one)) for one in scenarios]
        self.known = sorted(
            (pair for pair in known if pair[1].verdict is not SearchOutcome.NOT_APPLICABLE),
            key=lambda pair: pair[1].states,
        )
        uninstall(arch, "mutant")

    def catch(self, mutant: HookMutant, likely: Collection[str] = ()) -> Caught:
        """Return who notices a mutant first; likely: scenarios that are asked before others."""
        name = (self.arch, self.tree.release, mutant.name)
        try:
            self._install(self.tree.over({mutant.file: mutant.changed}))
            for scenario, known in sorted(self.known, key=lambda pair: pair[0].name not in likely):
                found = self._verdict(scenario, 4 * known.states + MORE)
                if _told(found) != _told(known):
                    return Caught(*name, scenario.name, _how(found, known))
        except Unliftable as problem:
            return Caught(*name, "refused", str(problem))
        finally:
            uninstall(self.arch, "mutant")
        return Caught(*name)

    def _install(self, tree: Tree) -> Lifted:
        index = TreeIndex(tree, cache=self.store)
        return install(tree, index, self.arch, "mutant", self.dialect, Steps.FINE)

    def _verdict(self, scenario: Scenario, most: int | None = None) -> Verdict:
        row = releases.find(self.arch, "mutant")[1].row
        return verify(Run(scenario, self.arch, "mutant", row), RunLimits(max_states=most))


def _told(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.verdict,
        verdict.never,
        frozenset((broken.rule, broken.preemptions) for broken in verdict.violations),
    )


def _how(found: Verdict, known: Verdict) -> str:
    mine = {broken.rule for broken in found.violations}
    theirs = {broken.rule for broken in known.violations}
    parts = [f"breaks {rule}" for rule in sorted(mine - theirs)]
    parts += [f"no longer breaks {rule}" for rule in sorted(theirs - mine)]
    if found.verdict != known.verdict and not parts:
        parts.append(f"{found.verdict}, and was {known.verdict}")
    return ", ".join(parts) or "with other preemptions"


# ---- what is stored, and the table ---------------------------------------------------------------


def render(tried: Iterable[Caught]) -> str:
    """Return the file that `read` reads."""
    return json.dumps([asdict(one) for one in tried], indent=1) + "\n"


def read(text: str) -> list[Caught]:
    """Return what `render` wrote."""
    return [Caught(**one) for one in json.loads(text)]


def _sorted(tried: Iterable[Caught]) -> list[Caught]:
    return sorted(tried, key=lambda one: (one.arch, one.tree, one.name))


def word(one: Caught, known: dict[str, judged.Reason]) -> str:
    """Return what became of one, in a word."""
    if one.by:
        return "refused" if one.by == "refused" else "caught"
    reason = known.get(one.name)
    return "survived" if reason is None else reason.word


def table(tried: Sequence[Caught], known: dict[str, judged.Reason]) -> str:
    """Return the part of the page that is made: a summary, and each mutant."""
    lines = []
    for arch, tree in dict.fromkeys((one.arch, one.tree) for one in tried):
        mine = [one for one in tried if (one.arch, one.tree) == (arch, tree)]
        count = Counter(word(one, known) for one in mine)
        told = ", ".join(f"{number} {what}" for what, number in sorted(count.items()))
        title = f"{arch}, {tree}"
        lines += [title, "-" * len(title), "", f"{len(mine)} mutants: {told}.", ""]
        lines += [".. list-table::", "   :header-rows: 1", "   :widths: 60 40", ""]
        lines += ["   * - change", "     - caught by"]
        for one in mine:
            reason = known.get(one.name)
            uncaught = f"*{reason.word}:* {reason.text}" if reason else "nobody"
            by = f"{one.by}: {one.how}" if one.by not in ("", "refused") else "refused"
            function, _, change = one.name.partition(": ")
            kind, _, text = change.partition(" ")
            lines.append(f"   * - {function}(): {kind} ``{text.strip('`')}``")
            lines.append(f"     - {by if one.by else uncaught}")
        lines.append("")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try mutants; 1 when one survives that nobody has judged."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.hook_mutants", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("tree", nargs="?", type=Path, help="a kernel tree; none: the table alone")
    parser.add_argument("--arch", action="append", choices=MACHINES, help="only this machine")
    parser.add_argument("--seconds", type=float, help="end after so many")
    parser.add_argument("--cache-dir", type=Path, help="folder of the tree's cache")
    parser.add_argument("--again", action="store_true", help="also those that were tried before")
    parser.add_argument("--rest", action="store_true", help="also those that nobody caught")
    parser.add_argument("--scenario", action="append", help="only this one; for more, again")
    parser.add_argument("--write", action="store_true", help="store it, and make the table anew")
    args = parser.parse_args(arguments)
    until = time.monotonic() + (args.seconds or float("inf"))
    stored = read(FILE.read_text(encoding="utf-8")) if FILE.exists() else []
    done = {(one.arch, one.tree, one.name): one for one in stored}
    known = judged.reasons(JUDGED)
    asked = [one for one in library() if not args.scenario or one.name in args.scenario]
    for arch in (args.arch or MACHINES) if args.tree is not None else ():
        campaign = HookCampaign(Tree.open(args.tree), arch, asked, args.cache_dir)
        chosen = random.Random(SEED).sample(campaign.mutants, len(campaign.mutants))
        for mutant in chosen:
            key = (arch, campaign.tree.release, mutant.name)
            before = done.get(key)
            again = args.again or (args.rest and before is not None and not before.by)
            if time.monotonic() > until or (before is not None and not again):
                continue
            likely = {one.by for one in done.values() if one.name == mutant.name}
            done[key] = one = campaign.catch(mutant, likely)
            if args.write:
                FILE.write_text(render(_sorted(done.values())), encoding="utf-8")
            sys.stdout.write(f"{word(one, known)}: {one.name} {one.by}: {one.how}\n")
            sys.stdout.flush()
        there = {one.name for one in campaign.mutants}
        mine = (arch, campaign.tree.release)
        done = {key: one for key, one in done.items() if key[:2] != mine or key[2] in there}
    tried = _sorted(done.values())
    if args.write:
        FILE.write_text(render(tried), encoding="utf-8")
        page = DOCUMENT.read_text(encoding="utf-8").partition(MADE)[0]
        DOCUMENT.write_text(page + MADE + table(tried, known), encoding="utf-8")
    return int(any(word(one, known) == "survived" for one in tried))


if __name__ == "__main__":
    sys.exit(main())
