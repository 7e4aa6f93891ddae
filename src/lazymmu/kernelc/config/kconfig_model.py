# SPDX-License-Identifier: GPL-2.0-or-later
"""What one Kconfig file says, as values: entries, choices, and the files that it includes.

The values know no architecture: one file's are the same for all, and can be kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lazymmu.kernelc.config.kconfig_macros import substitute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.kernelc.config.kconfig_expressions import Expression

__all__ = ["ChoiceEntry", "ConfigEntry", "KconfigFile", "SourceEntry", "included"]


class ConfigEntry(NamedTuple):
    """One `config` entry: what it says about a symbol, where `depends` holds.

    :param choice: index in KconfigFile.choices of the choice that it is a member of, -1 for none.
    :param defaults: (value, condition), the value as text.
    :param selects: (symbol, condition).
    :param implies: likewise.
    """

    name: str
    kind: str
    depends: Expression
    prompts: list[Expression]
    defaults: list[tuple[str, Expression]]
    selects: list[tuple[str, Expression]]
    implies: list[tuple[str, Expression]]
    choice: int


class SourceEntry(NamedTuple):
    """One line that includes another file: its path as written, and where it counts.

    :param relative: to the file at hand.
    :param optional: the other file may be missing.
    """

    path: str
    relative: bool
    depends: Expression
    optional: bool = False


class ChoiceEntry(NamedTuple):
    """One choice: where it counts, and its defaults, (member, condition).

    :param prompts: when somebody is asked.
    :param exclusive: one member at most is on, which is not so when all may be modules.
    :param optional: none need be.
    """

    depends: Expression
    defaults: list[tuple[str, Expression]]
    prompts: list[Expression]
    exclusive: bool = True
    optional: bool = False


class KconfigFile(NamedTuple):
    """What one Kconfig file says, in its order; lost: why some of it could not be read."""

    items: list[ConfigEntry | SourceEntry]
    choices: list[ChoiceEntry]
    lost: tuple[str, ...] = ()


def included(item: SourceEntry, rel: str, variables: Mapping[str, str]) -> str:
    """Return the path of the file that a `source` line in the file `rel` means."""
    path = substitute(item.path, variables) if "$" in item.path else item.path
    if item.relative:
        path = f"{rel.rpartition('/')[0]}/{path}".lstrip("/")
    return path
