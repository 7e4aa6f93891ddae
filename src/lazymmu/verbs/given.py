# SPDX-License-Identifier: GPL-2.0-or-later
"""What is given to a verb beside its question: files, by path or by content, and lists of names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from lazymmu import inputs
from lazymmu.problem import Problem
from lazymmu.terminal import clean, message_of

__all__ = ["Given", "Input", "read", "reason", "several"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Input:
    """A file by its content.

    :param content: the bytes of the file, packed or not.
    :param name: how messages call it.
    """

    content: bytes
    name: str


Given: TypeAlias = "str | os.PathLike[str] | Input"
"""A file: its path, or its content."""


def read(given: Given) -> Input:
    """The content of a file or pipe.

    :raises Problem: with the reason; `inputs` says what is refused: devices, pipes without a
        writer, more than `inputs.LIMIT` bytes.
    """
    if isinstance(given, Input):
        return given
    name = os.fspath(given)
    try:
        return Input(inputs.read_input(name), name)
    except (OSError, ValueError) as error:
        raise Problem(f"cannot read {clean(name)}: {reason(error)}") from None


def reason(error: Exception) -> str:
    """Why a file could not be used, without repeating its name."""
    return (error.strerror if isinstance(error, OSError) else None) or message_of(error)


def several(given: T | Iterable[T] | None) -> tuple[T, ...]:
    """What may be given alone, in any collection, or not at all, as a tuple."""
    if given is None:
        return ()
    if isinstance(given, str | bytes | os.PathLike) or not isinstance(given, Iterable):
        return (given,)
    return tuple(given)
