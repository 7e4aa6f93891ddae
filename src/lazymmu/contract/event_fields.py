# SPDX-License-Identifier: GPL-2.0-or-later
"""The fields of events and their types, for what reads events as text."""

from __future__ import annotations

import functools
from dataclasses import fields
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin, get_type_hints

from lazymmu.contract import events as _events
from lazymmu.contract.events import EVENTS, Event

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMON_FIELDS", "field_types"]

COMMON_FIELDS: Final = tuple(item.name for item in fields(Event))
"""What every event has: whose, where and when."""


@functools.cache
def field_types(event: str) -> Mapping[str, Any]:
    """The type of each field of the event of this name, in order.

    Without None: a field that may be missing is written when it is there.
    """
    kind = EVENTS[event]
    hints = get_type_hints(kind, vars(_events))
    return {item.name: _without_none(hints[item.name]) for item in fields(kind)}


def _without_none(hint: Any) -> Any:
    if get_origin(hint) is not UnionType:
        return hint
    return next(part for part in get_args(hint) if part is not type(None))
