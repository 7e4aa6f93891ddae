# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that look real and are not: what a reader meets when somebody means harm or slips."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

CASES = int(os.environ.get("LAZYMMU_FUZZ", "50"))
"""Cases of each target; see CONTRIBUTING for the number of a release."""

F = TypeVar("F", bound=Callable[..., None])

_COMMON = (
    b"\0",
    b"\xff",
    b"\r",
    b"\n",
    b"\\\n",
    b"\t",
    b" ",
    b'"',
    b"'",
    b"(",
    b")",
    b"{",
    b"}",
    b"[",
    b"]",
    b"9" * 5000,
    b"0x" + b"f" * 5000,
    b"-1",
    b"1" + b"0" * 20,
    b"((((((((",
    b"))))))))",
    b"a" * 300,
    b"../",
    b"/",
    b"$",
    b"#",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"=",
    b",",
    b".",
    b":",
    b";",
    b"%s",
)


def seeds(*patterns: str, below: Path = EXAMPLES, most: int = 20_000) -> list[bytes]:
    """The files of the examples (or of another directory) that fit one of the patterns."""
    found = {path for pattern in patterns for path in below.glob(pattern) if path.is_file()}
    return [path.read_bytes()[:most] for path in sorted(found)]


def mutated(texts: Sequence[bytes], words: Sequence[bytes] = ()) -> st.SearchStrategy[bytes]:
    """One of the texts after a few changes: cuts, repeats, splices, words that mean something."""
    tokens = (*_COMMON, *words)

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        text = draw(st.sampled_from(texts))
        for _ in range(draw(st.integers(0, 6))):
            first = draw(st.integers(0, len(text)))
            last = min(len(text), first + draw(st.sampled_from((0, 1, 2, 7, 40, 300, 5000))))
            match draw(st.sampled_from(("cut", "repeat", "word", "splice", "byte", "end", "many"))):
                case "cut":
                    text = text[:first] + text[last:]
                case "repeat":
                    times = draw(st.sampled_from((2, 3, 50)))
                    text = text[:last] + text[first:last][:400] * times + text[last:]
                case "word":
                    text = text[:first] + draw(st.sampled_from(tokens)) + text[first:]
                case "many":
                    word = draw(st.sampled_from(tokens))[:40]
                    text = (
                        text[:first] + word * draw(st.sampled_from((10, 300, 3000))) + text[first:]
                    )
                case "splice":
                    other = draw(st.sampled_from(texts))
                    at = draw(st.integers(0, len(other)))
                    text = text[:first] + other[at : at + 400] + text[last:]
                case "byte":
                    text = text[:first] + bytes([draw(st.integers(0, 255))]) + text[first + 1 :]
                case "end":
                    text = text[:first]
        return text[:100_000]

    return made() | st.binary(max_size=300)


def fuzz(cost: int = 1, **given_: st.SearchStrategy[object]) -> Callable[[F], F]:
    """Run a test on as many cases as LAZYMMU_FUZZ says, each on what the strategies draw.

    cost: how many cases one case of this target counts for: some of them check a whole tree.
    """

    def decorate(test: F) -> F:
        limited = settings(
            max_examples=max(2, CASES // cost),
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=CASES <= 50,
        )
        return limited(given(**given_)(test))

    return decorate
