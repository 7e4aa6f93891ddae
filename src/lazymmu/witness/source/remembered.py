# SPDX-License-Identifier: GPL-2.0-or-later
"""Results that are kept between runs, as plain values.

A result is found again only if nothing it rests on has changed: the tool, what was asked for,
and the path, size and time of change of every file of the tree that a check may read.  What is
read back is checked against the types of the values it claims to be; anything else is a miss.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from lazymmu.kernelc.library import Store
from lazymmu.kernelc.tree import Stamp

T = TypeVar("T")

_KIND = "result"

_PACKAGE = Path(__file__).parents[2]


def key(root: str, manifest: Mapping[str, Stamp], *asked: object) -> str:
    """The name under which a result is kept: of a tree's state, and of what was asked for."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(_tool().encode())
    digest.update(repr((root, asked)).encode("utf-8", "replace"))
    digest.update(repr(list(manifest.items())).encode("utf-8", "replace"))
    return digest.hexdigest()


def _tool() -> str:
    """The state of the tool itself, so that no change of it is answered from the past."""
    states = []
    todo = [_PACKAGE]
    while todo:
        for item in todo.pop().iterdir():
            if item.is_dir() and item.name != "__pycache__":
                todo.append(item)
            elif item.name.endswith((".py", ".toml")):
                state = item.stat()
                states.append((item.name, state.st_size, state.st_mtime_ns))
    return repr(sorted(map(repr, states)))


def recall(store: Store, name: str, shape: Any) -> Any | None:
    """What was kept under a name, built up as ``shape``; None when there is nothing sound."""
    try:
        return _built(shape, store.get(_KIND, name))
    except (TypeError, ValueError, KeyError):
        return None


def keep(store: Store, name: str, value: object) -> None:
    """Keep a value: dataclasses, tuples, enumerations of strings, strings and numbers."""
    store.put(_KIND, name, _plain(value))


def _plain(value: object) -> object:
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [_plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _built(shape: Any, data: object) -> Any:
    """Build a value of a type from plain data.  Raises TypeError or ValueError if it is none."""
    origin = typing.get_origin(shape)
    if origin in (tuple, list):
        items = _listed(data)
        args = typing.get_args(shape)
        if origin is tuple and len(args) > 0 and args[-1] is not Ellipsis:
            return tuple(_built(a, i) for a, i in zip(args, items, strict=True))
        return origin(_built(args[0], item) for item in items)
    if origin in (types.UnionType, typing.Union):
        return None if data is None else _built(typing.get_args(shape)[0], data)
    if dataclasses.is_dataclass(shape):
        fields = dataclasses.fields(shape)
        hints = typing.get_type_hints(shape)
        values = [
            _built(hints[field.name], item)
            for field, item in zip(fields, _listed(data), strict=True)
        ]
        made: Any = shape
        return made(**{field.name: value for field, value in zip(fields, values, strict=True)})
    if isinstance(shape, type) and issubclass(shape, enum.Enum):
        return shape(data)
    if not isinstance(data, shape) or (shape is int and isinstance(data, bool)):
        raise TypeError(f"{data!r} is no {shape}")
    return data


def _listed(data: object) -> list[object]:
    if not isinstance(data, list):
        raise TypeError("not a list")
    return data
