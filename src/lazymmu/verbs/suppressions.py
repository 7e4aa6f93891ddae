# SPDX-License-Identifier: GPL-2.0-or-later
"""Suppressions: findings that the user has judged, with the reason, in a TOML file of theirs.

::

    [[suppress]]
    rule = "sleep-in-section"
    file = "mm/example.c"
    function = "example_pte_range"
    reason = "the flag that makes it sleep is never set here, see ..."

Each entry needs a `reason`, and either a `fingerprint` or a `rule` with a `file` or a `function`;
`file` may hold wildcards as the shell has them. An entry holds where everything that it names does.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.terminal import clean
from lazymmu.verbs import toml_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lazymmu.witness.finding import Finding

__all__ = ["Suppression", "SuppressionError", "entries", "read", "stale"]

_KEYS = ("rule", "file", "function", "fingerprint", "reason")


class SuppressionError(ValueError):
    """The file is not a list of suppressions; the text is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry; a key that was not given is empty.

    :param number: its place in the file, from one.
    :param origin: the file's name, for messages.
    """

    number: int
    rule: str = ""
    file: str = ""
    function: str = ""
    fingerprint: str = ""
    reason: str = ""
    origin: str = ""

    def holds(self, finding: Finding) -> bool:
        """Whether this entry is about `finding`."""
        return (
            self.rule in {"", finding.rule}
            and self.function in {"", finding.function}
            and self.fingerprint in {"", finding.fingerprint}
            and (not self.file or fnmatch.fnmatchcase(finding.file, self.file))
        )

    def __str__(self) -> str:
        named = [self.rule, self.function and f"{self.function}()", self.file, self.fingerprint]
        return clean(f"suppression {self.number} ({', '.join(filter(None, named))})")


def read(text: bytes, name: str, rules: Collection[str]) -> tuple[Suppression, ...]:
    """The entries of a file's text; name: the file's, for messages; rules: all that exist.

    :raises SuppressionError: for anything that is not as this module's text says: an entry that is
        misread would hide findings.
    """
    try:
        tables = toml_text.load(text)
    except toml_text.NotTomlError as error:
        raise SuppressionError(f"{name}: not TOML: {error}") from None
    extra = sorted(tables.keys() - {"suppress"})
    if extra:
        raise SuppressionError(f"{name}: unknown key `{extra[0]}`; entries begin with [[suppress]]")
    return entries(tables.get("suppress", []), name, rules)


def entries(listed: object, name: str, rules: Collection[str]) -> tuple[Suppression, ...]:
    """The entries of a list of tables; arguments and errors are those of `read`."""
    if not isinstance(listed, list):
        raise SuppressionError(f"{name}: `suppress` is not a list; entries begin with [[suppress]]")
    return tuple(_entry(entry, at, name, rules) for at, entry in enumerate(listed, 1))


def stale(
    suppressions: Iterable[Suppression], findings: Collection[Finding]
) -> tuple[Suppression, ...]:
    """The entries that hold for none of `findings`: what they were about is gone."""
    return tuple(s for s in suppressions if not any(s.holds(finding) for finding in findings))


def _entry(entry: object, number: int, name: str, rules: Collection[str]) -> Suppression:
    where = f"{name}: suppression {number}"
    if not isinstance(entry, dict):
        raise SuppressionError(f"{where} is not a table; entries begin with [[suppress]]")
    for key, value in entry.items():
        if key not in _KEYS:
            raise SuppressionError(f"{where}: unknown key `{key}`; there are {', '.join(_KEYS)}")
        if not isinstance(value, str) or not value.strip():
            raise SuppressionError(f"{where}: `{key}` is not a text with something in it")
    if "reason" not in entry:
        raise SuppressionError(f"{where} gives no `reason`")
    if "rule" in entry and entry["rule"] not in rules:
        raise SuppressionError(f"{where}: there is no rule `{entry['rule']}`")
    if "fingerprint" not in entry and not (
        "rule" in entry and ("file" in entry or "function" in entry)
    ):
        raise SuppressionError(
            f"{where} needs a `fingerprint`, or a `rule` with `file` or `function`"
        )
    return Suppression(number, origin=name, **entry)
