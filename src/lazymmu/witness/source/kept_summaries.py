# SPDX-License-Identifier: GPL-2.0-or-later
"""What calls come to, and the constants that they hand on, as plain values and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lazymmu.kernelc.ir import abstract_value
from lazymmu.kernelc.json_shapes import listed, mapped, numbers, string, strings
from lazymmu.witness.finding import Step
from lazymmu.witness.source.interproc.call_chains import CallChain, Summary

if TYPE_CHECKING:
    from lazymmu.kernelc.ir.abstract_value import Value
    from lazymmu.witness.source.interproc.call_targets import Binding
    from lazymmu.witness.source.interproc.summaries import CalleeSummaries
    from lazymmu.witness.source.moved_places import MovedPlaces

__all__ = ["Given", "binding_of", "given", "plain_binding", "plain_summaries", "summary_places"]

Given = Mapping[tuple[str, str, "Binding"], Summary]
"""What calls come to, by the file and name of whom they call, and with what."""

_MOST: Final = 1 << 31
_CLASSES: Final[Mapping[str, Any]] = {
    cls.__name__: cls
    for cls in (
        abstract_value.Int,
        abstract_value.AtLeast,
        abstract_value.NonZero,
        abstract_value.FunctionValue,
        abstract_value.AddressOf,
        abstract_value.AllocationMask,
        abstract_value.UserMm,
        abstract_value.LockOf,
    )
}


def plain_binding(binding: Binding) -> list[object]:
    """Return constants as plain values."""
    return [
        [name, None if value is None else [type(value).__name__, *value[:-1]]]
        for name, value in binding
    ]


def binding_of(plain: object) -> Binding:
    """Return the constants that plain values tell.

    :raises KeyError: they tell none.
    :raises TypeError: likewise.
    :raises ValueError: likewise.
    """
    found: list[tuple[str, Value]] = []
    for item in listed(plain):
        name, value = listed(item)
        made = None
        if value is not None:
            cls, *fields = listed(value)
            made = _CLASSES[string(cls)](*fields)
        found.append((string(name), made))
    return tuple(found)


def plain_summaries(summaries: CalleeSummaries) -> dict[str, object]:
    """Return what the calls come to that were asked for, each step once."""
    steps: dict[Step, int] = {}
    found: list[object] = []
    for definition, binding, summary in summaries.asked():
        chains = [
            [
                c.kind, c.what, [steps.setdefault(step, len(steps)) for step in c.steps],
                sorted(c.conditions), c.ambiguous, list(c.detail), c.tests,
            ]
            for some in summary.chains.values()
            for c in some
        ]  # fmt: skip
        key = [definition.file, definition.name, plain_binding(binding)]
        found.append([*key, summary.cut_at, chains])
    plain = [[s.file, s.line, s.column, s.function, s.note] for s in steps]
    return {"steps": plain, "summaries": found}


def summary_places(plain: object) -> list[tuple[str, int]]:
    """Return the places of the steps in what was kept, by file and line."""
    return [(step.file, step.line) for step in _steps(plain)]


def given(plain: object, moved: MovedPlaces) -> dict[tuple[str, str, Binding], Summary]:
    """Return what calls come to, with every line where it is now; without those with lines gone.

    :raises LookupError: it is nothing that was kept.
    :raises TypeError: likewise.
    :raises ValueError: likewise.
    """
    steps = [_moved(step, moved) for step in _steps(plain)]
    found: dict[tuple[str, str, Binding], Summary] = {}
    for item in listed(mapped(plain)["summaries"]):
        file, name, binding, cut_at, chains = listed(item)
        by_kind: dict[str, list[CallChain]] = {}
        gone = False
        for chain in listed(chains):
            kind, what, below, conditions, ambiguous, detail, tests = listed(chain)
            way = [steps[n] for n in numbers(below, 0, len(steps))]
            gone = gone or None in way
            made = CallChain(
                string(kind),
                string(what),
                tuple(step for step in way if step is not None),
                frozenset(strings(conditions)),
                ambiguous is True,
                tuple(strings(detail)),
                *numbers([tests], 0, _MOST),
            )
            by_kind.setdefault(made.kind, []).append(made)
        summary = {kind: tuple(some) for kind, some in by_kind.items()}
        if not gone:
            key = string(file), string(name), binding_of(binding)
            found[key] = Summary(summary, *numbers([cut_at], 0, _MOST))
    return found


def _moved(step: Step, moved: MovedPlaces) -> Step | None:
    try:
        return moved.step(step)
    except LookupError:
        return None


def _steps(plain: object) -> list[Step]:
    found = []
    for step in listed(mapped(plain)["steps"]):
        file, line, column, function, note = listed(step)
        line, column = numbers([line, column], 0, _MOST)
        found.append(Step(string(file), line, column, string(function), string(note)))
    return found
