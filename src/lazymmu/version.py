# SPDX-License-Identifier: GPL-2.0-or-later
"""Which version of lazymmu this is.

A leaf: reports and the command line may import this module, and it imports none of ours.
"""

from __future__ import annotations

import functools

__all__ = ["version"]


@functools.cache
def version() -> str:
    """The installed version, such as ``0.1.0``; ``unknown`` in a checkout never installed."""
    # Looking up a package's metadata takes longer than importing this module.
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("lazymmu")
    except PackageNotFoundError:
        return "unknown"
