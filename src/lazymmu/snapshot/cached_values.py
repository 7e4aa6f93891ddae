# SPDX-License-Identifier: GPL-2.0-or-later
"""The form that values have in the cache: JSON, behind a digest that binds it to its name."""

from __future__ import annotations

import hashlib
import json
from typing import Final, NoReturn

from lazymmu.snapshot import program_state

__all__ = ["DIGEST", "decoded", "digest", "encoded"]

DIGEST: Final = 16
"""Length of the digest before each value, in bytes."""


def digest(kind: str, key: str, text: bytes) -> bytes:
    """Return what a value must have before it to be what this program put under (kind, key)."""
    whole = hashlib.blake2b(program_state.state(), digest_size=DIGEST)
    whole.update(f"{kind}\0{key}\0".encode("utf-8", "surrogatepass"))
    whole.update(text)
    return whole.digest()


def encoded(kind: str, key: str, value: object) -> bytes:
    """Return a value as it is kept.

    :raises TypeError: JSON cannot hold it.
    :raises ValueError: JSON cannot hold it.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    return digest(kind, key, text) + text


def decoded(kind: str, key: str, value: object) -> object | None:
    """Return the value that was kept; None when it is none, or was kept under another name."""
    if not isinstance(value, bytes) or value[:DIGEST] != digest(kind, key, value[DIGEST:]):
        return None
    try:
        decoded: object = json.loads(value[DIGEST:], parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return decoded


def _refused(constant: str) -> NoReturn:
    """NaN and the infinities are no JSON, and equal to nothing that was kept."""
    raise ValueError(constant)
