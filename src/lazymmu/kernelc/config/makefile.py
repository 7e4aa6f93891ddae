# SPDX-License-Identifier: GPL-2.0-or-later
"""One Makefile of a tree, carried out over words with presence conditions.

Nothing of it is executed. Read are assignments, conditionals, includes, defines and the functions
of make_functions.py; rules and recipes are not. A test that one configuration decides takes its
side. A test that it leaves open (a symbol that is free, what cannot be evaluated) takes both, each
with the condition under which it is the one that counts: what both assign is then there side
by side, and what a variable was before stays where a line that changes it is not read.

Limits: to a test all white space is one blank, and a value of blanks alone is empty; a Makefile
that grows or calls without end is cut, and that is a loss.
"""

from __future__ import annotations

import re
from functools import reduce
from posixpath import normpath
from typing import TYPE_CHECKING, Final, NamedTuple

from lazymmu.kernelc.config.make_bounds import MakeLimitError
from lazymmu.kernelc.config.make_variables import WORDS, WORK, Later, Setting, Variables
from lazymmu.kernelc.config.make_words import (
    UNKNOWN,
    Word,
    closing,
    commas,
    presence_of,
    sides,
    uncertain,
)
from lazymmu.kernelc.presence import (
    ALWAYS,
    NEVER,
    PresenceCondition,
    both,
    either,
    negated,
    simplify,
    uses_unevaluated,
)
from lazymmu.snapshot.conflict_markers import CONFLICT, conflicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Makefile", "Setting"]

_ASSIGN: Final = re.compile(
    r"\s*(?:override\s+|export\s+|private\s+)*"
    r"((?:[^\s:=+?$#(]|\$\([^()]*(?:\([^()]*\)[^()]*)*\))+)\s*"
    r"(:::=|:=|::=|\+=|\?=|=)\s*(.*)\Z",
    re.S,
)
_CONDITION: Final = re.compile(r"\s*(?:else\s+)?(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)\Z", re.S)
_RENAMES: Final = re.compile(r"([^\s%]*%[^\s%]*\.o)\s*:\s*([^\s%]*%[^\s%]*\.o)(?:\s|\Z)")
_INCLUDE: Final = re.compile(r"\s*(-|s)?include\s+(.+)")
_CALL: Final = re.compile(r"\s*\$[({]call\s+([\w.-]+)\s*(?:,(.*))?[)}]\s*\Z", re.S)
_DEEPEST: Final = 500
"""How deep conditionals may nest: a kernel's nest four deep."""

_RENAMED: Final = 200
"""Most rules that make objects from others; the most of 7.3 are 5."""

_LINE: Final = 5
_FILE: Final = 200
"""What a line and an included file count of the WORK that is done for one Makefile."""


_Tested = tuple[bool | None, PresenceCondition, PresenceCondition]
"""Whether a test holds (None: it is open), and under which conditions it and its opposite do."""


class _Branch(NamedTuple):
    """One open conditional.

    outer: is what is around it read; live: is its branch; done: was a branch taken for certain;
    presence: what the branch rests on, with what is around it; others: what the branches after it
    rest on.
    """

    outer: bool
    live: bool
    done: bool
    presence: PresenceCondition
    others: PresenceCondition


