# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m lazymmu` is the command `lazymmu`."""

import sys

from lazymmu.cli import main

if __name__ == "__main__":
    sys.exit(main())
