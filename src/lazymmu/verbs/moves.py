# SPDX-License-Identifier: GPL-2.0-or-later
"""Which problem of one tree is which of another, when code was renamed or moved between them.

A finding names a rule, a file and a function. Files are renamed, functions are renamed, moved and
split; the problem then is the same, in another place. What is taken for it, the surest first:

* the function has moved to another file, and is where it was no more;
* the function has another name: the old one is defined no more, the new one was not, and most of
  the text is the same;
* the code at the culprit is the same, but for names that came with the change;
* the culprit comes to the same by a call of a function that was made for it, or is gone;
* what the culprit calls was called by a function, and is called by one that was made for it and is
  called from there, or the other way round;
* one of both functions came or went, and the paths begin in the same function, go through the same
  ones and end at code with the same names.

Each problem is matched once. A mistake that is made once more in a function that was there before
is none of these, whatever else was renamed.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.parse.slices import definitions
from lazymmu.witness.finding import StepAside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lazymmu.snapshot.tree import Tree
    from lazymmu.witness.finding import Finding, Step

__all__ = [
    "MIN_SIMILARITY",
    "also_broken",
    "broken_besides",
    "moves",
    "shape_of",
    "similarity",
    "told_within",
]

MIN_SIMILARITY: Final = 0.5
"""Share of lines that are the same in what is taken for one text, as git's for renamed files."""

MIN_SHAPE: Final = 0.6
"""How alike the paths of one problem are where the functions at their ends have other texts."""

_WORD: Final = re.compile(r"[A-Za-z_]\w*|\d\w*|[^\s\w]")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_CALL: Final = re.compile(r"\b([A-Za-z_]\w*)\s*\(")


class _Pair(NamedTuple):
    """Two findings that may be one problem, and how sure that is."""

    score: float
    old: int
    new: int


def moves(
    before: tuple[Tree, Sequence[Finding]], after: tuple[Tree, Sequence[Finding]]
) -> list[tuple[Finding, Finding]]:
    """Pair findings that are gone with those that are new, where both are one problem.

    :param before: a tree, and what it had that the other has not; after: the other way round.
    """
    if not before[1] or not after[1]:
        return []
    files = {finding.file for finding in (*before[1], *after[1])}
    old, new = _Texts(before[0], files), _Texts(after[0], files)
    pairs = [
        _Pair(score, number, other)
        for number, origin in enumerate(before[1])
        for other, finding in enumerate(after[1])
        if origin.rule == finding.rule and (score := _score(old, origin, new, finding)) > 0
    ]
    found: list[tuple[Finding, Finding]] = []
    left, right = set(range(len(before[1]))), set(range(len(after[1])))
    for pair in sorted(pairs, key=lambda pair: (-pair.score, pair.old, pair.new)):
        if pair.old in left and pair.new in right:
            left.discard(pair.old)
            right.discard(pair.new)
            found.append((before[1][pair.old], after[1][pair.new]))
    return sorted(found, key=lambda one: (one[1].file, one[1].line))


def shape_of(finding: Finding) -> str:
    """A name of a problem that stays when its function or file gets another; "" where none does.

    Two problems of one shape are not one: ask where the other is, too.
    """
    code = _WORD.findall(_code(finding))
    if not code:
        return ""
    through = [
        step.function
        for step in finding.path
        if not step.aside and step.function != finding.function
    ]
    said = "\0".join((finding.rule, *through, "", *code))
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest()


def told_within(finding: Finding, other: Finding) -> bool:
    """Whether a problem is told within another of the next tree.

    It is the same line of the same function: that which breaks the other's rule and this one as
    well, or one that comes of the other.
    """
    if finding.rule not in other.also:
        return False
    place = (finding.file, finding.function, _code(finding))
    return (other.file, other.function, _code(other)) == place or any(
        step.aside is StepAside.CONSEQUENCE and (step.file, step.function, step.code) == place
        for step in other.path
    )


def also_broken(finding: Finding, origin: Finding) -> tuple[str, ...]:
    """The rules that a problem breaks at its own place, and broke none of in the tree before.

    What comes of a section that is left open is none of these: it goes with that.
    """
    if any(step.aside is StepAside.CONSEQUENCE for step in origin.path):
        return ()
    return broken_besides(finding, (origin.rule, *origin.also))


def broken_besides(finding: Finding, known: Collection[str]) -> tuple[str, ...]:
    """The rules besides its own that a problem breaks at its place, without some that are known."""
    if any(step.aside is StepAside.CONSEQUENCE for step in finding.path):
        return ()
    return tuple(rule for rule in finding.also if rule not in known)


