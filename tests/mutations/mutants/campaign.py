# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants changes in a kernel tree and has lazymmu look for them; see docs/campaign.rst.

    python tests/mutations/mutants/campaign.py TREE ... [--kind REGEX] [--functions N] [--seed N]

It prints what was caught of each kind of mistake, each miss, and each finding about no mistake;
--write keeps that and makes docs/campaign.rst anew, also without a tree. With --keep it goes on
where it was stopped, by --minutes or otherwise; what was judged until then is told and written.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

if __package__ in {None, ""}:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[1]))

from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source.check import check
from mutants import batches, judge, overlay, page
from mutants.mutant import Mutant
from mutants.progress import Progress
from mutants.section import Section

Tell = Callable[[str], object]

Look = Callable[[Mapping[str, bytes], Sequence[str]], Sequence[judge.Report]]
"""What a tool says of a tree with some files changed, on some architectures."""


def silent(_text: str) -> None:
    """Tell nobody."""


def with_lazymmu(path: Path, cache: Path) -> Look:
    """lazymmu looking at the tree at `path`, with files changed in memory.

    Of a tree with twenty changes so little holds that to look for it, and to keep what there was
    of it, costs a sixth more than to look at all of it: only the tree as it is has a store.
    """
    tree = Tree.open(path)

    def look(changes: Mapping[str, bytes], arches: Sequence[str]) -> Sequence[judge.Report]:
        store = None if changes else cache
        result = check(tree.over(changes), arches=arches, cache_dir=store, jobs=1)
        return judge.of_findings(result.findings) + judge.of_losses(result.coverage.blind)

    return look


@dataclass(frozen=True, slots=True)
class Drawn:
    """What of all changes is planted: see `batches.drawn`; file: in which files."""

    kind: str = ""
    seed: int = 0
    functions: int | None = None
    sample: int | None = None
    file: str = ""


def run(
    path: Path,
    look: Look,
    wanted: Drawn,
    *,
    alone: bool = True,
    tell: Tell = silent,
    progress: Progress = Progress(),  # noqa: B008 - frozen
) -> judge.Score:
    """Judge a tool on changes in one tree.

    alone: what it does not get right among others is planted once more, with nothing else.
    """
    found = [s for s in batches.sections(path) if re.search(wanted.file, s.function.file)]
    arches = {section.in_arch or "x86" for section in found} | {"powerpc"}
    before: dict[tuple[str, ...], Sequence[judge.Report]]
    before = {(arch,): look({}, (arch,)) for arch in sorted(arches)}
    known = judge.broken([report for reports in before.values() for report in reports])
    chosen = planned(found, wanted, known)
    return over(path, look, chosen, before, alone=alone, tell=tell, progress=progress)


def planned(
    found: Sequence[Section], wanted: Drawn, known: Mapping[str, frozenset[str]]
) -> list[batches.Batch]:
    """The trees that changes are planted in."""
    mutants = batches.drawn(
        found,
        kind=wanted.kind,
        seed=wanted.seed,
        functions=wanted.functions,
        sample=wanted.sample,
        known=known,
    )
    return batches.packed(mutants)


def over(
    path: Path,
    look: Look,
    chosen: Sequence[batches.Batch],
    before: Mapping[tuple[str, ...], Sequence[judge.Report]],
    *,
    alone: bool,
    tell: Tell,
    progress: Progress = Progress(),  # noqa: B008 - frozen
) -> judge.Score:
    """Judge a tool on planned trees; `before` is what it says of the tree as it is.

    Once its time is over only those count of which it is known already what came of them.
    """
    score = judge.Score()
    judged = 0
    for number, batch in enumerate(chosen, start=1):
        planted, changes = batches.plant(path, batch.mutants)
        one = progress.recall(batch, changes)
        if one is None and progress.over:
            continue
        if one is None:
            one = judge.Score()
            one.add(planted, look(changes, batch.arches), before[batch.arches])
            if alone:
                one = _again(path, look, batch, one, before[batch.arches])
            progress.keep(batch, changes, one)
        score.take(one)
        judged += 1
        tell(
            f"{number} of {len(chosen)} trees: {len(score.caught)} caught, {len(score.missed)} "
            f"missed, {len(score.alarms)} false alarms, {len(score.calm)} calm"
        )
    score.trees = judged, len(chosen)
    score.planned.update(mutant.kind for batch in chosen for mutant in batch.mutants)
    return score


