# SPDX-License-Identifier: GPL-2.0-or-later
"""What a model is, and what a search of it says.

A model is a tuple of fields, a state to begin with, and a function that takes one step. It says
which steps it shows something by *labels*: a violation, an occurrence, a step that costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

__all__ = [
    "MAX_ACTIONS",
    "MAX_LABELS",
    "Model",
    "ModelError",
    "PathStep",
    "SearchPath",
    "SearchProgress",
    "SearchResult",
    "StateField",
    "StateView",
    "check_model",
    "check_values",
    "label_names",
    "replay",
]

MAX_LABELS = 60
"""Labels are the bits of a mask that has to fit a signed machine word, with room to spare."""

MAX_ACTIONS = 60_000
"""The action that led to a state is kept in 16 bits."""


class ModelError(ValueError):
    """The model is at fault; the message is one sentence that says how."""


@dataclass(frozen=True, slots=True)
class StateField:
    """One part of a state.

    `values` is the number of its values, which are then the integers from 0 on; or None, and any
    hashable value will do. Two values that compare equal are the same value.
    """

    name: str
    values: int | None = None


class StateView(Protocol):
    """A state as a step sees it: values by field number, which it may also set."""

    def __getitem__(self, index: int, /) -> Any: ...

    def __setitem__(self, index: int, value: Any, /) -> None: ...

    def __len__(self) -> int: ...


class Model(Protocol):
    """Anything that moves from state to state in steps.

    `step` and `final` must depend on nothing but what they read from the state, and must change
    nothing else: the fast engines run them once for everything that they can read.
    """

    @property
    def fields(self) -> tuple[StateField, ...]:
        """The parts of a state."""

    @property
    def initial(self) -> tuple[Hashable, ...]:
        """The state to begin with: a value for each field."""

    @property
    def actions(self) -> tuple[str, ...]:
        """Everything that can happen next; the order decides between equally short paths."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What a step can show, at most `MAX_LABELS` things; label n is bit n of a mask."""

    @property
    def costly(self) -> int:
        """The mask of the labels that make a step cost 1; other steps cost nothing."""

    def step(self, state: StateView, action: int, /) -> int | None:
        """Take one step in place: the mask of labels shown, or None where it cannot be taken."""

    def final(self, state: StateView, /) -> int:
        """The mask of labels that a state shows in which no action can be taken."""


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a path: the action's name, and the labels that it showed."""

    action: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchPath:
    """Steps from the initial state on, what they cost, and what the last state shows as final."""

    steps: tuple[PathStep, ...]
    cost: int
    final: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """How far a search has come: the level is the cost and the number of steps of its states."""

    states: int
    transitions: int
    cost: int
    steps: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found.

    `complete` says that all states were seen; if not, `reason` names what ended the search:
    "bound", "max_states", "max_bytes", "deadline", "stop" or "interrupt". `depth` is the greatest
    number of steps on any state's first path. `shown` has the first showing of each label that
    was discoveries: the least cost, then the fewest steps, then the first in the order of levels,
    states and actions, which is the same in all engines. Where the search was ended early, a
    showing with more cost than others may have a cheaper one that was not found yet.
    `taken` counts for each action how often it was taken, `calls` the calls of the model.
    """

    complete: bool
    reason: str
    states: int
    transitions: int
    depth: int
    discoveries: Mapping[str, SearchPath]
    taken: tuple[int, ...]
    engine: str
    seconds: float
    calls: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "discoveries", MappingProxyType(dict(self.discoveries)))


def label_names(model: Model, mask: int) -> tuple[str, ...]:
    """The names of the labels of a mask, in the model's order."""
    return tuple(name for bit, name in enumerate(model.labels) if mask >> bit & 1)


def check_values(fields: Sequence[StateField], state: Sequence[Any]) -> None:
    """Refuse a state with a value that its field does not have (ModelError)."""
    for field, value in zip(fields, state, strict=True):
        if field.values is not None and not (isinstance(value, int) and 0 <= value < field.values):
            raise ModelError(
                f"field {field.name} holds {value!r}, and its values are 0 to {field.values - 1}"
            )


def check_model(model: Model) -> None:
    """Refuse a model that no engine could search (ModelError)."""
    if len(model.labels) > MAX_LABELS:
        raise ModelError(f"a model has at most {MAX_LABELS} labels, not {len(model.labels)}")
    if len(model.actions) > MAX_ACTIONS:
        raise ModelError(f"a model has at most {MAX_ACTIONS} actions, not {len(model.actions)}")
    if len(model.initial) != len(model.fields):
        raise ModelError(
            f"the initial state has {len(model.initial)} values for {len(model.fields)} fields"
        )
    for field in model.fields:
        if field.values is not None and field.values < 1:
            raise ModelError(f"field {field.name} has no values")
    if model.costly >> len(model.labels):
        raise ModelError("the mask of costly labels has a bit for which there is no label")
    check_values(model.fields, model.initial)


def replay(model: Model, path: SearchPath) -> Iterator[tuple[Any, ...]]:
    """The states of a path: the initial one, and the one after each step.

    :raises ModelError: the model cannot take a step of the path, or shows other labels.
    """
    numbers = {name: number for number, name in enumerate(model.actions)}
    state = list(model.initial)
    yield tuple(state)
    for place, taken in enumerate(path.steps, 1):
        if taken.action not in numbers:
            raise ModelError(f"step {place} is {taken.action}, which the model does not have")
        labels = model.step(state, numbers[taken.action])
        if labels is None:
            raise ModelError(f"step {place}, {taken.action}, cannot be taken there")
        if label_names(model, labels) != taken.labels:
            raise ModelError(f"step {place}, {taken.action}, shows other labels than the path says")
        yield tuple(state)
