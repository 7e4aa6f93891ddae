# SPDX-License-Identifier: GPL-2.0-or-later
"""How much is walked: beyond these bounds a function counts as not understood, and is listed."""

from __future__ import annotations

MAX_STATES = 30_000
"""(node, state) pairs of one walk; beyond it the function counts as not understood."""

MAX_BELOW = 50_000
"""The same of a root and all that is walked in it.  The greatest of 6.1 to 7.3 has 7,000; far more
comes of a section that is left open, and followed into whatever its callers do next."""

MAX_IN_ALL = 500_000
"""The same of all roots of one architecture together: those after that have MAX_THEN each.  The
roots of 7.3 have 21,000."""

MAX_THEN = 2_000
"""States of one root when the others have had their share."""

MAX_FRAMES = 64
"""Functions walked inside each other."""

NOWHERE = MAX_FRAMES
"""Beyond the innermost function that is being walked."""
