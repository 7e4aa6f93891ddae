# SPDX-License-Identifier: GPL-2.0-or-later
"""Which modules are tried together, and by which tests."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a package.

    modules: patterns of their names, without the package's; tests: the folders or files of the
    tests that have to notice.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    def sources(self, package: Path) -> Iterator[tuple[str, Path]]:
        """Name and file of each module, by name."""
        for path in sorted(package.rglob("*.py")):
            module = ".".join(path.relative_to(package).with_suffix("").parts)
            module = module.removesuffix(".__init__")
            if any(fnmatchcase(module, pattern) for pattern in self.modules):
                yield module, path


AREAS: Final = (
    Area(
        "kernel configuration",
        ("kernelc.config.*", "kernelc.preprocess.*", "kernelc.presence"),
        ("tests/kernelc/config", "tests/kernelc/preprocess", "tests/kernelc/test_presence.py"),
    ),
    Area("source witness", ("witness.source", "witness.source.*"), ("tests/witness/source",)),
    Area("report", ("report", "report.*"), ("tests/report",)),
    Area("ftrace", ("ftrace", "ftrace.*"), ("tests/ftrace",)),
)
"""Each has to be looked after by the tests of its own: that others would notice does not count."""
