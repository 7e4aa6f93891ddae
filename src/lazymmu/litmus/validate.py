# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a scenario's names stand for something: what the grammar cannot see.

Everything that is wrong is a LayoutError with the place of the name in question.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args, get_origin

from lazymmu.contract.event_fields import COMMON_FIELDS, field_types
from lazymmu.contract.events import EVENTS
from lazymmu.litmus import signature
from lazymmu.litmus.parse import LayoutError
from lazymmu.litmus.scenario import BARE, CONTEXT, LEVELS, exists, numbers, within
from lazymmu.litmus.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lazymmu.litmus.scenario import (
        EntryValue,
        Expect,
        ExpectationTarget,
        OperationLine,
        Pattern,
        Scenario,
    )

__all__ = ["FINALLY", "KnownNames", "check", "named"]

EVENTUALLY = "eventually"
"""What `watch` calls the property that nothing is pending for ever."""

_COSTS = ("hypercall", "barrier", "invalidation", "spurious fault")
_STATEMENTS = {"finally": "finally_", "always": "always", "cost": "cost"}
"""What `expect` may call a statement of the scenario that is not kept."""

FINALLY = "finally"
"""What `expect` calls a final state that the scenario rules out."""

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_RESERVED = {*BARE, "not", "if", signature.CURRENT}
_YES_NO = {"section", "paused", "interrupt"}
_MAX_INTERRUPT_TIMES = 3


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names that a scenario may use; None where anything goes."""

    operations: Mapping[str, str] | None
    implementations: Collection[str] | None
    rules: Collection[str]
    watched: Collection[str]
    releases: Collection[str] | None = None

    @classmethod
    def of(
        cls,
        operations: Mapping[str, str] | None,
        implementations: Collection[str] | None,
        rules: Collection[str] | None,
        releases: Collection[str] | None = None,
    ) -> KnownNames:
        """As given, with the contract's rules by default; those that machines show are watched."""
        if rules is not None:
            return cls(operations, implementations, rules, rules, releases)
        from lazymmu.contract.rules import RULES
        from lazymmu.contract.rules.rule import Witness

        watched = [name for name, rule in RULES.items() if Witness.MACHINE in rule.witnesses]
        return cls(operations, implementations, RULES, watched, releases)


def check(scenario: Scenario, known: KnownNames) -> None:
    """Raise LayoutError for the first name of `scenario` that stands for nothing."""
    if not _NAME.match(scenario.name):
        _fail(scenario, f"`{scenario.name}` is no scenario's name: lower case, digits and hyphens")
    if not scenario.tasks:
        _fail(scenario, "the scenario has no task")
    for rule in scenario.rules:
        _one_of(scenario, "rule", rule, known.rules)
    for rule in scenario.watch:
        _one_of(scenario, "rule that machines show", rule, [*known.watched, EVENTUALLY])
    names = _declared(scenario)
    _entries(scenario, names)
    _tasks(scenario)
    for program in scenario.programs:
        _operations(program.operations, known.operations, names)
    for pattern in scenario.occurs:
        _pattern(pattern, names)
    for invariant in (*scenario.always, *scenario.cost):
        ordered = invariant.compare not in ("=", "!=")
        if ordered and not (len(invariant.values) == 1 and invariant.values[0].isdecimal()):
            _fail(invariant, f"`{invariant.compare}` compares with one number")
    for limit in scenario.cost:
        _one_of(limit, "cost", limit.name, _COSTS)
        if limit.compare not in ("<", "<="):
            _fail(limit, "a cost has an upper limit: `<=` or `<`")
    for expected in scenario.expect:
        _expected(expected, scenario, known)


