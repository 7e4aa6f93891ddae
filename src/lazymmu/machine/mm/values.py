# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of entries as core-mm code changes them: flags behind the page's name, in one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lazymmu.machine.config import Value

FLAGS: Final = ("ro", "old", "clean", "wp", "exclusive")
"""Not writable, not young, not dirty, userfaultfd write-protected; and device-exclusive, which is
not present (linux/swapops.h)."""


def flags_of(value: Value) -> frozenset[str]:
    """The flags of a value."""
    return frozenset((value or "").split(":")[1:])


def marked(value: Value, *flags: str) -> Value:
    """The value with flags added, as pte_wrprotect(), pte_mkold(), pte_mkuffd_wp() do."""
    return _made(value, flags_of(value) | set(flags))


def unmarked(value: Value, *flags: str) -> Value:
    """The value with flags taken away."""
    return _made(value, flags_of(value) - set(flags))


def _made(value: Value, flags: frozenset[str]) -> Value:
    if value is None:
        return None
    known = (flag for flag in FLAGS if flag in flags)
    others = sorted(flags.difference(FLAGS))
    return ":".join((value.split(":")[0], *known, *others))
