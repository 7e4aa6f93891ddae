# SPDX-License-Identifier: GPL-2.0-or-later
"""One question in a process of its own, which gives itself less than it could have.

``python -m lazymmu.robots.child SECONDS MEBIBYTES VERB...`` becomes that command of lazymmu, with
so many seconds of processor time and so much memory: limits outlast the change of program.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import NoReturn

__all__ = ["run"]


def run(words: list[str]) -> NoReturn:
    """Take the limits, and become the command."""
    seconds, mebibytes = int(words[0]), int(words[1])
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_AS, mebibytes << 20)
    _limit(resource.RLIMIT_CORE, 0)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "lazymmu", *words[2:]])  # noqa: S606 - of a list


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (bound, bound))


if __name__ == "__main__":
    run(sys.argv[1:])
