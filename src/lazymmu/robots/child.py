# SPDX-License-Identifier: GPL-2.0-or-later
"""One question in a process of its own, which gives itself less than it could have.

``python -m lazymmu.robots.child SECONDS MEBIBYTES VERB...`` is that command of lazymmu with so many
seconds of processor time and so much memory.
"""

from __future__ import annotations

import resource
import sys

__all__ = ["run"]


def run(words: list[str]) -> int:
    """Take the limits, run the command, and give its exit code."""
    seconds, mebibytes = int(words[0]), int(words[1])
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_AS, mebibytes << 20)
    _limit(resource.RLIMIT_CORE, 0)
    from lazymmu.cli import main

    return main(words[2:])


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (bound, bound))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
