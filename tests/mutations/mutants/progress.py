# SPDX-License-Identifier: GPL-2.0-or-later
"""What came of the trees of a campaign so far, so that a long one can be run in pieces.

A tree is known by what is in it, and what came of it is good as long as the checker says the same:
who changes the checker begins anew.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .batches import Batch
from .judge import Report, Score
from .mutant import NO_RULES, Mutant


@dataclass(frozen=True, slots=True)
class Progress:
    """What is kept of each tree, one file each, and until when another may be begun."""

    folder: Path | None = None
    until: float | None = None

    @property
    def over(self) -> bool:
        """Whether there is no time left for another tree."""
        return self.until is not None and time.monotonic() > self.until

    def recall(self, batch: Batch, changes: Mapping[str, bytes]) -> Score | None:
        """What came of a tree, None where nothing is kept of it."""
        path = self._path(batch, changes)
        if path is None or not path.is_file():
            return None
        return _score(json.loads(path.read_text()), {m.number: m for m in batch.mutants})

    def keep(self, batch: Batch, changes: Mapping[str, bytes], score: Score) -> None:
        """Keep what came of a tree."""
        path = self._path(batch, changes)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(_plain(score), indent=1))

    def _path(self, batch: Batch, changes: Mapping[str, bytes]) -> Path | None:
        if self.folder is None:
            return None
        text = hashlib.blake2b(repr((batch.arches, sorted(changes.items()))).encode())
        return self.folder / f"{text.hexdigest()[:32]}.json"


def _plain(score: Score) -> dict[str, Any]:
    def numbers(mutants: list[Mutant]) -> list[int]:
        return [mutant.number for mutant in mutants]

    return {
        "caught": numbers(score.caught),
        "missed": numbers(score.missed),
        "alarms": numbers(score.alarms),
        "calm": numbers(score.calm),
        "false": [report.text for report in score.false],
        "said": {name: [report.text for report in said] for name, said in score.said.items()},
    }


def _score(kept: dict[str, Any], mutants: Mapping[int, Mutant]) -> Score:
    score = Score()
    score.caught = [mutants[number] for number in kept["caught"]]
    score.missed = [mutants[number] for number in kept["missed"]]
    score.alarms = [mutants[number] for number in kept["alarms"]]
    score.calm = [mutants[number] for number in kept["calm"]]
    score.false = _reports(kept["false"])
    score.said.update({name: _reports(texts) for name, texts in kept["said"].items()})
    return score


def _reports(texts: list[str]) -> list[Report]:
    """Reports of which only the text is kept: they were judged."""
    return [Report(NO_RULES, "", 0, frozenset(), text, text) for text in texts]
