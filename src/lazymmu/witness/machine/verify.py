# SPDX-License-Identifier: GPL-2.0-or-later
"""The second witness: asks an executable machine whether the contract can be broken, and how."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lazymmu.contract.deferral import ROW_BY_NAME, harm_sentence
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import RuleKind
from lazymmu.explore import replay, search
from lazymmu.machine import ConfigError
from lazymmu.machine.continuations import Continuations, functions, innermost
from lazymmu.witness.finding import Harm, Severity, Step
from lazymmu.witness.machine.eventually import waits_for_ever
from lazymmu.witness.machine.product_model import ProductModel, Query
from lazymmu.witness.machine.verdict import (
    COST,
    EVENTUALLY,
    HARMS,
    PSEUDO,
    Counterexample,
    SearchOutcome,
    StateChange,
    TraceStep,
    Verdict,
    pseudo_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from lazymmu.contract.monitor import Violation
    from lazymmu.explore import Engine, SearchPath, SearchProgress, SearchResult
    from lazymmu.machine import Machine
    from lazymmu.machine.context import StepContext
    from lazymmu.machine.continuations import Stack

__all__ = ["Query", "counterexample", "for_ever", "retrace", "verify"]


def verify(
    name: str,
    query: Query,
    *,
    model: type[ProductModel] = ProductModel,
    engine: Engine = "auto",
    bound: int | None = None,
    max_states: int | None = None,
    max_bytes: int | None = None,
    deadline: float | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
) -> Verdict:
    """Search everything that the machine of `query` can do, and say what came of it.

    `name`: of the scenario, for the verdict; `model`: which runs of the machine there are; the rest
    as for `explore.search()`.
    """
    config = query.config
    try:
        searched = model(query, cached=engine != "python")
    except ConfigError as problem:
        return Verdict(
            name, config.arch, config.release, "", SearchOutcome.NOT_APPLICABLE, reason=str(problem)
        )
    result = search(
        searched,
        engine=engine,
        bound=query.bound if bound is None else bound,
        max_states=max_states,
        max_bytes=max_bytes,
        deadline=deadline,
        progress=progress,
    )
    violations = tuple(
        counterexample(searched, label, path) for label, path in _objections(searched, result)
    )
    endless, seen = _endless(query, bound, max_states, violations)
    violations += endless
    never = tuple(
        str(situation)
        for number, situation in enumerate(searched.query.occurs)
        if f"occurs {number}" not in result.discoveries
    )
    # A bound that the query itself sets is a part of the query.
    covered = seen and (result.complete or (result.reason == "bound" and bound is None))
    return Verdict(
        scenario=name,
        arch=config.arch,
        release=searched.machine.release.name,
        feature=searched.machine.arch.row,
        verdict=_answer(violations, never, complete=covered),
        violations=violations,
        states=result.states,
        transitions=result.transitions,
        depth=result.depth,
        reason=result.reason or ("" if seen else "max_states"),
        never=never,
        seconds=result.seconds,
        engine=result.engine,
    )


def _endless(
    query: Query,
    bound: int | None,
    max_states: int | None,
    found: Sequence[Counterexample],
) -> tuple[tuple[Counterexample, ...], bool]:
    """What waits for ever in a loop, where that is asked; then whether all loops were seen."""
    if EVENTUALLY not in query.watch or any(one.rule == EVENTUALLY for one in found):
        return (), True
    most = query.bound if bound is None else bound
    forever = waits_for_ever(query, most, max_states)
    if forever.path is None:
        return (), forever.complete
    return (for_ever(forever.model, forever.path, forever.begin, forever.entry),), True


def for_ever(model: ProductModel, path: SearchPath, begin: int, entry: str) -> Counterexample:
    """The counterexample of a way that ends in a loop.

    :param path: the way to the loop, and once around.
    :param begin: how many steps of it stand before the loop.
    :param entry: what waits all along.
    """
    broken = counterexample(model, EVENTUALLY, path)
    way = list(broken.trace)
    note = f"from here again and again, and {entry} waits all along"
    way[begin] = replace(way[begin], note=note)
    return replace(broken, trace=tuple(way), again=begin + 1)


def _answer(
    violations: Sequence[Counterexample], never: Sequence[str], *, complete: bool
) -> SearchOutcome:
    if violations:
        # A counterexample is one whatever else was not seen.
        return SearchOutcome.VIOLATED
    if not complete:
        return SearchOutcome.INCONCLUSIVE
    return SearchOutcome.NEVER_OCCURS if never else SearchOutcome.HOLDS


def _objections(model: ProductModel, result: SearchResult) -> list[tuple[str, SearchPath]]:
    """What was shown that should not have been: worst harm first, then the shortest way."""
    bad = [*model.rules, *(label for label in model.labels if pseudo_of(label) in PSEUDO)]
    shown = [(label, result.discoveries[label]) for label in bad if label in result.discoveries]
    return sorted(shown, key=lambda item: (_gravity(item[0]), item[1].cost, len(item[1].steps)))


def _gravity(label: str) -> int:
    """Where harm stands among what is told: before the obligation that it comes of."""
    rule = pseudo_of(label)
    if rule == COST:
        return len(HARMS) + 1
    return HARMS.index(rule) if rule in HARMS else len(HARMS)


def counterexample(
    model: ProductModel, label: str, path: SearchPath, harm: str | None = None
) -> Counterexample:
    """What the last step of a path breaks, with the way there.

    :param label: what the step shows, a rule's name for one.
    :param harm: who is hurt, where that is known from before; by default what the deferral table
        says.
    """
    rule = pseudo_of(label)
    violation = _violation(model, label, path)
    if harm is None:
        harm = _harm(model, label, "" if violation is None else violation.detail)
    arch = model.machine.config.arch
    way = retrace(model, path)
    steps = tuple(_place(step) for step in way)
    last = steps[-1] if steps else Step("", 0, 0, "", "")
    return Counterexample(
        rule=rule,
        severity=_severity(rule, harm),
        arches=(arch,),
        file=last.file,
        line=last.line,
        function=last.function,
        message=PSEUDO[rule] if violation is None else RULES[rule].message(violation),
        path=steps,
        harms=(Harm(arch, harm),) if harm else (),
        preemptions=path.cost,
        steps=len(path.steps),
        trace=way,
    )


def _place(step: TraceStep) -> Step:
    """Where the kernel has a step; a switch has no code of its own, but passes through some."""
    stack, source = step.stack, step.citation
    if not stack and step.calls:
        stack, source = step.calls[-1]
    # What was lifted from a tree cites lines, what was written by hand cites files.
    file, _, line = source.rpartition(":")
    known = bool(file) and line.isdigit()
    function = stack[-1] if stack else ""
    return Step(file if known else source, int(line) if known else 0, 0, function, step.what)


def _severity(rule: str, harm: str) -> Severity:
    """Whom a broken rule hurts: an end that no scenario allows hurts, and so does harm itself."""
    known = RULES.get(rule)
    if known is not None and known.kind is RuleKind.INFORMATION:
        return Severity.INFORMATION
    return Severity.HURTS if harm or known is None else Severity.BREAKS_TEXT


def _violation(model: ProductModel, label: str, path: SearchPath) -> Violation | None:
    """The violation of a rule that the last step of a path is, None for what is no rule."""
    if label not in model.rules:
        return None
    *_, before, _after = replay(model, path)
    last = model.actions.index(path.steps[-1].action)
    broken = model.violations(list(before), last)
    return next((one for one in broken if one.rule == label), None)


def _harm(model: ProductModel, label: str, detail: str) -> str:
    """Who is hurt, in one sentence: a harm is its own; for an obligation the table says.

    `detail`: the violation's.
    """
    rule = RULES.get(label)
    if rule is None:
        return ""
    if rule.kind is RuleKind.HARM:
        return rule.sentence
    row = ROW_BY_NAME.get(model.machine.arch.row)
    return "" if row is None else harm_sentence(label, row, "unknown", detail) or ""


# ---- the way there -------------------------------------------------------------------------------


def retrace(model: ProductModel, path: SearchPath) -> tuple[TraceStep, ...]:
    """The steps of a path as reports print them: the machine takes them once more."""
    machine = model.machine
    numbers = {name: number for number, name in enumerate(model.actions)}
    states = list(replay(model, path))
    threads = machine.continuations
    machine.continuations = _Followed(cached=False)
    try:
        return tuple(
            _step(machine, numbers[taken.action], list(before), list(after))
            for taken, before, after in zip(path.steps, states, states[1:], strict=False)
        )
    finally:
        machine.continuations = threads


class _Followed(Continuations):
    """Continuations that remember where programs were whenever one had taken a step."""

    def __init__(self, *, cached: bool) -> None:
        super().__init__(cached=cached)
        self.visited: list[Stack] = []

    def after(self, stack: Stack, value: Hashable) -> Stack:
        """As in `Continuations`; nobody asks after a step that could not be taken."""
        self.visited.append(stack)
        return super().after(stack, value)


def _step(machine: Machine, number: int, before: list[object], after: list[object]) -> TraceStep:
    action = machine.actions[number]
    scene = machine.describe_step(before, number)
    followed = machine.continuations
    visited = followed.visited if isinstance(followed, _Followed) else []
    visited.clear()
    events = machine.step(list(before), number) or ()
    calls = dict.fromkeys((functions(stack), innermost(stack)) for stack in visited)
    here = machine.here(after, action.cpu)
    names = [spec.name for spec in machine.config.entries]
    return TraceStep(
        cpu=action.cpu,
        task=scene.task,
        stack=scene.stack,
        what=scene.what,
        citation=scene.source,
        pending=tuple(_waiting(machine, here)),
        stored=tuple((name, _value(here.entry(name).stored)) for name in names),
        effective=tuple((name, _value(here.entry(name).effective)) for name in names),
        tlb=tuple(_cached(here, names)),
        state=tuple(_changed(machine, before, after)),
        events=events,
        action=str(action),
        calls=tuple(call for call in calls if call[0]),
    )


def _waiting(machine: Machine, here: StepContext) -> list[str]:
    return [
        f"cpu{cpu}: {what} {entry}"
        for cpu in here.cpus
        for entry, what in machine.arch.pending(here, cpu)
    ]


def _cached(here: StepContext, names: Sequence[str]) -> list[str]:
    return [
        f"cpu{cpu}: {name} was {_value(value)}"
        for cpu in here.cpus
        for name in names
        for value in sorted(here.tlb(cpu, name).old)
    ]


def _changed(
    machine: Machine, before: Sequence[object], after: Sequence[object]
) -> Iterator[StateChange]:
    """The variables of implementation and tasks that the step changed."""
    for (name, _), old, new in zip(machine.fields, before, after, strict=False):
        if old != new and name.rpartition(".")[2] not in _ELSEWHERE:
            yield StateChange(name, _value(new), queue=isinstance(new, tuple))


_ELSEWHERE = {
    "owner",
    "curr",
    "panicked",
    "stack",
    "thread",
    "stored",
    "effective",
    "image",
    "old",
    "status",
    "settled",
}
"""Variables that a trace shows in columns of their own, or not at all."""


def _value(value: object) -> str:
    """A variable's value as the kernel's people would write it, and not as Python does."""
    match value:
        case None:
            return "none"
        case frozenset():
            return f"{{{', '.join(sorted(map(_value, value)))}}}"
        case tuple():
            return f"[{', '.join(map(_value, value))}]"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