def _again(
    path: Path,
    look: Look,
    batch: batches.Batch,
    score: judge.Score,
    before: Sequence[judge.Report],
) -> judge.Score:
    """The score with each miss and each false alarm judged by itself."""
    result = judge.Score()
    doubted = [*score.missed, *score.alarms]
    if len(batch.mutants) == 1 or not doubted:
        return score
    result.caught, result.calm, result.false = score.caught, score.calm, score.false
    result.said.update(score.said)
    for mutant in doubted:
        planted, changes = batches.plant(path, [mutant])
        result.said.pop(mutant.name, None)
        result.add(planted, look(changes, batch.arches), before)
    return result


def lines(score: judge.Score) -> list[str]:
    """What is printed of a score: a table of kinds, each miss, each false report."""
    table = score.table()
    width = max(map(len, table), default=0)
    mistakes, right = len(score.caught) + len(score.missed), len(score.alarms) + len(score.calm)
    return [
        *(f"{kind:{width}} {caught:3} of {of:3}" for kind, (caught, of) in table.items()),
        f"{'mistakes caught':{width}} {len(score.caught):3} of {mistakes:3}",
        f"{'right code reported':{width}} {len(score.alarms):3} of {right:3}",
        *(f"missed: {mutant.name}" for mutant in score.missed),
        *(f"alarm: {mutant.name}" for mutant in score.alarms),
        *(f"false: {report.text}" for report in score.false),
    ]


def diff(path: Path, mutant: Mutant) -> str:
    """A change as a patch."""
    _, changes = batches.plant(path, [mutant])
    rows: list[str] = []
    for file, content in changes.items():
        old = path / file
        before = old.read_text(encoding="latin-1").split("\n") if old.is_file() else []
        after = content.decode("latin-1").split("\n")
        names = (f"a/{file}" if before else "/dev/null", f"b/{file}")
        rows += difflib.unified_diff(before, after, *names, n=2, lineterm="")
    return "\n".join(rows)


def patches(path: Path, score: judge.Score) -> Iterator[str]:
    """Each miss and each false alarm, with what was said of it, as a patch."""
    for what, mutants in (("missed", score.missed), ("alarm", score.alarms)):
        for mutant in mutants:
            yield f"==== {what}: {mutant.name}"
            if mutant.rules:
                yield f"wanted: {' or '.join(sorted(mutant.rules))}"
            yield from (f"said: {report.text}" for report in score.said[mutant.name])
            yield diff(path, mutant)


def _asked() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("tree", type=Path, nargs="*")
    parser.add_argument("--kind", default="", help="regular expression: what to plant")
    parser.add_argument("--file", default="", help="regular expression: where to plant it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--functions", type=int, default=2, help="for each kind; 0: all")
    parser.add_argument("--together", action="store_true", help="do not try misses once more alone")
    parser.add_argument("--patches", type=Path, help="where misses and false alarms are shown")
    parser.add_argument("--write", action="store_true", help="keep what came of it")
    parser.add_argument("--keep", type=Path, help="a directory for what was judged already")
    parser.add_argument("--minutes", type=float, help="when to stop before the next tree")
    return parser.parse_args()


@contextlib.contextmanager
def _place(keep: Path | None, tree: Path) -> Iterator[Path]:
    """A directory for the copy of a tree and what is known of it."""
    if keep is not None:
        yield keep / tree.name
        return
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


def _judged(tree: Path, asked: argparse.Namespace, until: float | None) -> judge.Score:
    """What came of one tree; as much of it as was kept is not done again."""
    wanted = Drawn(asked.kind, asked.seed, asked.functions or None, file=asked.file)
    with _place(asked.keep, tree) as place:
        # A tree without what no section reaches is read in a fraction of the time.
        copied = place / "linux"
        if not (place / "copied").exists():
            overlay.copy(tree, copied)
            (place / "copied").touch()
        return run(
            copied,
            with_lazymmu(copied, place / "cache"),
            wanted,
            alone=not asked.together,
            tell=lambda text: sys.stderr.write(f"{text}\n"),
            progress=Progress(place / "judged" if asked.keep else None, until),
        )


def main() -> None:
    """Run the program."""
    asked = _asked()
    until = None if asked.minutes is None else time.monotonic() + 60 * asked.minutes
    left = []
    for tree in asked.tree:
        score = _judged(tree, asked, until)
        judged, of = score.trees
        left += [f"{tree.name}: {judged} of {of} trees are judged"] if judged < of else []
        sys.stdout.write("\n".join([f"{tree.name}:", *lines(score), ""]))
        if asked.patches:
            with asked.patches.open("a") as out:
                out.write("\n".join([f"######## {tree.name}", *patches(tree, score), ""]))
        if asked.write:
            page.keep(Tree.open(tree).release, score, whole=not (asked.kind or asked.file))
    if asked.write:
        page.write()
    if left:
        raise SystemExit("\n".join([*left, "The same command goes on."]))


if __name__ == "__main__":
    main()
