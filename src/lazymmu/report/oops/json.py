# SPDX-License-Identifier: GPL-2.0-or-later
"""What the splats of texts are, for programs: one JSON object.

`oops.schema.json` beside this file describes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.report.common import document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.verbs.oops import Diagnosis, OopsAnswer

__all__ = ["FORMAT", "objects_of", "render"]

FORMAT = 1
"""Version of the layout."""


def render(answers: Sequence[OopsAnswer]) -> str:
    """One object: `texts`, each with its name and what was found in it."""
    return document.render(FORMAT, {"texts": objects_of(answers)})


def objects_of(answers: Sequence[OopsAnswer]) -> list[dict[str, Any]]:
    """The same as values, for a document that has more."""
    return [
        {"text": one.name, "oopses": [_diagnosis(each) for each in one.diagnoses]}
        for one in answers
    ]


def _diagnosis(one: Diagnosis) -> dict[str, Any]:
    splat, kernel, complaint = one.splat, one.kernel, one.complaint
    return {
        "line": splat.line,
        "verdict": str(one.verdict),
        "says": splat.head,
        "what": splat.what,
        "function": splat.function,
        "file": splat.file,
        "file_line": splat.at,
        "call_trace": list(splat.names),
        "arch": kernel.arch,
        "release": kernel.release,
        "read_as": kernel.like,
        "implementation": "" if kernel.row is None else kernel.row.name,
        "complaint": "" if complaint is None else complaint.name,
        "why": one.why,
        "below": one.holder[0],
        "holds_section": one.holder[1],
        "has_it": [] if complaint is None else list(complaint.rows),
        "rules": [] if complaint is None else list(complaint.rules),
        "source": "" if complaint is None else complaint.source,
        "check_gone": "" if one.gone is None else one.gone.like,
        "shown_by": [
            {
                "scenario": shown.scenario,
                "sentence": shown.sentence,
                "arch": shown.arch,
                "here": shown.here,
                "since": shown.since,
                "until": shown.until,
                "mended": shown.mended,
                "see": list(shown.see),
            }
            for shown in one.shown
        ],
        "known_bugs": [
            {"function": bug.function, "scenario": bug.scenario, "see": bug.see}
            for bug in one.known
        ],
        "record_next": list(one.next),
    }
