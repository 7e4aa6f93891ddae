# SPDX-License-Identifier: GPL-2.0-or-later
"""Baselines: what a tree had on one day, so that later checks report only what is new.

That is its findings, and what of it was lost: a loss that was known does not make a later check
inconclusive.

A baseline is a JSON file that a program writes and nobody edits; what a person has judged belongs
into suppressions, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lazymmu import json_text
from lazymmu.json_text import dump
from lazymmu.verbs.moves import broken_besides, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lazymmu.witness.finding import Finding

__all__ = ["Baseline", "BaselineEntry", "BaselineError", "read", "write"]

_KIND = "lazymmu-baseline"
_FORMAT = 1
_ENTRY = ("rule", "file", "function", "shape")


class BaselineError(ValueError):
    """The file is no baseline; the text is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """A finding of a baseline: where it was, and its shape (`moves.shape_of`), "" for none.

    :param also: the other rules that it broke, None where that was not written down.
    """

    fingerprint: str
    file: str = ""
    function: str = ""
    shape: str = ""
    also: tuple[str, ...] | None = None

    def is_about(self, finding: Finding) -> bool:
        """Whether it is this finding, which breaks no other rule than it did."""
        same = self.fingerprint == finding.fingerprint
        return same and (self.also is None or not broken_besides(finding, self.also))


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline holds: fingerprints, losses (file, name, reason), architectures.

    :param entries: the findings of these fingerprints, with what else is known of them.
    """

    fingerprints: tuple[str, ...]
    losses: tuple[tuple[str, str, str], ...] = ()
    arches: tuple[str, ...] = ()
    entries: tuple[BaselineEntry, ...] = field(default=(), compare=False)

    def known(
        self, findings: Iterable[Finding], defines: Callable[[str, str], bool]
    ) -> Callable[[Finding], bool]:
        """A test for which of some findings are in the baseline.

        One of another fingerprint is if it has the shape of an entry whose function is gone from
        where it was: it has got another name, or another file. Each entry stands for one finding.

        :param defines: whether a file of the tree, by path, defines a function.
        """
        left = list(self.entries)
        found: set[int] = set()
        others: list[Finding] = []
        for finding in findings:
            same = next((one for one in left if one.is_about(finding)), None)
            if same is None:
                others.append(finding)
            else:
                left.remove(same)
                found.add(id(finding))
        gone = [one for one in left if one.shape and not defines(one.file, one.function)]
        for finding in others:
            shape = shape_of(finding)
            same = next((one for one in gone if one.shape == shape), None)
            if same is not None:
                gone.remove(same)
                found.add(id(finding))
        return lambda finding: id(finding) in found


def write(
    findings: Iterable[Finding],
    losses: Iterable[tuple[str, str, str]],
    arches: Iterable[str],
    release: str,
) -> str:
    """The text of a baseline of a tree of a kernel `release`, looked at on `arches`.

    A rule is for the person who looks at a diff; the rest is read back.
    """
    entries = [
        {
            "fingerprint": finding.fingerprint,
            "rule": finding.rule,
            "file": finding.file,
            "function": finding.function,
            "shape": shape_of(finding),
            "also": list(finding.also),
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

    One that was written before there were losses in baselines has none, and of one from before the
    other rules of a finding were written down each is taken to be known.

    :raises BaselineError: the text is not as `write` writes it.
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
    read_back = []
    for number, entry in enumerate(entries, 1):
        fingerprint = entry.get("fingerprint") if isinstance(entry, dict) else None
        if not isinstance(fingerprint, str) or not fingerprint:
            raise BaselineError(f"{name}: a broken baseline: finding {number} has no fingerprint")
        for key, value in entry.items():
            if key in _ENTRY and not isinstance(value, str):
                raise BaselineError(
                    f"{name}: a broken baseline: `{key}` of finding {number} is not a text"
                )
        file, function, shape = (entry.get(key, "") for key in _ENTRY if key != "rule")
        also = _also(entry, f"{name}: a broken baseline: `also` of finding {number}")
        read_back.append(BaselineEntry(fingerprint, file, function, shape, also))
    arches = whole.get("arches", [])
    if not isinstance(arches, list) or not all(isinstance(arch, str) for arch in arches):
        raise BaselineError(f"{name}: a broken baseline: `arches` is not a list of names")
    return Baseline(
        tuple(entry.fingerprint for entry in read_back),
        tuple(_losses(whole.get("losses", []), name)),
        tuple(arches),
        tuple(read_back),
    )


def _also(entry: dict[str, Any], what: str) -> tuple[str, ...] | None:
    """The other rules of an entry, None where they were not written down."""
    also = entry.get("also")
    if also is None:
        return None
    if not isinstance(also, list) or not all(isinstance(rule, str) for rule in also):
        raise BaselineError(f"{what} is not a list of names")
    return tuple(also)


def _losses(entries: object, name: str) -> Iterator[tuple[str, str, str]]:
    if not isinstance(entries, list):
        raise BaselineError(f"{name}: a broken baseline: `losses` is not a list")
    for number, entry in enumerate(entries, 1):
        found = entry if isinstance(entry, dict) else {}
        file, what, reason = (found.get(key) for key in ("file", "name", "reason"))
        if not (isinstance(file, str) and isinstance(what, str) and isinstance(reason, str)):
            raise BaselineError(f"{name}: a broken baseline: loss {number} is not whole")
        yield file, what, reason
