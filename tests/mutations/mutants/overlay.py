# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree that looks like another one but for the files that were replaced.

What a check may read is copied. Links to the original would lead out of the tree, and are not
followed; hard links would change the original's times.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_LEFT_OUT = {"tools", ".git", "LICENSES"}
"""Nothing of these is read."""

_WITHOUT_C = {
    *("drivers", "sound", "net", "crypto", "security", "rust", "virt"),
    *("Documentation", "samples"),
}
"""No section is in their files, and no planted mistake calls them: a tree for thirty checks need
not carry them. What Kconfig and Kbuild say in them stays."""

_BUILD = re.compile(r"file|Kbuild|Kconfig|\.defconf$|^Platform")
"""Names of what says how a tree is built."""

_ARCHES = {"x86", "powerpc", "sparc", "arm64"}
_KEPT = {"drivers/xen"}


def _carries_c(folder: str) -> bool:
    """Whether the C files and headers of a directory are copied."""
    first, _, rest = folder.partition("/")
    if any(folder == kept or folder.startswith(f"{kept}/") for kept in _KEPT):
        return True
    if first == "arch" and rest:
        return rest.split("/")[0] in _ARCHES
    return first not in _WITHOUT_C


def copy(tree: Path, target: Path) -> Path:
    """Make `target`, a copy of what is read of `tree`; returns it."""
    tree = tree.resolve()
    for folder, below, names in os.walk(tree):
        relative = Path(folder).relative_to(tree)
        if relative == Path():
            below[:] = [name for name in below if name not in _LEFT_OUT]
        below[:] = [name for name in below if not (Path(folder) / name).is_symlink()]
        (target / relative).mkdir(parents=True, exist_ok=True)
        code = (".c", ".h") if _carries_c(relative.as_posix()) else ()
        for name in names:
            if name.endswith((*code, ".clang-format", ".include")) or _BUILD.search(name):
                shutil.copyfile(f"{folder}/{name}", target / relative / name)
    return target


def replace(target: Path, file: str, text: str) -> None:
    """Give a file of the copy other contents; the original stays as it is."""
    (target / file).write_text(text, encoding="latin-1")


def restore(target: Path, tree: Path, file: str) -> None:
    """Make a replaced file what it was, which may be nothing."""
    if (tree / file).is_file():
        shutil.copyfile(tree / file, target / file)
    else:
        (target / file).unlink()
