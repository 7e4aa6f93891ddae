# SPDX-License-Identifier: GPL-2.0-or-later
"""What a project wants of every check of it: ``.lazymmu.toml``, or a part of ``pyproject.toml``.

::

    arches = ["x86", "arm64"]
    fail-on = "hurts"
    min-confidence = "high"
    baseline = "ci/lazymmu-baseline.json"
    suppressions = "ci/lazymmu.toml"
    format = "gcc"

    [[suppress]]
    rule = "sleep-in-section"
    ...

It is looked for in the tree and above it, so that a check says the same wherever one stands. The
tree may be a stranger's, and so may its configuration: it can only narrow, it names no file to
write, and what it names to read lies beside it or below, where no link leads out. What it narrows
is always told (`Configuration.told`).
"""

from __future__ import annotations

import difflib
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu.contract.rules import RULES
from lazymmu.problem import Problem
from lazymmu.snapshot.beneath import Folder
from lazymmu.terminal import clean
from lazymmu.verbs import names, suppressions, toml_text
from lazymmu.verbs.given import Input, reason
from lazymmu.verbs.selection import FailOn
from lazymmu.witness.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lazymmu.verbs.suppressions import Suppression

__all__ = ["KEYS", "NAMES", "Configuration", "find", "found", "read"]

NAMES: Final = (".lazymmu.toml", "pyproject.toml")
"""What is looked for in each directory; of two the first."""

KEYS: Final = (
    "arches", "baseline", "fail-on", "format", "min-confidence", "suppress", "suppressions",
)  # fmt: skip
"""Everything that a configuration may say."""

_SECTION: Final = "[tool.lazymmu]"
_BASELINE: Final = 64 << 20
"""Bytes of a baseline that a configuration names: some hundred thousand findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A configuration that was read; what it does not say is empty or None.

    :param file: its path, for messages.
    :param suppress: its own entries, and those of the file that it names.
    """

    file: str
    arches: tuple[str, ...] = ()
    fail_on: FailOn | None = None
    min_confidence: Confidence | None = None
    format: str = ""
    baseline: Input | None = None
    suppress: tuple[Suppression, ...] = ()

    def told(self, overridden: Collection[str] = ()) -> str:
        """What it asks for, in a sentence; "" when that is nothing.

        :param overridden: keys that somebody has said otherwise.
        """
        count = len(self.suppress)
        said = {
            "arches": f"arches {', '.join(self.arches)}" if self.arches else "",
            "fail-on": f"fail-on {self.fail_on}" if self.fail_on else "",
            "min-confidence": f"min-confidence {self.min_confidence}"
            if self.min_confidence
            else "",
            "baseline": f"baseline {self.baseline.name}" if self.baseline is not None else "",
            "format": f"format {self.format}" if self.format else "",
            "suppress": f"{count} {'suppression' if count == 1 else 'suppressions'}"
            if count
            else "",
        }
        parts = [words for key, words in said.items() if words and key not in overridden]
        if not parts:
            return ""
        return clean(f"{self.file} asks for {', '.join(parts)} (--no-config goes without it)")


def found(trees: Sequence[str]) -> Configuration | None:
    """The configuration of trees, None where they have none.

    :raises Problem: for one that cannot be read or is not as this module says, and when two of the
        trees have different ones.
    """
    files = dict.fromkeys(find(tree) for tree in trees)
    if len(files) > 1:
        several = " and ".join(clean(file) if file else "none" for file in files)
        raise Problem(
            f"the trees have different configurations ({several}); check one at a time, or say "
            "--config FILE or --no-config"
        )
    (file,) = files
    return None if file is None else read(file)


def find(tree: str) -> str | None:
    """The file of the configuration of a tree: in it, or in the nearest directory above it.

    One that belongs to neither the user, the tree's owner nor root is none: anybody may put a file
    above a tree in a directory that is everybody's, such as /tmp.

    :raises Problem: when it cannot be looked at.
    """
    try:
        top = Path(tree).resolve()
        owners = {0, os.geteuid(), top.stat().st_uid}
    except (OSError, ValueError, RuntimeError):
        return None  # who reads the tree says what is wrong with it
    for folder in (top, *top.parents):
        for name in NAMES:
            path = folder / name
            try:
                status = path.lstat()
            except OSError as error:
                if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.EACCES}:
                    continue
                raise Problem(f"cannot read {clean(str(path))}: {reason(error)}") from None
            if status.st_uid in owners and (name == NAMES[0] or _has_section(path)):
                return _shown(tree, top, path)
    return None


