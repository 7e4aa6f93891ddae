# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of what was checked, read once more for what stands around a finding."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lazymmu.snapshot.beneath import Folder
from lazymmu.snapshot.tree import SIZE_CAP, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.witness.source.check import Where

__all__ = ["texts"]


def texts(tree: Where, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The files of a tree, or of the folder of a module, that can be read."""
    if isinstance(tree, Tree):
        read = tree.ground.read
    else:
        try:
            read = Folder(os.path.realpath(tree), os.fspath(tree)).read
        except (OSError, ValueError):
            return
    for file in files:
        try:
            yield file, read(file, SIZE_CAP)
        except (OSError, ValueError):
            continue  # what a check could not read either, it has told
