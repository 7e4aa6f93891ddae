# SPDX-License-Identifier: GPL-2.0-or-later
"""The one exception of this room."""

from __future__ import annotations

__all__ = ["ImageError"]


class ImageError(Exception):
    """An image cannot be read, or lacks what is looked for; a sentence without a full stop."""
