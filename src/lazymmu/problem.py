# SPDX-License-Identifier: GPL-2.0-or-later
"""The one exception that means "tell the user and stop"."""

from __future__ import annotations

__all__ = ["Problem", "needs_package"]


class Problem(Exception):
    """Something that the user can mend; its text is one sentence without a full stop."""


def needs_package(what: str, package: str, extra: str) -> str:
    """What is said where an optional package is not installed, and how to get it.

    :param what: the option, or what cannot be read without it.
    :param package: as an index of packages names it, so that it can be had by itself.
    :param extra: the extra of this project that brings it.
    """
    return (
        f"{what} needs {package}, which is not installed: pip install {package}, "
        f"or the extra `{extra}` of lazymmu"
    )
