# SPDX-License-Identifier: GPL-2.0-or-later
"""What the comments above the mode's API say, clause by clause, however it is worded.

People write "Nesting is not permitted", "sections may not be nested" and "the mode does not support
nesting", and mean one thing; stable kernels, distributions and posted series reword.  A clause is
what stands between full stops, semicolons or brackets; of one that speaks of pausing
nothing is taken, because pauses have a nesting of their own.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "asks_for_pairs",
    "clauses",
    "forbids_interrupts",
    "forbids_nesting",
    "forbids_sleeping",
    "ignores_interrupts",
    "permits_nesting",
    "promises_no_lock",
]

# What it is to be allowed, and not to be.
_FINE = r"(?:permitted|allowed|supported|possible|legal|valid|fine|ok|okay|safe|harmless)"
_BAD = (
    r"(?:forbidden|prohibited|disallowed|unsupported|illegal|invalid|impossible|unsafe|wrong"
    r"|an? (?:bug|error)|undefined)"
)
_MAY = r"(?:may|can|could|might|must|shall|should|will|do|does|are|is|was|be|need)"
_NOT = r"(?:not|never|no longer|neither|nor)"
_FEW = r"(?: [^ ]+){0,5}?"
"""Up to five words in between."""

_UNJUDGED = rf"(?: (?!{_FINE}\b)[^ ]+){{0,5}}?"
"""The same, of which none says already that something is allowed."""

_NEST: Final = r"(?:nest(?:s|ed|ing)?|recurs(?:e|es|ion|ively|ive)|re-?entered|re-?entr(?:y|ant))\b"

_NO_NESTING: Final = re.compile(
    rf"{_NEST}{_UNJUDGED}(?: {_MAY})? {_NOT}{_UNJUDGED} {_FINE}"
    rf"|{_NEST}{_UNJUDGED} {_MAY}(?: [^ ]+)? {_NOT}{_UNJUDGED} {_FINE}"
    rf"|{_NEST}{_UNJUDGED} {_MAY} {_BAD}"
    rf"|{_NEST} must be avoided|(?:avoid|forbid|prohibit|disallow)s? {_NEST}"
    rf"|\b{_MAY} {_NOT}(?: currently| yet| ever| themselves)?(?: be)?(?: allowed to| able to)?"
    rf"(?: support| allow| permit| call)?(?: be)? {_NEST}"
    rf"|\b(?:never|not|cannot|without|no)(?: be)? {_NEST}|non-?nest|not nestable|un-?nestable"
    rf"|{_NOT} {_FINE} to{_UNJUDGED} (?:nest|recurse)|{_BAD} to{_UNJUDGED} (?:nest|recurse)"
)
_NESTING: Final = re.compile(
    rf"{_NEST}{_FEW} {_MAY}(?: also| now| therefore| perfectly| explicitly)? {_FINE}"
    rf"|\b(?:may|can|could|might)(?: also| now| freely| safely| themselves| be)* {_NEST}"
    r"|\b(?:sections|calls|pairs|regions) nest\b"
    rf"|{_FINE} to{_FEW} (?:nest|recurse)|\bfree to nest|\bnestable"
    rf"|(?:allow|permit|support|tolerate|handle)(?:s|ed)?{_FEW} {_NEST}"
)

_IRQ: Final = (
    r"(?:(?:any |an |the )?(?:hard |soft )?(?:interrupts?|irqs?)(?: context| handlers?)?"
    r"|(?:atomic|interrupt|irq) context|in_interrupt)"
)
_IGNORED: Final = re.compile(
    rf"(?:disabled|off|inactive|suspended|ignored|no effect|no-?ops?|nothing|without effect)"
    rf"{_FEW} (?:in|from|within|inside){_FEW} {_IRQ}"
    rf"|(?:in|from|within|inside){_FEW} {_IRQ}{_FEW}(?: [^ ]+){{0,6}}? "
    rf"(?:disabled|inactive|ignored|no effect|no-?ops?|nothing|not active)"
)
_NO_IRQ: Final = re.compile(
    rf"(?:{_NOT}|must be avoided)(?: [^ ]+){{0,8}}? (?:in|from|within|inside){_FEW} {_IRQ}"
    rf"|{_BAD}{_FEW} (?:in|from|within|inside){_FEW} {_IRQ}"
)

_SLEEPING: Final = r"(?:sleep|block|schedule|wait|allocate with gfp_kernel)"
_NO_SLEEP: Final = re.compile(
    rf"(?:\b(?:may|must|can|shall|should|will|do|does) ?not|never|cannot|not (?:be )?{_FINE} to) "
    rf"{_SLEEPING}\b"
    rf"|\b(?:sleeping|blocking|scheduling){_FEW} (?:is|are) (?:{_NOT}{_FEW} {_FINE}|{_BAD})"
    r"|\b(?:no|without) (?:sleeping|blocking)|\bmust be atomic"
)

_NO_LOCK: Final = re.compile(
    r"\bno (?:[^ ]+ ){0,3}locks? (?:is|are|need|needs|has|have)(?: to)?(?: be)? "
    r"(?:guaranteed|held|required|taken)"
    r"|locks? (?:is|are) not (?:guaranteed|necessarily|required|always)"
    r"|assume(?: that)? preemption|preemption (?:may|can|might) be enabled|(?:may|can) be preempted"
)

_PAIRS: Final = re.compile(
    r"must (?:always )?(?:be paired|match|be balanced|come in pairs)|must be (?:properly )?balanced"
    r"|block of code using"
)

_PAUSING: Final = re.compile(r"\b(?:pause|paused|pausing|pauses|resume)\b")


def clauses(comment: str) -> tuple[str, ...]:
    """The clauses of comments: lower case, without comment marks, line breaks and hyphenation."""
    text = re.sub(r"(?m)^\s*(?:/\*+|\*+/|\*|//+)", " ", comment.lower())
    text = text.replace("()", "")
    text = re.sub(r"(?<=[a-z])-\n\s*(?=[a-z])", "", text)
    text = re.sub("n['\u2019]t\\b", " not", text).replace("cannot", "can not")
    text = re.sub(r"[`'\"*:,]|/\*|\*/|//", " ", text)
    parts = re.split(r"[.;!?()]+(?:\s|\Z)|\s\(|\n\s*\n", text)
    said = (" ".join(part.split()) for part in parts)
    return tuple(part for part in said if part)


def _any(pattern: re.Pattern[str], said: tuple[str, ...]) -> bool:
    return any(pattern.search(one) for one in said)


def _of_sections(said: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in said if not _PAUSING.search(one))


def forbids_nesting(said: tuple[str, ...]) -> bool:
    """Whether a clause says that a section may not stand in a section."""
    return _any(_NO_NESTING, _of_sections(said))


def permits_nesting(said: tuple[str, ...]) -> bool:
    """Whether a clause says that it may, and says nothing against it."""
    return any(_NESTING.search(one) and not _NO_NESTING.search(one) for one in _of_sections(said))


def ignores_interrupts(said: tuple[str, ...]) -> bool:
    """Whether calls are said to do nothing in interrupt context, or the mode to be off there."""
    return _any(_IGNORED, said)


def forbids_interrupts(said: tuple[str, ...]) -> bool:
    """Whether the mode is said not to be for interrupt context."""
    return _any(_NO_IRQ, said)


def forbids_sleeping(said: tuple[str, ...]) -> bool:
    """Whether a clause says that code may not sleep in the mode."""
    return _any(_NO_SLEEP, said)


def promises_no_lock(said: tuple[str, ...]) -> bool:
    """Whether no lock is promised, or preemption is to be reckoned with."""
    return _any(_NO_LOCK, said)


def asks_for_pairs(said: tuple[str, ...]) -> bool:
    """Whether beginnings and ends are to be paired."""
    return _any(_PAIRS, said)
