# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a litmus file: text in, a `Scenario` out, or one sentence that says where and why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lark import Token, Transformer, v_args
from lark.exceptions import VisitError

from lazymmu.litmus import parse, validate
from lazymmu.litmus.error import LitmusError
from lazymmu.litmus.scenario import (
    PREEMPT,
    Breach,
    EntryDeclaration,
    EntryValue,
    Expect,
    ExpectationTarget,
    ExpectedOutcome,
    FinalClause,
    Invariant,
    IrqDeclaration,
    MachineDeclaration,
    OperationLine,
    Pattern,
    Scenario,
    TaskDeclaration,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lark.tree import Meta

__all__ = ["LitmusError", "read"]

MAX_FILE_CHARACTERS = 1 << 16
"""Characters of a file: forty times the longest that ships."""


def read(
    text: str,
    file: str = "<litmus>",
    *,
    operations: Mapping[str, str] | None = None,
    implementations: Collection[str] | None = None,
    rules: Collection[str] | None = None,
    releases: Collection[str] | None = None,
) -> Scenario:
    """The scenario in `text`.

    :param file: its name, for messages.
    :param operations: signatures by name (see `signature`), None for no check of operations.
    :param implementations: every architecture's and feature's name that `expect` may use, None for
        any.
    :param rules: what `watch`, `rule` and `expect` may name, None for the contract's.
    :param releases: those that machines are of, which `expect` must be about, None for any.
    :raises LitmusError: for the first thing that is wrong.
    """
    try:
        if len(text) > MAX_FILE_CHARACTERS:
            raise parse.LayoutError(
                1, 1, f"a litmus file has at most {MAX_FILE_CHARACTERS} characters"
            )
        scenario = _Reader(file).transform(parse.parse(text))
        validate.check(
            scenario, validate.KnownNames.of(operations, implementations, rules, releases)
        )
    except VisitError as error:
        if not isinstance(error.orig_exc, parse.LayoutError):
            raise error.orig_exc from None
        wrong = error.orig_exc
        raise LitmusError(file, wrong.line, wrong.column, wrong.sentence) from None
    except parse.LayoutError as wrong:
        raise LitmusError(file, wrong.line, wrong.column, wrong.sentence) from None
    return scenario


class _Section(NamedTuple):
    """One statement of a file: its keyword, what it says, and where."""

    keyword: str
    value: Any
    place: dict[str, int]


_MANY = ("claim", "bug", "rule", "see", "watch", "locks", "mutexes", "task", "interrupt")
_ONCE = ("machine", "entries", "occurs", "finally", "always", "cost", "expect", "also")


def _at(meta: Meta) -> dict[str, Any]:
    return {"line": meta.line, "column": meta.column}


def _texts(tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(str(token) for token in tokens)


@v_args(meta=True)
class _Reader(Transformer[Token, Scenario]):
    """Each method makes the value of the grammar's rule that it is named after."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file

    def start(self, _meta: Meta, children: list[Any]) -> Scenario:
        name, *rest = children
        strings = [part for part in rest if isinstance(part, Token)]
        sentence = " ".join(" ".join(text.strip('"').split()) for text in strings).strip()
        if not sentence:
            raise parse.LayoutError(
                strings[0].line or 1, strings[0].column or 1, "an empty sentence"
            )
        said: dict[str, list[Any]] = {key: [] for key in (*_MANY, *_ONCE)}
        for section in rest[len(strings) :]:
            if section.keyword in _ONCE and said[section.keyword]:
                raise parse.LayoutError(
                    section.place["line"],
                    section.place["column"],
                    f"`{section.keyword}` stands twice in this file",
                )
            said[section.keyword] += section.value
        return Scenario(
            name=str(name),
            sentence=sentence,
            claims=tuple(said["claim"]),
            bugs=tuple(said["bug"]),
            rules=tuple(said["rule"]),
            see=tuple(said["see"]),
            machine=said["machine"][0] if said["machine"] else MachineDeclaration(),
            locks=tuple(said["locks"]),
            mutexes=tuple(said["mutexes"]),
            entries=tuple(said["entries"]),
            tasks=tuple(said["task"]),
            interrupts=tuple(said["interrupt"]),
            watch=tuple(said["watch"]),
            occurs=tuple(said["occurs"]),
            finally_=tuple(said["finally"]),
            always=tuple(said["always"]),
            cost=tuple(said["cost"]),
            expect=(*said["expect"], *said["also"]),
            file=self.file,
            line=name.line,
            column=name.column,
        )

    def _list(self, meta: Meta, children: list[Any], keyword: str) -> _Section:
        return _Section(keyword, list(_texts(children)), _at(meta))

    def claim(self, meta: Meta, children: list[Token]) -> _Section:
        return self._list(meta, children, "claim")

    def bug(self, meta: Meta, children: list[Token]) -> _Section:
        return self._list(meta, children, "bug")

    def rule(self, meta: Meta, children: list[Token]) -> _Section:
        return self._list(meta, children, "rule")

    def watch(self, meta: Meta, children: list[Token]) -> _Section:
        return self._list(meta, children, "watch")

    def locks(self, meta: Meta, children: list[Token]) -> _Section:
        return self._list(meta, children, "locks")

    def mutexes(self, meta: Meta, children: list[Token]) -> _Section:
        return self._list(meta, children, "mutexes")

    def see(self, meta: Meta, children: list[Token]) -> _Section:
        return _Section("see", [" ".join(children[0].strip('"').split())], _at(meta))

    def machine(self, meta: Meta, children: list[tuple[Token, Token]]) -> _Section:
        given: dict[str, Any] = {}
        for name, value in children:
            if name in given:
                raise parse.LayoutError(
                    name.line or 1, name.column or 1, f"`{name}` is given twice"
                )
            _set(given, name, value)
        return _Section("machine", [MachineDeclaration(**given, **_at(meta))], _at(meta))

    def setting(self, _meta: Meta, children: list[Token]) -> tuple[Token, Token]:
        return children[0], children[1]

    def entries(self, meta: Meta, children: list[EntryDeclaration]) -> _Section:
        return _Section("entries", children, _at(meta))

    def entry(self, meta: Meta, children: list[Any]) -> EntryDeclaration:
        name, level, space, parent, mm, ptl, value = children
        return EntryDeclaration(
            str(name),
            str(level),
            str(space),
            value,
            locks=ptl or (),
            mm=mm or "",
            parent=parent or "",
            **_at(meta),
        )

    def parent(self, _meta: Meta, children: list[Token]) -> str:
        return str(children[0])

    def mm(self, _meta: Meta, children: list[Token]) -> str:
        return str(children[0])

    def ptl(self, _meta: Meta, children: list[Token]) -> tuple[str, ...]:
        return _texts(children)

    def value(self, meta: Meta, children: list[Token]) -> EntryValue:
        base, *flags = children[0].split(":")
        return EntryValue(base, tuple(flags), **_at(meta))

    def task(self, meta: Meta, children: list[Any]) -> _Section:
        name, place, mm, body = children
        task = TaskDeclaration(str(name), body, **(place or {}), mm=mm or "", **_at(meta))
        return _Section("task", [task], _at(meta))

    def place(self, _meta: Meta, children: list[Token | None]) -> dict[str, Any]:
        where = children[0]
        if where == "forked":
            return {"forked": True}
        return {"cpu": int(str(where)[3:]), "bound": children[1] is not None}

    def interrupt(self, meta: Meta, children: list[Any]) -> _Section:
        name, kind, place, times, body = children
        if place and (place.get("forked") or place["bound"]):
            raise parse.LayoutError(meta.line, meta.column, "an interrupt is `on` a CPU, no more")
        irq = IrqDeclaration(
            str(name),
            body,
            kind=kind or "hard",
            cpu=place["cpu"] if place else None,
            times=1 if times is None else times,
            **_at(meta),
        )
        return _Section("interrupt", [irq], _at(meta))

    def times(self, _meta: Meta, children: list[Token]) -> int:
        return int(children[0])

    def body(self, _meta: Meta, children: list[OperationLine]) -> tuple[OperationLine, ...]:
        return tuple(children)

    def operation(self, meta: Meta, children: list[Any]) -> OperationLine:
        return OperationLine(str(children[0]), tuple(children[1:]), **_at(meta))

    def nested(self, meta: Meta, children: list[Any]) -> OperationLine:
        return OperationLine(str(children[0]), tuple(children[1:-1]), children[-1], **_at(meta))

    def argument(self, _meta: Meta, children: list[Token]) -> str:
        return str(children[0])

    def occurs(self, meta: Meta, children: list[Pattern]) -> _Section:
        return _Section("occurs", children, _at(meta))

    def pattern(self, meta: Meta, children: list[Any]) -> Pattern:
        task, event, *fields = children
        named = (("task", str(task)),) if task else ()
        return validate.named(Pattern(str(event), (*named, *fields), **_at(meta)))

    def field(self, _meta: Meta, children: list[Token]) -> tuple[str, str]:
        return "", str(children[0])

    def named(self, _meta: Meta, children: list[Token]) -> tuple[str, str]:
        return str(children[0]), str(children[1])

    def finally_(self, meta: Meta, children: list[FinalClause]) -> _Section:
        return _Section("finally", children, _at(meta))

    def always(self, meta: Meta, children: list[Invariant]) -> _Section:
        return _Section("always", children, _at(meta))

    def cost(self, meta: Meta, children: list[Invariant]) -> _Section:
        return _Section("cost", children, _at(meta))

    def invariant(self, meta: Meta, children: list[str]) -> Invariant:
        name, compare, *values = children
        return Invariant(str(name), compare, tuple(map(str, values)), **_at(meta))

    limit = invariant

    def compare(self, _meta: Meta, children: list[Token]) -> str:
        return str(children[0])

    def equals(self, _meta: Meta, _children: list[Token]) -> str:
        return "="

    def held(self, _meta: Meta, children: list[Token]) -> str:
        return str(children[0])

    def final(self, meta: Meta, children: list[Any]) -> FinalClause:
        which, entry, *values = children
        return FinalClause(str(entry), tuple(values), str(which or "both"), **_at(meta))  # type: ignore[arg-type]

    def expect(self, meta: Meta, children: list[Expect]) -> _Section:
        return _Section("expect", children, _at(meta))

    def also(self, meta: Meta, children: list[Expect]) -> _Section:
        return _Section("also", [replace(one, also=True) for one in children], _at(meta))

    def expectation(self, meta: Meta, children: list[Any]) -> Expect:
        *targets, (outcome, broken) = children
        return Expect(tuple(targets), outcome, broken, **_at(meta))

    def target(self, meta: Meta, children: list[Token | None]) -> ExpectationTarget:
        *names, releases = children
        since, dots, until = (releases or "").partition("..")
        return ExpectationTarget(
            tuple(str(name) for name in names if name != "*"),
            since,
            until if dots else since,
            **_at(meta),
        )

    def outcome(
        self, _meta: Meta, children: list[Token]
    ) -> tuple[ExpectedOutcome, tuple[Breach, ...]]:
        return ExpectedOutcome(str(children[0])), ()

    def violated(
        self, _meta: Meta, children: list[Any]
    ) -> tuple[ExpectedOutcome, tuple[Breach, ...]]:
        found: list[dict[str, Any]] = []
        for part in children:
            if isinstance(part, Token):
                found.append({"rule": str(part), "line": part.line, "column": part.column})
                continue
            what, number, place = part
            if what in found[-1]:
                line, column = place
                raise parse.LayoutError(line, column, f"`{what}` is given twice")
            found[-1][what] = number
        return ExpectedOutcome.VIOLATED, tuple(Breach(**one) for one in found)

    def count(self, meta: Meta, children: list[Token]) -> tuple[str, int, tuple[int, int]]:
        what = "preemptions" if children[1].startswith("p") else "steps"
        return what, int(children[0]), (meta.line, meta.column)


# `finally` is a word of Python, so that no method can be called that.
setattr(_Reader, "finally", _Reader.finally_)


_SETTINGS = ("cpus", "preempt", "rt", "bound", "size")


def _set(given: dict[str, Any], name: Token, value: Token) -> None:
    """Take one setting of `machine:` into `given`; raises LayoutError for what there is not."""
    wrong = ""
    text = str(value)
    match str(name):
        case "cpus" if text in ("1", "2", "3"):
            given["cpus"] = int(text)
        case "cpus":
            wrong = "`cpus` is 1, 2 or 3"
        case "preempt" if text in PREEMPT:
            given["preempt"] = text
        case "preempt":
            wrong = f"`preempt` is one of {', '.join(PREEMPT)}"
        case "rt" if text in ("yes", "no"):
            given["rt"] = text == "yes"
        case "rt":
            wrong = "`rt` is yes or no"
        case "bound" if text.isdecimal():
            given["bound"] = int(text)
        case "bound":
            wrong = "`bound` is a number of preemptions"
        case "size" if text in ("small", "large"):
            given["size"] = text
        case "size":
            wrong = "`size` is small or large"
        case _:
            raise parse.LayoutError(
                name.line or 1,
                name.column or 1,
                f"a machine has no `{name}`; it has {', '.join(_SETTINGS)}",
            )
    if wrong:
        raise parse.LayoutError(value.line or 1, value.column or 1, wrong)
