# SPDX-License-Identifier: GPL-2.0-or-later
"""Hold Linux kernel source, models of it and traces to the contract of the lazy MMU mode.

What the command line can, a program can::

    import lazymmu

    answer = lazymmu.check(lazymmu.CheckRequest(trees=["linux"], arches=["x86"], since="HEAD~1"))
    for finding in answer.findings:
        print(finding.file, finding.line, finding.message)

A request is a frozen value, an answer has what was found and how the command would end. `verify`
and `trace` work alike, and so does `sections`. Nothing is printed, and the process never ended;
what cannot be done is a `Problem`, whose text is one sentence. What a call needs is imported when
it is made, so that importing this package costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which takes a while to import
if TYPE_CHECKING:
    from lazymmu.problem import Problem
    from lazymmu.verbs.check import CheckAnswer, CheckRequest, check
    from lazymmu.verbs.cost import CostAnswer, CostRequest, cost
    from lazymmu.verbs.given import Input
    from lazymmu.verbs.history import HistoryAnswer, HistoryRequest, history
    from lazymmu.verbs.review.request import ReviewRequest
    from lazymmu.verbs.review.review import ReviewAnswer, review
    from lazymmu.verbs.sections import SectionsAnswer, SectionsRequest, sections
    from lazymmu.verbs.trace import TraceAnswer, TraceRequest, trace
    from lazymmu.verbs.verify import VerifyAnswer, VerifyRequest, verify

    __version__: str

_ROOMS = {
    "CheckAnswer": "check",
    "CheckRequest": "check",
    "HistoryAnswer": "history",
    "HistoryRequest": "history",
    "CostAnswer": "cost",
    "CostRequest": "cost",
    "Input": "given",
    "ReviewAnswer": "review.review",
    "ReviewRequest": "review.request",
    "SectionsAnswer": "sections",
    "SectionsRequest": "sections",
    "TraceAnswer": "trace",
    "TraceRequest": "trace",
    "VerifyAnswer": "verify",
    "VerifyRequest": "verify",
    "check": "check",
    "review": "review.review",
    "history": "history",
    "cost": "cost",
    "sections": "sections",
    "trace": "trace",
    "verify": "verify",
}
"""In which module of `lazymmu.verbs` each name is."""

__all__ = [
    "CheckAnswer",
    "CheckRequest",
    "CostAnswer",
    "CostRequest",
    "HistoryAnswer",
    "HistoryRequest",
    "Input",
    "Problem",
    "ReviewAnswer",
    "ReviewRequest",
    "SectionsAnswer",
    "SectionsRequest",
    "TraceAnswer",
    "TraceRequest",
    "VerifyAnswer",
    "VerifyRequest",
    "__version__",
    "check",
    "cost",
    "history",
    "review",
    "sections",
    "trace",
    "verify",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from lazymmu.version import version

        return version()
    if name == "Problem":
        from lazymmu.problem import Problem

        return Problem
    if name in _ROOMS:
        from importlib import import_module

        return getattr(import_module(f"lazymmu.verbs.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
