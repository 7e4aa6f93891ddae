# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: arguments in, exit codes out. The only place that prints and exits."""

from lazymmu.cli.command import main

__all__ = ["main"]