def read(file: str) -> Configuration:
    """The configuration in a file.

    :raises Problem: for one that cannot be read, or that says what none may say.
    """
    name = clean(file)
    try:
        tables = toml_text.load(_content(Path(file).parent, Path(file).name, toml_text.MOST))
    except toml_text.NotTomlError as error:
        raise Problem(f"{name}: not TOML: {error}") from None
    except (OSError, ValueError) as error:
        raise Problem(f"cannot read {name}: {reason(error)}") from None
    if Path(file).name == NAMES[1]:
        tool = tables.get("tool")
        tables = tool.get("lazymmu") if isinstance(tool, dict) else None  # type: ignore[assignment]
        if not isinstance(tables, dict):
            raise Problem(f"{name}: there is no {_SECTION} in it")
    return _Reader(file, tables).configuration()


@dataclass(frozen=True, slots=True)
class _Reader:
    """The tables of one file, taken apart with a sentence for what is wrong."""

    file: str
    tables: dict[str, Any]

    def configuration(self) -> Configuration:
        for key in self.tables:
            if key not in KEYS:
                near = difflib.get_close_matches(key.replace("_", "-"), KEYS, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(KEYS)}"
                raise self._wrong(f"unknown key `{key}`; {hint}")
        fail_on = self._one_of("fail-on", [*FailOn, "text"])
        confidence = self._one_of("min-confidence", list(Confidence))
        return Configuration(
            file=self.file,
            arches=self._arches(),
            fail_on=FailOn(fail_on) if fail_on else None,
            min_confidence=Confidence(confidence) if confidence else None,
            format=self._format(),
            baseline=self._file("baseline", _BASELINE),
            suppress=self._suppress(),
        )

    def _arches(self) -> tuple[str, ...]:
        listed = self.tables.get("arches", [])
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise self._wrong("`arches` is not a list of names")
        return tuple(listed)

    def _format(self) -> str:
        given = self._text("format")
        if "=" in given:
            raise self._wrong("`format` names a file; a configuration writes nothing")
        return given

    def _suppress(self) -> tuple[Suppression, ...]:
        try:
            own = suppressions.entries(self.tables.get("suppress", []), self.file, RULES)
            file = self._file("suppressions", toml_text.MOST)
            if file is None:
                return own
            return (*own, *suppressions.read(file.content, file.name, RULES))
        except suppressions.SuppressionError as error:
            raise Problem(str(error)) from None

    def _one_of(self, key: str, values: Sequence[str]) -> str:
        given = self._text(key)
        if given and given not in values:
            try:
                names.check(f"`{key}`", [given], values)
            except Problem as problem:
                raise self._wrong(str(problem)) from None
        return given

    def _file(self, key: str, cap: int) -> Input | None:
        """A file that lies beside this one or below."""
        given = self._text(key)
        if not given:
            return None
        if given.startswith("/") or ".." in given.split("/"):
            raise self._wrong(f"`{key}` leads out of the directory of this file")
        folder = Path(self.file).parent
        try:
            return Input(_content(folder, given, cap), str(folder / given))
        except (OSError, ValueError) as error:
            raise self._wrong(f"`{key}`: cannot read {clean(given)}: {reason(error)}") from None

    def _text(self, key: str) -> str:
        given = self.tables.get(key, "")
        if not isinstance(given, str) or (key in self.tables and not given.strip()):
            raise self._wrong(f"`{key}` is not a text with something in it")
        return given

    def _wrong(self, what: str) -> Problem:
        return Problem(clean(f"{self.file}: {what}"))


def _content(folder: Path, name: str, cap: int) -> bytes:
    """The bytes of a regular file in a folder; a link may lead to another in it, and not out."""
    return Folder(str(folder.resolve()), str(folder)).read(name, cap)


def _has_section(path: Path) -> bool:
    """Whether a `pyproject.toml` of somebody has a word for us; what is no file has none."""
    try:
        return b"tool.lazymmu" in _content(path.parent, path.name, toml_text.MOST)
    except (OSError, ValueError):
        return False


def _shown(tree: str, top: Path, path: Path) -> str:
    """A file's name as the user would call it: below the tree as it was named, else whole."""
    if path.parent == top:
        return os.path.join(tree, path.name)
    return str(path)
