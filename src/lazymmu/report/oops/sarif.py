# SPDX-License-Identifier: GPL-2.0-or-later
"""What the splats of texts are as SARIF: one run per text, whose locations are lines of it.

A splat is a result of the first rule that it says was broken. One that may have other reasons is a
warning; one that is not of the mode informs only, and has no rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.report.common import sarif
from lazymmu.report.common.words import clean
from lazymmu.report.oops.text import kernel_words
from lazymmu.verbs.oops import OopsVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lazymmu.report.common.sarif import Described
    from lazymmu.verbs.oops import Diagnosis, OopsAnswer

__all__ = ["runs"]

_LEVELS = {
    OopsVerdict.OF_THE_MODE: "error",
    OopsVerdict.PERHAPS: "warning",
    OopsVerdict.OTHER: "note",
}


def runs(answers: Sequence[OopsAnswer], rules: Mapping[str, Described]) -> Iterator[dict[str, Any]]:
    """One run for each text.

    :param rules: `contract.rules.RULES`.
    """
    for answer in answers:
        yield sarif.run(
            [_result(answer.name, one, rules) for one in answer.diagnoses],
            rules=rules,
            notifications=[],
            properties={"form": "oops"},
            category=f"oops/{answer.name}".removesuffix("/"),
        )


def _result(name: str, one: Diagnosis, rules: Mapping[str, Described]) -> dict[str, Any]:
    complaint, splat = one.complaint, one.splat
    shown = [f"shown by the scenario {each.scenario}" for each in one.shown]
    text = sarif.sentences([f"{splat.head}: {one.why}", kernel_words(one.kernel), *shown])
    broken = [] if complaint is None else [rule for rule in complaint.rules if rule in rules]
    place = sarif.location(name, splat.line, function=splat.function, snippet=clean(splat.head))
    return {
        **({"ruleId": broken[0], "ruleIndex": sorted(rules).index(broken[0])} if broken else {}),
        "level": _LEVELS[one.verdict],
        "kind": "informational" if one.verdict is OopsVerdict.OTHER else "fail",
        "message": {"text": clean(text)},
        "locations": [place],
        "properties": {
            "verdict": str(one.verdict),
            "complaint": "" if complaint is None else complaint.name,
            "rules": broken,
            "arch": one.kernel.arch,
            "release": one.kernel.release,
            "scenarios": [each.scenario for each in one.shown],
        },
    }
