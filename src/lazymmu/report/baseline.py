# SPDX-License-Identifier: GPL-2.0-or-later
"""Baselines: the findings a tree had on one day, so that later checks report only what is new.

A baseline is a JSON file that a program writes and nobody edits; what a person has judged belongs
into suppressions, with a reason.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.witness.finding import Finding

__all__ = ["BaselineError", "read", "write"]

_KIND = "lazymmu-baseline"
_FORMAT = 1


class BaselineError(ValueError):
    """The file is no baseline; the text is one sentence for the user."""


def write(findings: Iterable[Finding], release: str) -> str:
    """The text of a baseline that holds `findings` of a tree of a kernel `release`.

    Only the fingerprint is read back; the rest is for the person who looks at a diff of it.
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
    whole = {"kind": _KIND, "format": _FORMAT, "release": release, "findings": entries}
    return json.dumps(whole, indent=1, ensure_ascii=True) + "\n"


def read(text: bytes, name: str) -> tuple[str, ...]:
    """The fingerprints of a baseline's text, one for each finding; name: the file's, for messages.

    Raises BaselineError if the text is not as `write` writes it.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise BaselineError(f"{name}: not a baseline: it is not JSON") from None
    if not isinstance(whole, dict) or whole.get("kind") != _KIND:
        raise BaselineError(f"{name}: not a baseline of lazymmu (write one with --write-baseline)")
    if whole.get("format") != _FORMAT:
        raise BaselineError(f"{name}: a baseline of another format; write it anew")
    entries = whole.get("findings")
    if not isinstance(entries, list):
        raise BaselineError(f"{name}: a broken baseline: `findings` is not a list")
    prints = []
    for number, entry in enumerate(entries, 1):
        fingerprint = entry.get("fingerprint") if isinstance(entry, dict) else None
        if not isinstance(fingerprint, str) or not fingerprint:
            raise BaselineError(f"{name}: a broken baseline: finding {number} has no fingerprint")
        prints.append(fingerprint)
    return tuple(prints)
