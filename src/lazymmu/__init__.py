# SPDX-License-Identifier: GPL-2.0-or-later
"""Hold Linux kernel source to the contract of the lazy MMU mode.

The library in two calls::

    import lazymmu

    result = lazymmu.check("linux", arches=["x86"], rules=["nested-section"])
    for finding in result.findings:
        print(finding.file, finding.line, finding.message)

    for row in lazymmu.sections("linux"):
        print(row.function, row.space, row.locks_begin)

Both return values (`lazymmu.witness.finding`), print nothing and never end the process. What they
need is imported when they are called, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection

    from lazymmu.witness.finding import CheckResult, SectionRow

__all__ = ["__version__", "check", "sections"]


def check(
    tree: str | os.PathLike[str],
    *,
    arches: Collection[str] | None = None,
    rules: Collection[str] | None = None,
    dialect: str | None = None,
    jobs: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> CheckResult:
    """Check a plain Linux source tree (not configured, not built) against the contract.

    tree: the top directory of the source; arches: names such as ``x86``, by default every
    architecture whose tree implements the mode; rules: names of `contract.rules.RULES`, by default
    all; dialect: a name of `contract.dialects.DIALECTS`, by default what the tree itself says;
    jobs: processes, by default one per processor; cache_dir: where to keep what was learnt of the
    tree, by default nowhere; progress: called with a stage, how much is done, and of how much.

    Raises `kernelc.tree.TreeError` if `tree` is no kernel tree, and ValueError if a name is
    unknown, each with one sentence for the user.
    """
    from lazymmu.witness import source

    return source.check(
        tree,
        arches=arches,
        rules=rules,
        dialect=dialect,
        jobs=jobs,
        cache_dir=cache_dir,
        progress=progress,
    )


def sections(
    tree: str | os.PathLike[str],
    *,
    arches: Collection[str] | None = None,
    dialect: str | None = None,
    jobs: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[SectionRow]:
    """List every lazy MMU section of a tree; the arguments and errors are those of `check`."""
    from lazymmu.witness import source

    return source.sections(
        tree,
        arches=arches,
        dialect=dialect,
        jobs=jobs,
        cache_dir=cache_dir,
        progress=progress,
    )


def __getattr__(name: str) -> str:
    # Read on demand: looking up a package's metadata takes longer than importing this module.
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("lazymmu")
        except PackageNotFoundError:  # run from a checkout that was never installed
            return "unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
