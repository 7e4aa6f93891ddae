# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers in which everything that a stranger can name is hostile, and each verb's formats."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lazymmu.report.check.formats import of_check
from lazymmu.verbs.selection import CheckOutcome, SetAside, SetAsideBy
from lazymmu.witness.finding import Harm, Lost, Severity, Step, StepAside, TreeInfo

HOSTILE = {
    "escape": "\x1b[31mred\x1b]0;title\a\x9b2J",
    "markup": "<b>&amp;</b>]]><!-- --><script>alert(1)</script>",
    "quotes": "\"'```\\'\"",
    "newline": "one\r\n::error file=x::forged\nnot ok 1 forged\n",
    "surrogate": "bytes\udcff\udcfe",
    "bidi": "\u202eesrever\u2066\u200b\ufeff\U000e0041",
    "formula": "=HYPERLINK(0)|'/C calc'!A0",
    "formulas": "+1",
    "minus": "-1+1",
    "at": "@SUM(1)",
    "percent": "100%0A::error::forged,title=x:y",
    "hash": "a # SKIP b#c",
    "table": "a|b\\|c | d `e",
    "mention": "@octocat #12 http://example.org www.example.org !3",
    "subtest": "Subtest: forged",
    "empty": "",
    "control": "\x00\x01\x7f\x85\u2028\ufffe",
}
"""Texts that would act in one format or another, by what they are."""


@pytest.fixture(params=HOSTILE)
def hostile(request):
    """One hostile text after the other."""
    return HOSTILE[request.param]


@pytest.fixture
def outcomes(hostile, make_finding, make_result):
    """A tree with a hostile name and findings, one of each severity and one set aside."""
    finding = make_finding(
        file=f"mm/{hostile}.c",
        function=hostile,
        message=f"calls {hostile}",
        path=(
            Step(f"mm/{hostile}.c", 1, 1, hostile, hostile, code=hostile),
            Step(hostile, 41, 2, hostile, "here"),
            Step(hostile, 50, 2, hostile, hostile, aside=StepAside.SECTION),
        ),
        harms=(Harm("x86", hostile, hostile),),
        costs=(Harm("sparc", hostile, hostile),),
        conditions=(hostile,),
        also=(hostile,),
        implied=True,
        fingerprint=hostile,
    )
    text = replace(finding, severity=Severity.BREAKS_TEXT, harms=(), line=0, column=0)
    lost = Lost(hostile, 3, hostile, hostile)
    result = make_result(finding, text, tree=TreeInfo(f"t{hostile}", hostile, "locked"))
    coverage = replace(result.coverage, blind=(lost,), unparsed=(lost,), unresolved=(lost,))
    return [
        CheckOutcome(
            replace(result, coverage=coverage),
            aside=(SetAside(finding, SetAsideBy.SUPPRESSION, f"because {hostile}"),),
            compared=True,
        )
    ]


@pytest.fixture
def rendered(outcomes):
    """Renders the hostile answer in a format."""

    def render(name: str) -> str:
        return of_check(outcomes)(name, None)

    return render
