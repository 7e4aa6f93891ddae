# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits of Linux that are known to have brought a problem or mended it (known_commits.toml)."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["KnownCommit", "KnownHistory", "known_history", "load"]


@dataclass(frozen=True, slots=True)
class KnownCommit:
    """A commit of mainline.

    :param commit: its name, 12 digits; release: the first with it; subject: "" if not known.
    :param stable: series that have it as well, as in "6.12.y".
    """

    commit: str
    release: str
    subject: str = ""
    stable: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f' ("{self.subject}")' if self.subject else ""
        also = f", {', '.join(self.stable)}" if self.stable else ""
        return f"{self.commit}{said} (in v{self.release}{also})"


@dataclass(frozen=True, slots=True)
class KnownHistory:
    """What is known of the problem that some rules are broken in some functions of a file."""

    rules: tuple[str, ...]
    file: str
    functions: tuple[str, ...]
    introduced: KnownCommit | None = None
    fixed: KnownCommit | None = None


@functools.cache
def load() -> tuple[KnownHistory, ...]:
    """All that is known, in the order of the table."""
    text = files("lazymmu.contract").joinpath("known_commits.toml").read_text("utf-8")
    return tuple(
        KnownHistory(
            rules=tuple(entry["rules"]),
            file=entry["file"],
            functions=tuple(entry["functions"]),
            introduced=_commit(entry.get("introduced")),
            fixed=_commit(entry.get("fixed")),
        )
        for entry in tomllib.loads(text)["known"]
    )


def known_history(rule: str, places: Collection[tuple[str, str]]) -> KnownHistory | None:
    """What is known of a problem; places: the files and functions that it is, or was, in."""
    for entry in load():
        if rule in entry.rules and any(
            file == entry.file and function in entry.functions for file, function in places
        ):
            return entry
    return None


def _commit(value: dict[str, Any] | None) -> KnownCommit | None:
    if value is None:
        return None
    stable = tuple(value.get("stable", ()))
    return KnownCommit(value["commit"], value["release"], value.get("subject", ""), stable)