class Makefile(Variables):
    """The variables of one Makefile, each a list of words with presence conditions.

    renamed: patterns of objects that rules make from others, `%.pi.o` from `%.o`.
    """

    def read(self, rel: str) -> None:
        """Carry out the lines of the Makefile `rel`."""
        if rel in self._open or len(self._open) > 40:
            return
        outer = self._line_number
        self._work += _FILE
        raw = self.setting.tree.read(rel)
        if conflicts(raw):
            self.setting.tree.lose(rel, CONFLICT)
        text = raw.decode("utf-8", "replace")
        if self._open:
            # Included, and perhaps again and again.
            self.charge(len(text))
        self._open.append(rel)
        self._carry_out(text)
        self._open.pop()
        self._line_number = outer

    def _carry_out(self, text: str) -> None:
        branches: list[_Branch] = []
        define: list[str] = []
        lines = text.split("\n")
        index = 0
        while index < len(lines):
            line = lines[index]
            self._line_number = index + 1
            index += 1
            self._work += _LINE
            if self._work > WORK:
                self._lose("includes files without end")
                return
            if define:
                if line.strip().startswith("endef"):
                    self.variables[define[0]] = [Later("\n".join(define[1:]), ())]
                    define = []
                else:
                    define.append(line)
                continue
            parts = [line]
            while parts[-1].endswith("\\"):
                parts[-1] = parts[-1][:-1]
                parts.append(lines[index].strip() if index < len(lines) else "")
                index += 1
            stripped = " ".join(parts).strip()
            if not stripped or stripped[0] == "#":
                continue
            word = stripped.split(None, 1)[0]
            if word == "define":
                define = [stripped[6:].strip(" \t:=") or "define"]
            elif (word.startswith("if") or word in ("else", "endif")) and self._conditional(
                word, stripped, branches
            ):
                continue
            elif not branches:
                self._line(stripped, ())
            elif branches[-1].live:
                self._line(stripped, branches[-1].presence)

    def _conditional(self, word: str, line: str, branches: list[_Branch]) -> bool:
        """Carry out a line of a conditional; False when it is none."""
        match = _CONDITION.match(line)
        if word == "endif":
            if branches:
                branches.pop()
            return True
        before: PresenceCondition = ALWAYS
        last = branches[-1] if branches else None
        if word == "else":
            if last is None:
                return True
            branches.pop()
            if last.done or not last.outer:
                branches.append(_Branch(last.outer, False, True, (), ()))
                return True
            before = last.others
            last = branches[-1] if branches else None
        elif match is None:
            return False
        outer = last is None or last.live
        around = last.presence if last is not None else ALWAYS
        if len(branches) == _DEEPEST:
            self._lose("conditionals nest too deep")
        if not outer or len(branches) >= _DEEPEST:
            branches.append(_Branch(False, False, True, (), ()))
            return True
        truth: bool | None = True
        presence: PresenceCondition = ALWAYS
        others: PresenceCondition = ALWAYS
        if match is not None:
            truth, presence, others = self._tested(match[1], match[2])
        presence = both(around, both(before, presence))
        branches.append(
            _Branch(True, truth is not False, truth is True, presence, both(before, others))
        )
        return True

    def carry_out_text(self, text: str) -> None:
        """Read what `$(eval text)` is given as lines of the Makefile."""
        match = _CALL.match(text)
        body = self.variables.get(match[1], []) if match is not None else []
        if match is None or len(body) != 1 or not isinstance(body[0], Later):
            self._line(self._text(text), ())
            return
        arguments = ["", *commas(match[2] or "")]
        values = {str(index): self.expand(item) for index, item in enumerate(arguments)}
        for line in body[0].text.split("\n"):
            words = self.bound(values, line)
            self._line(" ".join(word for word, _ in words), presence_of(words))

    def _line(self, line: str, around: PresenceCondition) -> None:
        try:
            with self._budget.line():
                self._assign(line, around)
        except MakeLimitError as why:
            self._lose(str(why))
        except RecursionError:
            self._lose("nests too deep")

    def _assign(self, line: str, around: PresenceCondition) -> None:
        match = _ASSIGN.match(line)
        if match is None:
            self._other(line)
            return
        names = self.expand(match[1])
        if len(names) == 1:
            value = match[3].split("#", 1)[0] if "#" in match[3] else match[3]
            self._set(names[0], match[2], value, around)
        elif uncertain(presence_of(names)):
            value = match[3].split("#", 1)[0]
            for name in names:
                self._set(name, match[2], value, around)

    def _other(self, line: str) -> None:
        """Carry out an include, or functions that stand alone."""
        included = _INCLUDE.match(line)
        if included is None:
            rule = _RENAMES.match(line)
            if rule is not None:
                made, source = self._text(rule[1]), self._text(rule[2])
                if made.endswith(".o") and made.count("%") == source.count("%") == 1:
                    if len(self.renamed) < _RENAMED:
                        self.renamed.append((made, source))
                    else:
                        self._lose("makes objects by too many rules")
            elif line.startswith("$(") and closing(line, 1) == len(line) - 1:
                self.expand(line)
            return
        for path, _ in self.expand(included[2].split("#", 1)[0]):
            rel = normpath(path.lstrip("/"))
            if self.setting.tree.has(rel):
                self.read(rel)
            elif not included[1] and UNKNOWN not in rel and not _made(rel):
                self._lose(f"line {self._line_number} includes {rel}, which is not there")

    def _set(self, name: Word, operator: str, value: str, around: PresenceCondition) -> None:
        target = name[0].replace(UNKNOWN, "y")
        if target in self._fixed:
            return
        presence = both(around, name[1])
        new: list[Word | Later]
        known = self.variables.get(target)
        if operator == "?=" and (known is not None or self._decided(target)):
            if known is None or (lacking := _without(known, self._emptied[target])) is None:
                return
            presence = both(presence, lacking)
        if operator in ("=", "?=") or (operator == "+=" and known is None):
            self._late.add(target)
        elif operator != "+=":
            self._late.discard(target)
        if target in self._late and "$" in value:
            new = [Later(value, presence)]
        else:
            new = [(word, both(presence, own)) for word, own in self.expand(value)]
        if known is not None and operator in ("=", ":=", "::=", ":::=") and presence:
            # Where this line is not read, the variable is what it was.
            known = self.variables[target] = list(_kept(known, presence))
            self._own.add(target)
        if known is not None and (operator in ("+=", "?=") or presence):
            if target not in self._own:
                known = self.variables[target] = list(known)
            room = max(WORDS - len(known), 0)
            known += new[:room]
        else:
            room = WORDS
            self.variables[target] = new[:room]
        if operator != "+=" and not presence:
            self._emptied[target].clear()
        if not new and (operator != "+=" or known is None):
            self._emptied[target].append(presence)
        if len(new) > room:
            self._lose(f"`{target:.40}` grows without end")
        self._own.add(target)

    def _tested(self, kind: str, text: str) -> _Tested:
        """Return what `_test` does; of one that is beyond a bound both sides are read."""
        try:
            with self._budget.line():
                return self._test(kind, text)
        except MakeLimitError as why:
            self._lose(str(why))
        except RecursionError:
            self._lose("nests too deep")
        return None, self._here(), self._here()

    def _test(self, kind: str, text: str) -> _Tested:
        """Return whether a test holds, and what it and its opposite rest on; None: either."""
        wanted = kind in ("ifdef", "ifeq")
        if kind in ("ifdef", "ifndef"):
            left, right = self._value(text.split("#", 1)[0].strip()), []
            truth = bool(left)
        else:
            first, second = sides(text)
            left, right = self.expand(first), self.expand(second)
            truth = [word for word, _ in left] == [word for word, _ in right]
        words = [*left, *right]
        presence = presence_of(words)
        if any(UNKNOWN in word for word, _ in words):
            return None, presence, presence
        if uncertain(presence):
            return self._alternatives(kind, left, right, wanted)
        open_clauses = tuple(clause for clause in presence if self._is_open(clause))
        truth = truth == wanted
        if open_clauses:
            against = negated(open_clauses)
            return None, *((presence, against) if truth else (against, presence))
        return truth, presence if truth else ALWAYS, ALWAYS

    def _value(self, name: str) -> list[Word]:
        """Return what ifdef looks at: a text that is expanded later counts, whatever it gives."""
        found: list[Word] = []
        for word, presence in self.expand(name):
            late = [i for i in self.variables.get(word, ()) if isinstance(i, Later) and i.text]
            values = self.variable(word) or [("late", item.presence) for item in late]
            found += [(value, both(presence, own)) for value, own in values]
        return found

    def _alternatives(
        self, kind: str, left: list[Word], right: list[Word], wanted: bool
    ) -> _Tested:
        """Test a word that is another one on each side of an open test."""
        presence = presence_of([*left, *right])
        if kind in ("ifdef", "ifndef") or not left or not right or len(right) > 1:
            return None, presence, presence
        fitting = [own for word, own in left if (word == right[0][0]) == wanted]
        others = [own for word, own in left if (word == right[0][0]) != wanted]
        if not fitting or not others:
            return bool(fitting), ALWAYS, ALWAYS
        one, other = (reduce(either, side) for side in (fitting, others))
        return None, one, other


def _kept(known: Iterable[Word | Later], presence: PresenceCondition) -> Iterator[Word | Later]:
    """Yield what a variable has where something else is assigned under a condition.

    Of a test that cannot be evaluated both sides stay as they are.
    """
    against = tuple(clause for clause in negated(presence) if not uses_unevaluated(clause))
    for item in known:
        own = simplify(both(item[1], against))
        if not any(f"!{clause}" in own for clause in own):
            yield item._replace(presence=own) if isinstance(item, Later) else (item[0], own)


def _without(
    known: Sequence[Word | Later], emptied: Sequence[PresenceCondition]
) -> PresenceCondition | None:
    """Return the condition under which a variable was given no value; None: there is none.

    emptied: where it was given one without a word.
    """
    conditions = [*(item[1] for item in known), *emptied]
    if not conditions or any(map(uses_unevaluated, (c for own in conditions for c in own))):
        return None
    lacking = negated(reduce(either, conditions))
    return None if lacking == NEVER else lacking


def _made(rel: str) -> bool:
    """Tell whether a file is made by the build, so that a plain tree has it not."""
    return rel.startswith("include/config/") or "/generated/" in rel or rel.endswith(".cmd")
