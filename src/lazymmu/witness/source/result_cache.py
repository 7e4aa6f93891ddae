# SPDX-License-Identifier: GPL-2.0-or-later
"""Results that are kept between runs, as plain values.

A result is found again only if nothing it rests on has changed: the tool, what was asked for, and
the path and stamp of every file of the tree that a check may read; and the content of those that
had changed so short a time before they were listed that their stamps need not tell the next
change. What is read back is checked against the types of the values it claims to be; anything
else is a miss.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import types
import typing
from array import array
from collections.abc import Mapping
from itertools import chain
from typing import Any, TypeVar

from lazymmu.kernelc.json_shapes import mapped
from lazymmu.kernelc.tree_index import Store
from lazymmu.snapshot.beneath import settled
from lazymmu.snapshot.tree import Stamp, Tree

T = TypeVar("T")

_KIND = "result"

_LARGEST = 1 << 53
"""Above every line and count; also what every reader of JSON takes."""

_RECENT = 20_000
"""Most files whose content is compared when a result is looked for."""


def key(root: str, manifest: Mapping[str, Stamp], *asked: object) -> str:
    """The name under which a result is kept: of a tree's state, and of what was asked for."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((root, asked)).encode("utf-8", "replace"))
    digest.update("\0".join(manifest).encode("utf-8", "surrogatepass"))
    try:
        # A third of the time that their repr takes; every stamp from the disk has five numbers.
        numbers = array("q", chain.from_iterable(manifest.values())).tobytes()
    except OverflowError:
        numbers = repr(list(manifest.values())).encode()
    digest.update(b"\0" + numbers)
    return digest.hexdigest()


def recall(store: Store, name: str, shape: Any, tree: Tree) -> Any | None:
    """What was kept under a name, built up as ``shape``; None when there is nothing sound."""
    try:
        value, recent = _listed(store.get(_KIND, name))
        for rel, content in mapped(recent).items():
            if content != tree.fingerprint(rel):
                return None
        return _built(shape, value)
    except (TypeError, ValueError, KeyError):
        return None


def keep(
    store: Store, name: str, value: object, tree: Tree, manifest: Mapping[str, Stamp], since: int
) -> None:
    """Keep a value: dataclasses, tuples, enumerations of strings, strings and numbers.

    manifest: the tree's, on which the value rests, listed at the time `since` (in nanoseconds).
    Nothing is kept of a tree that is not now as it was then.
    """
    recent = [rel for rel, stamp in manifest.items() if not settled(stamp, since)]
    if len(recent) <= _RECENT:
        contents = {rel: tree.fingerprint(rel) for rel in recent}
        if tree.manifest() == manifest:
            store.put(_KIND, name, [_plain(value), contents])


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
        raise TypeError(f"not of type {shape}")
    if isinstance(data, int) and not 0 <= data < _LARGEST:
        raise ValueError("a number that counts nothing")
    return data


def _listed(data: object) -> list[object]:
    if not isinstance(data, list):
        raise TypeError("not a list")
    return data
