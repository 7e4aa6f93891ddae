# SPDX-License-Identifier: GPL-2.0-or-later
"""``lazymmu --version -v``: what answers here, for a report of a bug.

Nothing of it is asked of a network, and nothing is started; what is not there is said to be absent.
"""

from __future__ import annotations

import platform
import re
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from lazymmu.terminal import clean
from lazymmu.version import version as own_version

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["text"]

LIBRARIES: Final = (
    "tree-sitter", "tree-sitter-c", "lark", "numpy", "rich", "shtab", "pygit2",
    "backports-zstd", "jinja2", "pygments", "numba", "matplotlib", "textual", "capstone",
    "pyelftools", "mcp", "distributed",
)  # fmt: skip
"""What the package runs on; those from numba on are extras."""

PROGRAMS: Final = {"git": "--since, --diff, sarif", "trace-cmd": "trace.dat"}
"""Other programs, and what needs them."""


def text() -> str:
    """All of it, one line each, as ``name: value``."""
    lines = [f"lazymmu {own_version()}", *(f"{name}: {clean(told)}" for name, told in _facts())]
    return "".join(f"{line}\n" for line in lines)


def _facts() -> Iterator[tuple[str, str]]:
    yield "python", f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    fast = "numba" if find_spec("numba") else "numpy (numba, the extra `fast`, is not installed)"
    yield "engine", f"large searches run on {fast}"
    yield "libraries", ", ".join(_library(name) for name in LIBRARIES)
    yield (
        "programs",
        ", ".join(
            f"{name}: {'found' if shutil.which(name) else f'not found ({use} need it)'}"
            for name, use in PROGRAMS.items()
        ),
    )
    yield "cache", _cache()
    yield from _contract()


def _library(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} is not installed"


def _cache() -> str:
    from lazymmu.snapshot.cache import default_directory

    directory = default_directory()
    if directory is None:
        return "none: there is no home directory"
    try:
        files = [path for path in directory.iterdir() if path.is_file()]
        size = sum(path.stat().st_size for path in files)
    except OSError as error:
        return f"{directory} ({error.strerror})"
    return f"{directory} ({(size + (1 << 20) - 1) >> 20} MiB; it may be deleted at any time)"


def _contract() -> Iterator[tuple[str, str]]:
    from lazymmu.contract.dialects import DIALECTS
    from lazymmu.contract.rules import RULES
    from lazymmu.kernelc.arch_profile import PROFILES
    from lazymmu.litmus import run, shipped

    _, releases, _ = run.names()
    yield "source", f"{', '.join(PROFILES)}; dialects {', '.join(DIALECTS)}"
    known = [name for name in releases if name[:1].isdigit()]
    known.sort(key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
    yield "machines", f"Linux {', '.join(known)}"
    yield "contract", f"{len(RULES)} rules, {len(shipped.names())} scenarios"
