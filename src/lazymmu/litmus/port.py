# SPDX-License-Identifier: GPL-2.0-or-later
"""An implementation from a file beside all others, for as long as it is needed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from lazymmu.litmus import operations, run
from lazymmu.machine.port import ARCH, NEWEST, PortError, blame, install, load, uninstall

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ARCH", "NEWEST", "PortError", "blame", "ported"]


@contextlib.contextmanager
def ported(file: str) -> Iterator[None]:
    """With the implementation of a Python file, which is run, as architecture `ARCH`.

    Raises PortError, with one sentence, for a file that has none.
    """
    install(load(file))
    try:
        _forget()
        yield
    finally:
        uninstall()
        _forget()


def _forget() -> None:
    """What is known of all implementations is out of date when there is one more or less."""
    operations.signatures.cache_clear()
    run.named.cache_clear()
