# SPDX-License-Identifier: GPL-2.0-or-later
"""A review as SARIF: one run, in which each result says which patch it is of, and how it stands.

What is new and what is postponed is `new`, what moved `updated`, what is mended `absent`; what is
not seen any more is `unchanged` for all that is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lazymmu.contract.rules import RULES
from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common import sarif
from lazymmu.report.common.words import clean

if TYPE_CHECKING:
    from lazymmu.verbs.review.review import ReviewAnswer
    from lazymmu.verbs.review.values import NamedProblem, PatchReview
    from lazymmu.witness.finding import Step

__all__ = ["render"]

_STATES: Final = {"N": "new", "P": "new", "M": "updated", "F": "absent", "U": "unchanged"}


def render(answer: ReviewAnswer) -> str:
    """The whole review."""
    last = answer.results[-1]
    notes = [sarif.notification("warning", sentence) for sentence in answer.losses]
    notes += [
        sarif.notification(
            "warning",
            f"{lost.name or lost.file} was not seen: {lost.reason}",
            sarif.location(lost.file, lost.line) if lost.file else None,
        )
        for lost in answer.blind
    ]
    run = sarif.run(
        [_result(told, one) for one in answer.shown for told in one.told],
        rules=RULES,
        notifications=notes,
        properties={
            "release": last.tree.release,
            "dialect": last.tree.dialect,
            "arches": list(last.arches),
            "base": str(answer.base),
        },
        category=f"review/{answer.submission.name}",
        complete=not answer.losses,
    )
    return sarif.log([run])


def _result(told: NamedProblem, review: PatchReview) -> dict[str, Any]:
    finding = told.finding

    def place(step: Step) -> dict[str, Any]:
        return sarif.location(
            step.file, step.line, step.column, function=step.function, note=step.note,
            snippet=clean(step.code),
        )  # fmt: skip

    return sarif.result(
        finding,
        sarif.sentences([headline(finding), *harms(finding)]),
        sarif.location(finding.file, finding.line, finding.column, function=finding.function),
        [place(step) for step in finding.path if not step.aside],
        rules=RULES,
        properties={
            "id": told.name,
            "patch": review.number,
            "subject": review.submitted.subject,
            "messageId": review.submitted.mail.identity.strip("<>"),
            "mendedBy": told.mended_by or None,
            "together": list(told.together),
        },
        more={"baselineState": _STATES[told.name[:1]]},
    )
