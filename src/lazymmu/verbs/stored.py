# SPDX-License-Identifier: GPL-2.0-or-later
"""Counterexamples that were written before: what of verify's JSON is read back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lazymmu import json_text
from lazymmu.terminal import clean

__all__ = ["FORMAT", "PAGE_DATA", "Stored", "read"]

PAGE_DATA: Final = "lazymmu-"
"""How the ids of elements begin that hold the JSON of a page; what follows is the verb's name."""

_IS_PAGE: Final = re.compile(r"\s*<!doctype html\b", re.IGNORECASE)
_CARRIED: Final = re.compile(
    rf'<script type="application/json" id="{PAGE_DATA}verify">(?P<json>[^<]*)</script>'
)

FORMAT = 1
"""Version of the layout, as it is written (`report.verify.json`) and as it is read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A violation that was written before: whose, on what, and the machine's names of its steps.

    :param text: of the scenario as it was run, "" when the file does not hold it.
    """

    scenario: str
    text: str
    arch: str
    release: str
    rule: str
    harm: str
    actions: tuple[str, ...]


def read(text: bytes | str) -> list[Stored]:
    """Every violation of a written object, in order.

    :param text: the object, or a page that carries it.
    :raises ValueError: with one sentence.
    """
    text = _carried(text)
    try:
        value = json_text.load(text)
    except json_text.NotStrictError as error:
        said = (
            "this is no JSON" if str(error) == json_text.NO_JSON else f"this is not read: {error}"
        )
        raise ValueError(said) from None
    if not isinstance(value, dict) or not isinstance(value.get("results"), list):
        raise ValueError("this is no output of lazymmu verify --format json")
    found = value.get("format")
    if type(found) is not int or found != FORMAT:
        raise ValueError(f"its format is {clean(repr(found), 40)}, and {FORMAT} can be read")
    try:
        texts = dict(value.get("scenarios") or {})
        return [
            Stored(
                scenario=_text(result["scenario"]),
                text=_text(texts.get(result["scenario"], "")),
                arch=_text(result["arch"]),
                release=_text(result["release"]),
                rule=_text(broken["rule"]),
                harm=_text(broken["harm"]),
                actions=tuple(_text(step["action"]) for step in broken["trace"]),
            )
            for result in value["results"]
            for broken in (result, *result["also"])
            if broken["rule"] is not None
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ValueError("a result in it is not whole") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _carried(text: bytes | str) -> bytes | str:
    """The JSON that a page carries; a text that is no page as it is."""
    head = text[:100] if isinstance(text, str) else text[:100].decode(errors="replace")
    if _IS_PAGE.match(head) is None:
        return text
    page = text if isinstance(text, str) else text.decode(errors="replace")
    found = _CARRIED.search(page)
    if found is None:
        raise ValueError("this page carries no result of lazymmu verify")
    return found["json"]
