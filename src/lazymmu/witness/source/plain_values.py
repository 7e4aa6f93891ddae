# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of the source witness as plain ones that JSON can hold, and back by their types."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from typing import Any

from lazymmu.kernelc.json_shapes import listed

__all__ = ["built", "plain"]

_LARGEST = 1 << 53
"""Above every line and count; also what every reader of JSON takes."""


def plain(value: object) -> object:
    """Return a value as JSON has it: dataclasses, tuples, enumerations, strings and numbers."""
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def built(shape: Any, data: object) -> Any:
    """Build a value of a type from plain data.

    :raises TypeError: it is none.
    :raises ValueError: it is none.
    """
    origin = typing.get_origin(shape)
    if origin in (tuple, list):
        items = listed(data)
        args = typing.get_args(shape)
        if origin is tuple and len(args) > 0 and args[-1] is not Ellipsis:
            return tuple(built(a, i) for a, i in zip(args, items, strict=True))
        return origin(built(args[0], item) for item in items)
    if origin is typing.Literal:
        if data not in typing.get_args(shape):
            raise ValueError(f"none of {typing.get_args(shape)}")
        return data
    if origin in (types.UnionType, typing.Union):
        return None if data is None else built(typing.get_args(shape)[0], data)
    if dataclasses.is_dataclass(shape):
        fields = dataclasses.fields(shape)
        hints = typing.get_type_hints(shape)
        values = [
            built(hints[field.name], item) for field, item in zip(fields, listed(data), strict=True)
        ]
        made: Any = shape
        return made(**{field.name: value for field, value in zip(fields, values, strict=True)})
    if isinstance(shape, type) and issubclass(shape, enum.Enum):
        return shape(data)
    if not isinstance(data, shape) or (shape is int and isinstance(data, bool)):
        raise TypeError(f"not of type {shape}")
    if isinstance(data, int) and not 0 <= data < _LARGEST:
        raise ValueError("a number that counts nothing")
    return data