def named(pattern: Pattern) -> Pattern:
    """`pattern` with its fields named: values without a name are the event's own, in order."""
    if pattern.event not in EVENTS:
        near = difflib.get_close_matches(pattern.event, EVENTS, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        _fail(pattern, f"no event is called `{pattern.event}`{hint}")
    given: dict[str, str] = {}
    types = _types(pattern.event)
    own = [key for key, hint in types.items() if hint is not bool and key not in COMMON_FIELDS]
    for name, value in pattern.fields:
        key = name or next((one for one in own if one not in given), "")
        if not key:
            _fail(pattern, f"unexpected positional value `{value}` in `{pattern.event}`")
        if key in given:
            _fail(pattern, f"`{key}` is given twice")
        given[key] = value
    return replace(pattern, fields=tuple(given.items()))


def _declared(scenario: Scenario) -> dict[str, set[str]]:
    """The names of entries, locks, tasks and interrupts, each of which names one thing."""
    found: dict[str, str] = {}

    def declare(thing: Any, kind: str, name: str) -> None:
        # Several entries may have one lock; anything else is declared once.
        if name in found and (kind, found[name]) != ("lock", "lock"):
            _fail(thing, f"`{name}` is {_a(found[name])} already")
        if name in _RESERVED:
            _fail(thing, f"`{name}` is a word of the format and names nothing else")
        found[name] = kind

    for entry in scenario.entries:
        declare(entry, "entry", entry.name)
        if not entry.name[0].islower():
            _fail(entry, f"`{entry.name}` looks like a page: an entry begins with a small letter")
        if entry.space == "kernel" and entry.mm:
            _fail(entry, "a kernel entry is one of init_mm")
    for entry in scenario.entries:
        for lock in entry.locks:
            declare(entry, "lock", lock)
    for lock in scenario.locks:
        if lock in found:
            _fail(scenario, f"`{lock}` is {_a(found[lock])} already, and `locks` is for others")
        declare(scenario, "lock", lock)
    for mutex in scenario.mutexes:
        declare(scenario, "mutex", mutex)
    for program in scenario.programs:
        declare(program, "task" if program in scenario.tasks else "interrupt", program.name)
    kinds = ("entry", "lock", "mutex", "task", "interrupt")
    return {kind: {name for name, what in found.items() if what == kind} for kind in kinds}


def _entries(scenario: Scenario, names: Mapping[str, Collection[str]]) -> None:
    values: list[EntryValue] = [entry.value for entry in scenario.entries]
    levels = {entry.name: LEVELS.index(entry.level) for entry in scenario.entries}
    for entry in scenario.entries:
        if entry.parent:
            _one_of(entry, "entry", entry.parent, names["entry"])
            if levels[entry.parent] <= levels[entry.name]:
                _fail(entry, f"`{entry.parent}` is not above `{entry.name}`: look at their levels")
    for final in scenario.finally_:
        _one_of(final, "entry", final.entry, names["entry"])
        values += final.values
    for value in values:
        wrong = signature.bad_value(str(value))
        if wrong:
            _fail(value, wrong)
        for kind, there_are in names.items():
            if value.page in there_are:
                _fail(value, f"`{value.page}` is {_a(kind)} already, and no page")


def _tasks(scenario: Scenario) -> None:
    cpus = scenario.machine.cpus
    for program in scenario.programs:
        if program.cpu is not None and program.cpu >= cpus:
            _fail(program, f"there is no cpu{program.cpu}: the machine has `cpus {cpus}`")
    if all(task.forked for task in scenario.tasks):
        _fail(scenario.tasks[0], "every task is forked, so that none ever starts")
    used = {a for task in scenario.tasks for line in _all(task.operations) for a in line.args}
    for task in scenario.tasks:
        if task.forked and task.name not in used:
            _fail(task, f"no task forks `{task.name}`")
    for irq in scenario.interrupts:
        if not 1 <= irq.times <= _MAX_INTERRUPT_TIMES:
            _fail(irq, f"an interrupt happens 1 to {_MAX_INTERRUPT_TIMES} times")


def _operations(
    lines: Iterable[OperationLine], known: Mapping[str, str] | None, names: dict[str, set[str]]
) -> None:
    for line in _all(lines):
        name, args = line.name, line.args
        if name in ("if", "while"):
            args = args[args[:1] == ("not",) :]
            if not args or not line.body:
                _fail(line, f"`{name}` needs a predicate such as `pte_none p`, and lines below it")
            name, args = f"{name} {args[0]}", args[1:]
        if known is None:
            continue
        if name not in known and line.name in ("if", "while"):
            head = f"{line.name} "
            predicates = [one.removeprefix(head) for one in known if one.startswith(head)]
            _one_of(line, "predicate", name.removeprefix(head), predicates)
        elif name not in known:
            _one_of(line, "operation", name, list(known))
        wrong = signature.misfit(known[name], args, names, body=bool(line.body))
        if wrong:
            _fail(line, f"`{name}` {wrong}")


def _all(lines: Iterable[OperationLine]) -> Iterable[OperationLine]:
    for line in lines:
        yield line
        yield from _all(line.body)


def _types(event: str) -> dict[str, Any]:
    """The type of each field of an event that a pattern may ask for."""
    types = field_types(event)
    return {name: hint for name, hint in types.items() if name not in ("site", "seq")}


def _pattern(pattern: Pattern, names: dict[str, set[str]]) -> None:
    types = _types(pattern.event)
    runs = names["task"] | names["interrupt"]
    for key, value in pattern.fields:
        hint = types.get(key)
        if hint is None and key not in CONTEXT:
            _one_of(pattern, f"field of `{pattern.event}`", key, [*types, *CONTEXT])
        elif key in ("task", "child"):
            _one_of(pattern, "task", value, runs)
        elif key in ("entry", "lock"):
            _one_of(pattern, key, value, names[key])
        elif hint is None and key in ("pending", "held"):
            known = names["entry" if key == "pending" else "lock"] | {"yes", "no"}
            _one_of(pattern, "entry" if key == "pending" else "lock", value, known)
        elif hint is bool or (hint is None and key in _YES_NO):
            _either(pattern, key, value, ("yes", "no"))
        elif hint is None and key == "depth":
            _either(pattern, key, value, ("0", "1", "2", "3"))
        elif hint is int and not value.isdecimal():
            _fail(pattern, f"`{key}` is a number")
        elif get_origin(hint) is Literal:
            _either(pattern, key, value, get_args(hint))


def _expected(expected: Expect, scenario: Scenario, known: KnownNames) -> None:
    for target in expected.targets:
        for name in target.names if known.implementations is not None else ():
            _one_of(target, "architecture or feature", name, known.implementations or ())
        if target.since and target.until and not within(target.since, target.until):
            _fail(target, f"no release is from {target.since} and up to {target.until}")
        _release(target, known)
    watched = [*(scenario.watch or known.watched)]
    watched += [name for name, said in _STATEMENTS.items() if getattr(scenario, said)]
    for breach in expected.broken:
        _one_of(breach, "watched rule", breach.rule, watched)


def _release(target: ExpectationTarget, known: KnownNames) -> None:
    """Whatever is expected of must be a release that a machine stands for."""
    if known.releases is None or not (target.since or target.until):
        return
    there = [numbers(one) for one in known.releases]
    for name in {target.since, target.until} - {""}:
        if not exists(name):
            near = difflib.get_close_matches(name, known.releases, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            _fail(target, f"there is no Linux {name}{hint}")
    if target.since == target.until:
        if not any(one[: len(numbers(target.since))] == numbers(target.since) for one in there):
            known_ = ", ".join(known.releases)
            _fail(target, f"no machine is of Linux {target.since} itself; machines are of {known_}")
    elif not any(
        (not target.since or one >= numbers(target.since))
        and (not target.until or within(name, target.until))
        for name, one in zip(known.releases, there, strict=True)
    ):
        _fail(target, f"no machine is of a release {target.since}..{target.until}")


def _either(thing: Any, key: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        _fail(thing, f"`{key}` is one of {', '.join(allowed)}, not `{value}`")


def _one_of(thing: Any, kind: str, name: str, there_are: Collection[str]) -> None:
    if name not in there_are:
        near = nearest(name, there_are)
        few = f"; there are {', '.join(sorted(there_are))}" if 0 < len(there_are) < 8 else ""
        _fail(
            thing,
            f"there is no {kind} `{name}`" + (f"; did you mean `{near}`?" if near else few),
        )


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _fail(thing: Any, sentence: str) -> NoReturn:
    raise LayoutError(thing.line, thing.column, sentence)
