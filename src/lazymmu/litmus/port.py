# SPDX-License-Identifier: GPL-2.0-or-later
"""An implementation from a file beside all others, for as long as it is needed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from lazymmu.litmus import operations, run
from lazymmu.machine.port import ARCH, NEWEST, PortError, blame, install, load, uninstall

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["ARCH", "NEWEST", "PortError", "blame", "ported"]


@contextlib.contextmanager
def ported(file: str, releases: Collection[str] = (NEWEST,)) -> Iterator[None]:
    """With the implementation of a Python file, which is run, as architecture `ARCH`.

    :param releases: whose generic code it stands on.
    :raises PortError: with one sentence, for a file that has none, and for a release that is not
        known.
    """
    implementation = load(file)
    try:
        for release in releases or (NEWEST,):
            install(implementation, release)
        _forget()
        yield
    finally:
        uninstall()
        _forget()


def _forget() -> None:
    """What is known of all implementations is out of date when there is one more or less."""
    operations.signatures.cache_clear()
    run.named.cache_clear()
