# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes planted in kernels are caught, right code is not told, and names do not matter.

A sample is planted in the examples. Whole kernels take minutes to an hour: set LAZYMMU_MUTATIONS to
a regular expression for the kinds of changes (`.` for all), and LAZYMMU_KERNELS to where they are.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from mutants import campaign, page, rename

from lazymmu.contract.vocabulary import load
from lazymmu.witness.finding import CheckResult
from lazymmu.witness.source.check import check

EXAMPLES = Path(__file__).parents[2] / "examples"

WANTED = os.environ.get("LAZYMMU_MUTATIONS", "")

long = pytest.mark.skipif(not WANTED, reason="takes long: set LAZYMMU_MUTATIONS=. to run it")

Trees = Callable[[str], Path]


@pytest.mark.parametrize("release", ["linux-old", "linux-new"])
def test_a_sample_of_changes_is_told_apart(release: str, tmp_path: Path) -> None:
    """What is told apart in kernels is so in the examples: of mistakes each, of right code none."""
    tree = EXAMPLES / release
    sure = "|".join(map(re.escape, sorted(page.told_apart())))
    wanted = campaign.Drawn(kind=f"^({sure})$", seed=1, functions=1, sample=60)
    score = campaign.run(tree, campaign.with_lazymmu(tree, tmp_path / "cache"), wanted)
    assert not score.missed + score.alarms, "\n".join(campaign.lines(score))
    assert not score.false, "\n".join(campaign.lines(score))
    assert len(score.caught) > 20
    assert len(score.calm) > 5


def test_the_page_is_made_of_the_record() -> None:
    """docs/campaign.rst says what the last campaign of each release came to, and nothing else."""
    made = page.PAGE.read_text().partition(page.MARK)[2]
    assert made.strip() == "\n".join(page.made(page.record())).strip()


@long
@pytest.mark.parametrize("release", ["5.10", "6.12.8", "7.3"])
def test_changes_of_real_code_are_told_apart(
    release: str, kernel_tree: Trees, tmp_path: Path
) -> None:
    """A mistake planted in any section is found there by its rule, and what is none is not."""
    wanted = campaign.Drawn(kind=WANTED, functions=2)
    tree = kernel_tree(release)
    score = campaign.run(tree, campaign.with_lazymmu(tree, tmp_path / "cache"), wanted)
    doubted = [each.name for each in (*score.missed, *score.alarms)]
    assert not [name for name in doubted if page.why(f"{release}: {name}") is None]
    assert not score.false, "\n".join(campaign.lines(score))
    assert score.caught or score.calm


def places(result: CheckResult, name: Callable[[str], str]) -> Counter[tuple[object, ...]]:
    """A result without its texts: a renaming keeps every line where it is."""
    return Counter(
        (f.file, f.line, name(f.function), f.rule, f.also, f.arches, f.confidence, f.conditions)
        for f in result.findings
    )


def shown(some: Iterable[tuple[object, ...]]) -> str:
    """The entries, a line each."""
    return "\n".join(map(str, some))


@long
@pytest.mark.parametrize("release", ["6.12.8", "7.3"])
def test_names_of_functions_do_not_matter(release: str, kernel_tree: Trees, tmp_path: Path) -> None:
    """With every function of mm/ renamed but the vocabulary, the findings are the same."""
    tree = kernel_tree(release)
    words = rename.names(tree, load().names)
    assert len(words) > 1000
    renamed = rename.rename(tree, tmp_path / "linux", words)
    before = places(check(tree), str)
    after = places(check(renamed), rename.original)
    assert before
    assert not before - after, shown(before - after)
    assert not after - before, shown(after - before)
