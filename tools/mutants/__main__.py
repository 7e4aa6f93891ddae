# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m tools.mutants``."""

from __future__ import annotations

import sys

from tools.mutants.campaign import main

sys.exit(main())