class _Texts:
    """The files of one tree that findings of either are in, and the functions that they define."""

    def __init__(self, tree: Tree, files: set[str]) -> None:
        self.texts = {rel: tree.read(rel) if tree.has(rel) else b"" for rel in files}
        self._bodies: dict[str, dict[str, str]] = {}
        self._words: set[str] | None = None

    def bodies(self, rel: str) -> dict[str, str]:
        """The definitions of a file by name."""
        if rel not in self._bodies:
            text = self.texts[rel]
            self._bodies[rel] = {
                one.name: text[one.start : one.end].decode("latin-1") for one in definitions(text)
            }
        return self._bodies[rel]

    def body(self, finding: Finding) -> str:
        """The text of the function that a finding is in."""
        return self.bodies(finding.file).get(finding.function, "")

    def defines(self, name: str) -> bool:
        """Whether one of the files defines a function."""
        return any(name in self.bodies(rel) for rel in self.texts)

    @property
    def words(self) -> set[str]:
        """Every name in any of the files."""
        if self._words is None:
            self._words = set()
            for text in self.texts.values():
                self._words |= set(_NAME.findall(text.decode("latin-1")))
        return self._words


def _score(old: _Texts, origin: Finding, new: _Texts, finding: Finding) -> float:
    """How surely two findings of one rule are one problem; 0 for not at all."""
    was, now = old.body(origin), new.body(finding)
    alike = similarity(was, origin.function, now, finding.function)
    line = _same_line(old, origin, new, finding)
    if origin.function == finding.function:
        if origin.file == finding.file:
            led = origin.message == finding.message and (
                _only_in(new, old, finding) or _only_in(old, new, origin)
            )
            return 3 + alike if line or led else 0
        left = origin.function not in new.bodies(origin.file)
        came = origin.function not in old.bodies(finding.file)
        return 4 + alike if left and came and (alike >= MIN_SIMILARITY or line) else 0
    gone = not new.defines(origin.function)
    made = not old.defines(finding.function)
    if gone and made and alike >= MIN_SIMILARITY:
        return 3 + alike
    # Split into a helper that the function calls, or taken back into its caller.
    split = made and _calls(new.bodies, origin, finding.function)
    joined = gone and _calls(old.bodies, finding, origin.function)
    if (split and _handed_on(origin, finding, was, new.body(origin))) or (
        joined and _handed_on(finding, origin, now, old.body(finding))
    ):
        return 1 + alike + line
    shape = _shape(origin, finding) if gone or made else 0.0
    return shape if shape >= MIN_SHAPE else 0


def _shape(origin: Finding, finding: Finding) -> float:
    """How alike two paths are: the functions that they go through, and the names at their ends.

    0 for paths that begin in different functions.
    """
    through = [
        [step.function for step in one.path if not step.aside and not _is_culprit(step, one)]
        for one in (origin, finding)
    ]
    if not through[0] or not through[1] or through[0][0] != through[1][0]:
        return 0.0
    functions = [set(names) for names in through]
    shared = len(functions[0] & functions[1]) / min(map(len, functions))
    old, new = (set(_NAME.findall(_code(one))) for one in (origin, finding))
    return (shared + len(old & new) / max(len(old), len(new), 1)) / 2


def _only_in(texts: _Texts, others: _Texts, finding: Finding) -> bool:
    """Whether a culprit calls a function that only its own tree defines."""
    return any(
        texts.defines(name) and not others.defines(name) for name in _CALL.findall(_code(finding))
    )


def _calls(bodies: Callable[[str], Mapping[str, str]], caller: Finding, callee: str) -> bool:
    """Whether the function of a finding calls another."""
    return _count(bodies(caller.file).get(caller.function, ""), callee) > 0


def _handed_on(whole: Finding, part: Finding, with_it: str, without: str) -> bool:
    """Whether a function has lost to another what both culprits call.

    :param whole: of the function that had all of it; part: of the other.
    :param with_it: the function's text where it had it all; without: where it has not.
    """
    shared = set(_CALL.findall(_code(whole))) & set(_CALL.findall(_code(part)))
    return any(_count(with_it, name) > _count(without, name) for name in shared)


def _count(body: str, callee: str) -> int:
    return len(re.findall(rf"\b{re.escape(callee)}\s*\(", body))


def similarity(was: str, old_name: str, now: str, new_name: str) -> float:
    """The share of lines that two functions have in common, their own names aside."""
    old, new = _lines(was, old_name), _lines(now, new_name)
    whole = max(old.total(), new.total())
    return (old & new).total() / whole if whole else 0.0


def _lines(text: str, name: str) -> Counter[str]:
    lines = (" ".join(_WORD.findall(line)) for line in text.split("\n"))
    return Counter(re.sub(rf"\b{re.escape(name)}\b", "@", line) for line in lines if line)


def _same_line(old: _Texts, origin: Finding, new: _Texts, finding: Finding) -> bool:
    """Whether the code at both culprits is the same, but for names that came with the change."""
    was, now = _WORD.findall(_code(origin)), _WORD.findall(_code(finding))
    if not was or len(was) != len(now):
        return False
    renamed: dict[str, str] = {}
    for one, other in zip(was, now, strict=True):
        if one == other:
            continue
        if not _NAME.fullmatch(one) or one in new.words or other in old.words:
            return False
        if renamed.setdefault(one, other) != other:
            return False
    return True


def _code(finding: Finding) -> str:
    """The line of the culprit as it stands in the source, "" if it is not known."""
    return next(
        (step.code for step in finding.path if _is_culprit(step, finding) and step.code), ""
    )


def _is_culprit(step: Step, finding: Finding) -> bool:
    return (step.file, step.line) == (finding.file, finding.line)
