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

TYPE_CHECKING = False  # as `typing` has it, which takes a while to import
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection

    from lazymmu.witness.finding import CheckResult, SectionRow
    from lazymmu.witness.source.check import Where

__all__ = ["__version__", "check", "sections"]


def check(
    tree: Where,
    *,
    arches: Collection[str] | None = None,
    rules: Collection[str] | None = None,
    dialect: str | None = None,
    jobs: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    kernel: Where | None = None,
) -> CheckResult:
    """Check a plain Linux source tree (not configured, not built) against the contract.

    :param tree: the top directory of the source, or a `snapshot.tree.Tree`.
    :param arches: names such as ``x86``; by default every architecture whose tree implements the
        mode.
    :param rules: names of `contract.rules.RULES`; by default all that source can show.
    :param dialect: a name of `contract.dialects.DIALECTS`; by default the one the tree speaks.
    :param jobs: processes; by default one per processor.
    :param cache_dir: where to keep what was learnt of the tree; by default nowhere.
    :param progress: called with a stage, how much is done, and of how much.
    :param kernel: the tree for which `tree`, the folder of a module out of tree, is built; only
        what the module takes part in is reported then.
    :raises lazymmu.snapshot.tree.TreeError: `tree` is no kernel tree.
    :raises lazymmu.witness.source.check.NothingToCheck: none of the architectures implements the
        mode in this tree.
    :raises ValueError: there is no such architecture, rule or dialect.

    Each error's text is one sentence for the user.
    """
    from lazymmu.witness.source import check as source

    return source.check(
        tree,
        arches=arches,
        rules=rules,
        dialect=dialect,
        jobs=jobs,
        cache_dir=cache_dir,
        progress=progress,
        kernel=kernel,
    )


def sections(
    tree: Where,
    *,
    arches: Collection[str] | None = None,
    dialect: str | None = None,
    jobs: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    kernel: Where | None = None,
) -> list[SectionRow]:
    """List every lazy MMU section of a tree; the arguments and errors are those of `check`."""
    from lazymmu.witness.source import check as source

    found = source.sections(
        tree,
        arches=arches,
        dialect=dialect,
        jobs=jobs,
        cache_dir=cache_dir,
        progress=progress,
        kernel=kernel,
    )
    return list(found.rows)


def __getattr__(name: str) -> str:
    if name == "__version__":
        from lazymmu.version import version

        return version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
