# SPDX-License-Identifier: GPL-2.0-or-later
"""Baselines: what a tree had on one day, so that later checks report only what is new.

That is its findings, and what of it was lost: a loss that was known does not make a later check
inconclusive.

A baseline is a JSON file that a program writes and nobody edits; what a person has judged belongs
into suppressions, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu import json_text
from lazymmu.json_text import dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.witness.finding import Finding

__all__ = ["Baseline", "BaselineError", "read", "write"]

_KIND = "lazymmu-baseline"
_FORMAT = 1
_ENTRY = ("rule", "file", "function")


class BaselineError(ValueError):
    """The file is no baseline; the text is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline holds: fingerprints, losses (file, name, reason), architectures."""

    fingerprints: tuple[str, ...]
    losses: tuple[tuple[str, str, str], ...] = ()
    arches: tuple[str, ...] = ()


def write(
    findings: Iterable[Finding],
    losses: Iterable[tuple[str, str, str]],
    arches: Iterable[str],
    release: str,
) -> str:
    """The text of a baseline of a tree of a kernel `release`, looked at on `arches`.

    Of a finding only the fingerprint is read back; the rest is for the person who looks at a diff.
    """
    entries = [
        {
            "fingerprint": finding.fingerprint,
            "rule": finding.rule,
            "file": finding.file,
            "function": finding.function,
        }
        for finding in findings
    ]
    lost = [{"file": file, "name": name, "reason": reason} for file, name, reason in losses]
    whole = {
        "kind": _KIND,
        "format": _FORMAT,
        "release": release,
        "arches": list(arches),
        "findings": entries,
        "losses": lost,
    }
    return dump(whole, indent=1)


def read(text: bytes, name: str) -> Baseline:
    """What a baseline's text holds; name: the file's, for messages.

    One that was written before there were losses in baselines has none.

    Raises BaselineError if the text is not as `write` writes it.
    """
    try:
        whole = json_text.load(text)
    except json_text.NotStrictError as error:
        raise BaselineError(f"{name}: not a baseline: {error}") from None
    if not isinstance(whole, dict) or whole.get("kind") != _KIND:
        raise BaselineError(f"{name}: not a baseline of lazymmu (write one with --write-baseline)")
    # True == 1 == 1.0 in Python; neither is the format.
    if type(whole.get("format")) is not int or whole["format"] != _FORMAT:
        raise BaselineError(f"{name}: a baseline of another format; write it anew")
    if not isinstance(whole.get("release", ""), str):
        raise BaselineError(f"{name}: a broken baseline: `release` is not a text")
    entries = whole.get("findings")
    if not isinstance(entries, list):
        raise BaselineError(f"{name}: a broken baseline: `findings` is not a list")
    prints = []
    for number, entry in enumerate(entries, 1):
        fingerprint = entry.get("fingerprint") if isinstance(entry, dict) else None
        if not isinstance(fingerprint, str) or not fingerprint:
            raise BaselineError(f"{name}: a broken baseline: finding {number} has no fingerprint")
        for key, value in entry.items():
            if key in _ENTRY and not isinstance(value, str):
                raise BaselineError(
                    f"{name}: a broken baseline: `{key}` of finding {number} is not a text"
                )
        prints.append(fingerprint)
    arches = whole.get("arches", [])
    if not isinstance(arches, list) or not all(isinstance(arch, str) for arch in arches):
        raise BaselineError(f"{name}: a broken baseline: `arches` is not a list of names")
    return Baseline(tuple(prints), tuple(_losses(whole.get("losses", []), name)), tuple(arches))


def _losses(entries: object, name: str) -> Iterator[tuple[str, str, str]]:
    if not isinstance(entries, list):
        raise BaselineError(f"{name}: a broken baseline: `losses` is not a list")
    for number, entry in enumerate(entries, 1):
        found = entry if isinstance(entry, dict) else {}
        file, what, reason = (found.get(key) for key in ("file", "name", "reason"))
        if not (isinstance(file, str) and isinstance(what, str) and isinstance(reason, str)):
            raise BaselineError(f"{name}: a broken baseline: loss {number} is not whole")
        yield file, what, reason
