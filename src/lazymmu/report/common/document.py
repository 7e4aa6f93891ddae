# SPDX-License-Identifier: GPL-2.0-or-later
"""What our JSON documents have in common: a head, what is said of any finding, and a schema.

Each kind of document has its schema beside its renderer, ``KIND.schema.json``. New keys may be
added at any time, so a schema forbids none; none changes its meaning without ``format`` going up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.json_text import dump
from lazymmu.version import version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.witness.finding import Finding

__all__ = ["facts", "render", "whole"]


def render(form: int, body: Mapping[str, Any]) -> str:
    """A whole document as text; form: the version of its layout; body: what follows the head."""
    # ASCII, because file names of a tree may be no text at all (surrogates survive as escapes).
    return dump(whole(form, body))


def whole(form: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    return {"format": form, "tool": "lazymmu", "version": version(), **body}


def facts(finding: Finding | None) -> dict[str, Any]:
    """What every document says of a finding of any witness, in this order; of none, nulls."""
    names = ("rule", "severity", "message", "file", "line", "column", "function", "fingerprint")
    said = {name: None if finding is None else getattr(finding, name) for name in names}
    return {**said, "arches": [] if finding is None else list(finding.arches)}
