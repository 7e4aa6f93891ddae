# SPDX-License-Identifier: GPL-2.0-or-later
"""What a robot may ask, as the command that answers it; arguments come from strangers.

No argument is a path, none can be taken for an option, and each is of a kind that is looked up or
matched before anything is run. What is wrong is a `Problem`, one sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["ARCHES", "MAX_PATCH", "RobotQuestion", "ServedTrees"]

ARCHES: Final = ("x86", "powerpc", "sparc", "arm64")
"""As `cli.options.ARCHES` has them: profiles, and no directories that an argument would name."""

MAX_PATCH: Final = 1 << 20
"""Bytes of a patch or a series."""

_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/~^-]{0,199}\Z")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{4,64}\Z")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


@dataclass(frozen=True, slots=True)
class RobotQuestion:
    """A command, and its standard input."""

    command: tuple[str, ...]
    given: bytes = b""


class ServedTrees:
    """The trees that a server was started with, by name; no other is ever read."""

    def __init__(self, trees: Mapping[str, Path], cache_dir: Path | None) -> None:
        """`trees`: where each is; cache_dir: None for no cache."""
        self.trees = dict(trees)
        self._cache = ("--no-cache",) if cache_dir is None else (f"--cache-dir={cache_dir}",)

    def named(self, name: str) -> str:
        """Where a tree is.

        :raises Problem: with the reason.
        """
        found = self.trees.get(name)
        if found is None:
            raise Problem(
                f"there is no tree {clean(name, 80)!r} here; there are: {', '.join(self.trees)}"
            )
        return str(found)

    def hide(self, text: str) -> str:
        """A text with the names of trees instead of the places where they are."""
        for name, path in sorted(self.trees.items(), key=lambda item: -len(str(item[1]))):
            text = text.replace(str(path), name)
        return text

    # ---- what is asked ---------------------------------------------------------------------------

    def check(
        self, tree: str, patch: str, revision: str, arches: Sequence[str], fingerprint: str = ""
    ) -> RobotQuestion:
        """What a patch, or the commits since a revision, bring to a tree.

        :raises Problem: with the reason.
        """
        words = ["check", "--format=json", "--quiet", "--no-config", *self._cache, *_arches(arches)]
        if patch and revision:
            raise Problem("a change is a patch or a revision, and not both")
        if fingerprint:
            if not _FINGERPRINT.match(fingerprint):
                raise Problem(f"{clean(fingerprint, 80)!r} is no fingerprint of a finding")
            words.append(f"--only={fingerprint}")
        if revision:
            if not _REVISION.match(revision) or ".." in revision:
                raise Problem(f"{clean(revision, 80)!r} is no revision")
            words.append(f"--since={revision}")
        if patch:
            words.append("--diff=-")
        return RobotQuestion((*words, "--", self.named(tree)), _text(patch) if patch else b"")

    def sections(self, tree: str, arches: Sequence[str]) -> RobotQuestion:
        """All sections of a tree.

        :raises Problem: with the reason.
        """
        words = ("sections", "--format=json", "--quiet", "--no-config", *self._cache)
        return RobotQuestion((*words, *_arches(arches), "--", self.named(tree)))

    def review(self, tree: str, series: str, arches: Sequence[str]) -> RobotQuestion:
        """What each patch of a series brings, mends and moves.

        :raises Problem: with the reason.
        """
        if not series.strip():
            raise Problem("there is no patch in an empty series")
        words = ("review", "--format=json", "--quiet", *self._cache, *_arches(arches))
        return RobotQuestion((*words, f"--tree={self.named(tree)}", "--", "-"), _text(series))

    @staticmethod
    def verify(scenario: str, arch: str, release: str, seconds: int) -> RobotQuestion:
        """A shipped scenario on machines.

        :raises Problem: with the reason.
        """
        from lazymmu.litmus import shipped
        from lazymmu.litmus.run import names as there_are
        from lazymmu.verbs import names

        arches, _, _ = there_are()
        names.check("scenario", [scenario], shipped.names())
        words = ["verify", "--format=json", "--quiet", "--jobs=1", f"--scenario={scenario}"]
        words += [f"--seconds={seconds}", "--max-memory=1024"]
        if arch:
            names.check("architecture", [arch], arches)
            words.append(f"--arch={arch}")
        if release:
            if not _NAME.match(release):
                raise Problem(f"{clean(release, 80)!r} is no release")
            words.append(f"--release={release}")
        return RobotQuestion(tuple(words))


def _arches(arches: Sequence[str]) -> tuple[str, ...]:
    if not arches:
        return ()
    for arch in arches[: len(ARCHES) + 1]:
        if arch not in ARCHES:
            raise Problem(f"there is no architecture {clean(arch, 80)!r}; {', '.join(ARCHES)} are")
    return (f"--arch={','.join(dict.fromkeys(arches[: len(ARCHES)]))}",)


def _text(patch: str) -> bytes:
    content = patch.encode("utf-8", "surrogateescape")
    if len(content) > MAX_PATCH:
        raise Problem(f"a patch of more than {MAX_PATCH >> 20} MiB is not read here")
    return content
