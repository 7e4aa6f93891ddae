# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: arguments in, exit codes out. The only place that prints and exits."""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which takes a while to import
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    try:
        # Here, because Ctrl-C may come while it is imported.
        from lazymmu.cli.command import main as command
    except KeyboardInterrupt:
        return 130  # ExitCode.INTERRUPTED, which may not be there yet
    return command(argv)
