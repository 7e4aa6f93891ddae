# SPDX-License-Identifier: GPL-2.0-or-later
"""A reply to a patch, as people on the lists write one; and a whole review as the text of a mail.

The quoted hunk, two or three sentences below it, the path with the lines of code, who is hurt and
in how many steps, and from which release on it is fine. What fits no width is not broken: a path
that is cut can neither be searched nor clicked.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.report.check.phrases import harms, headline
from lazymmu.report.common.words import clean
from lazymmu.report.review import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.snapshot.patches.diffs import FilePatch, Hunk
    from lazymmu.verbs.review.review import ReviewAnswer
    from lazymmu.verbs.review.values import NamedProblem, PatchReview
    from lazymmu.witness.finding import Finding, Step

__all__ = ["render", "reply"]

WIDTH: Final = 72
_MOST_QUOTED: Final = 24
"""Lines of a hunk that are quoted at most."""
_MOST_STEPS: Final = 8
_WORD: Final = re.compile(r"\w")


def render(answer: ReviewAnswer) -> str:
    """The whole review within 72 columns."""
    total = answer.submission.total
    headline = _wrapped(f"lazymmu review of {answer.submission.name}", hang="    ")
    lines = [*headline, *_wrapped(f"on {answer.base}", hang="    "), ""]
    for one in answer.shown:
        ids = " ".join(told.name for told in one.told) or "nothing of the lazy MMU mode changes"
        lines += _wrapped(f"{one.number}/{total} {one.submitted.subject}: {ids}", hang="    ")
        for told in one.told:
            lines += ["", *_problem(told, total, "  ")]
        if one.told:
            lines.append("")
    lines += ["", *_wrapped(f"Series: {sentences.series(answer)}.")]
    for title, said in (("Split?", sentences.split(answer)), ("Stable?", sentences.stable(answer))):
        told_lines = [line for one in said for line in _wrapped(one, "  ")]
        lines += ["", title, *told_lines] if told_lines else []
    return "".join(f"{clean(line)}\n" for line in lines)


def reply(answer: ReviewAnswer, number: int) -> str:
    """A reply to one patch of the series, headers and all, as a mail that may be sent.

    :raises Problem: there is no such patch, or nothing to say of it.
    """
    total = answer.submission.total
    review = next((one for one in answer.patches if one.number == number), None)
    if review is None:
        raise Problem(
            f"--mail {number}: there is no such patch among the {len(answer.patches)} at hand"
        )
    told = [*review.new, *review.postponed]
    if not told:
        raise Problem(f"--mail {number}: there is nothing to say of {number}/{total}")
    return _mail(review, "\n".join(_body(answer, review, told)) + "\n")


def _mail(review: PatchReview, body: str) -> str:
    sent = review.submitted.mail
    mail = EmailMessage(policy=SMTP.clone(linesep="\n", max_line_length=None, utf8=True))
    subject = sent.header("Subject") or review.submitted.subject
    mail["Subject"] = clean(subject if subject.lower().startswith("re:") else f"Re: {subject}")
    if sender := sent.header("From"):
        mail["To"] = clean(sender)
    if others := ", ".join(filter(None, (sent.header("To"), sent.header("Cc")))):
        mail["Cc"] = clean(others)
    if identity := clean(sent.identity):
        mail["In-Reply-To"] = identity
        mail["References"] = clean(" ".join(filter(None, (sent.header("References"), identity))))
    mail.set_content(body, charset="utf-8", cte="8bit")
    return mail.as_string()


def _body(answer: ReviewAnswer, review: PatchReview, told: list[NamedProblem]) -> Iterator[str]:
    sent = review.submitted.mail
    sender = clean(sent.header("From").partition("<")[0].strip().strip('"'))
    if date := clean(sent.header("Date")):
        yield from _wrapped(f"On {date}, {sender or 'you'} wrote:", hang="  ")
    last: Hunk | None = None
    for one in told:
        found = _hunk(review, one.finding)
        if found is not None and found[1] is not last:
            file, last = found
            yield from _quoted(file, last)
        yield ""
        yield from _problem(one, answer.submission.total, "", names=False)
        yield ""
    yield "-- "
    release = answer.base.release
    yield from _wrapped(
        f"lazymmu review (of the source, on Linux {release}): to see it again, "
        f"lazymmu review SERIES --show {told[0].name}"
    )


def _hunk(review: PatchReview, finding: Finding) -> tuple[FilePatch, Hunk] | None:
    """The hunk that a problem is best told at: around the culprit, else on the way to it."""
    places = [(finding.file, finding.line)]
    places += [(step.file, step.line) for step in finding.path[::-1] if not step.aside]
    hunks = [(file, hunk) for file in review.submitted.patch.files for hunk in file.hunks]
    for path, line in places:
        for file, hunk in hunks:
            first = hunk.at[1] + hunk.leading
            last = hunk.at[1] + len(hunk.new) - hunk.trailing
            if file.new == path and first <= line - 1 < max(last, first + 1):
                return file, hunk
    return next(((f, h) for path, _ in places for f, h in hunks if f.new == path), None) or (
        hunks[0] if hunks else None
    )


def _quoted(file: FilePatch, hunk: Hunk) -> Iterator[str]:
    """A hunk as it is quoted, in part where it is long."""
    yield clean(f"> --- a/{file.old or file.path}")
    yield clean(f"> +++ b/{file.new or file.path}")
    at = [place + 1 for place in hunk.at]
    yield f"> @@ -{at[0]},{len(hunk.old)} +{at[1]},{len(hunk.new)} @@"
    marked = list(_marked(hunk))
    for mark, line in marked[:_MOST_QUOTED]:
        text = (mark + line).decode("utf-8", "replace").rstrip("\n")
        # Tabs remain: what is quoted is to be found in what was sent.
        kept = "\t".join(map(clean, text.split("\t")))
        yield f"> {kept}".rstrip()
    if len(marked) > _MOST_QUOTED:
        yield "> [...]"


def _marked(hunk: Hunk) -> Iterator[tuple[bytes, bytes]]:
    """The lines of a hunk as a diff has them, each with its mark."""
    compared = difflib.SequenceMatcher(None, hunk.old, hunk.new, autojunk=False)
    for kind, old, until, new, end in compared.get_opcodes():
        if kind == "equal":
            yield from ((b" ", line) for line in hunk.old[old:until])
            continue
        yield from ((b"-", line) for line in hunk.old[old:until])
        yield from ((b"+", line) for line in hunk.new[new:end])


def _problem(told: NamedProblem, total: int, indent: str, *, names: bool = True) -> Iterator[str]:
    """What is wrong, the way there, who is hurt, from when on it is fine."""
    finding = told.finding
    head = f"{told.name} " if names else ""
    said = f"{head}{headline(finding)} [{finding.rule}]."
    if told.together:
        which = sentences.numbered(told.together, total)
        said += f" It takes {which} together: with one of them left out it is not there."
    if told.mended_by:
        said += f" {told.mended_by}/{total} mends it, so in between a bisection meets it."
    if told.origin is not None:
        said += f" It was in {told.origin.function}() of {told.origin.file} before."
    yield from _wrapped(said, indent)
    if told.name[:1] in "FM":
        return
    steps = [step for step in finding.path if step.with_path]
    if steps:
        yield ""
        yield from _steps(steps, finding, indent)
        yield ""
    for harm in harms(finding):
        yield from _wrapped(f"{harm[0].upper()}{harm[1:]}.", indent)
    if told.allowed_from:
        fine = f"From v{told.allowed_from} on this is allowed: it is fine there, and not here."
        yield from _wrapped(fine, indent)


def _steps(steps: list[Step], finding: Finding, indent: str) -> Iterator[str]:
    shown = steps if len(steps) <= _MOST_STEPS else [*steps[:4], *steps[-3:]]
    behind = False
    for step in shown:
        where = f"{step.file}:{step.line}"
        code = step.code or step.note
        # What comes of the mistake is told by its note, and so is a return by falling off the end.
        if (behind or not _WORD.search(step.code)) and code != step.note:
            code = f"{code} ({step.note})"
        behind = behind or (step.file, step.line) == (finding.file, finding.line)
        who = f"{step.function}(): " if step.function else ""
        yield clean(f"{indent}  {where} {who}{code}")
    if len(shown) < len(steps):
        yield f"{indent}  ({len(steps) - len(shown)} calls in between are left out)"


def _wrapped(text: str, indent: str = "", hang: str = "") -> list[str]:
    """A paragraph; hang: before its further lines, so that none begins with a sender's words."""
    return textwrap.wrap(
        clean(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
