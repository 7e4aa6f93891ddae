# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts the man page and the completions into the wheel, so that pip, pipx and uv install them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShareHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes what tools/share.py makes, of the source that is being built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files; an editable installation has none, and says `lazymmu completion`."""
        if version == "editable":
            return
        sys.path[:0] = [self.root, str(Path(self.root, "src"))]
        from tools import share

        self.made = tempfile.TemporaryDirectory(prefix="lazymmu-share-")
        for path in share.write(Path(self.made.name)):
            build_data["shared_data"][str(Path(self.made.name, path))] = f"share/{path}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if version != "editable":
            self.made.cleanup()
