# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of this program itself, so that no change of it is answered from the past."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.snapshot.beneath import identity, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["state"]

_PACKAGE: Final = str(Path(__file__).parents[1])

_PARSERS: Final = ("tree_sitter", "tree_sitter_c")
"""The libraries that what is kept was computed with."""


@functools.cache
def state() -> bytes:
    """Return what changes whenever another program, or another release of a library, runs.

    Files are told by what tells those of a tree (beneath.py). The times that an installation gives
    them alone would not do: a wheel has the same for every build.
    """
    now = time.time_ns()
    digest = hashlib.blake2b(sys.version.encode(), digest_size=16)
    for path in sorted(_files()):
        try:
            stamp = identity(os.stat(path))
            digest.update(repr((path, stamp)).encode())
            if not settled(stamp, now):
                digest.update(Path(path).read_bytes())
        except OSError:
            digest.update(repr(path).encode())
    return digest.digest()


def _files() -> Iterator[str]:
    """The program's code and tables, and the folders of the libraries."""
    work = [_PACKAGE]
    if not os.path.isdir(_PACKAGE):
        # In an archive, whose file is the nearest path that there is.
        work = []
        yield next(str(path) for path in Path(_PACKAGE).parents if path.exists())
    while work:
        with os.scandir(work.pop()) as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".toml")):
                    yield entry.path
                elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
                    work.append(entry.path)
    for name in _PARSERS:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None and os.path.isfile(spec.origin):
            with os.scandir(os.path.dirname(spec.origin)) as entries:
                yield from (entry.path for entry in entries if entry.is_file())
