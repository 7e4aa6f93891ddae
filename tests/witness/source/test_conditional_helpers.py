# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs of helpers that both ask the same of what they are handed, before they begin and end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]

ON, OFF = "lazy_mmu_mode_enable();", "lazy_mmu_mode_disable();"

SAME = {
    "whether there is one": (f"if (!b) return; {ON}", f"if (b) {OFF}"),
    "whether a member is zero": (f"if (b->nr) {ON}", f"if (!b->nr) return; {OFF}"),
    "a member of a member": (f"if (b->in.nr) {ON}", f"if (b->in.nr) {OFF}"),
    "more than a small number": (f"if (b->nr > 4) {ON}", f"if (b->nr <= 4) return; {OFF}"),
    "more than a large number": (f"if (b->nr >= 100) {ON}", f"if (b->nr < 100) return; {OFF}"),
    "a small number": (f"if (b->nr == 3) {ON}", f"if (b->nr != 3) return; {OFF}"),
    "a large number": (f"if (b->nr == 300) {ON}", f"if (b->nr != 300) return; {OFF}"),
    "a kind": (f"if (b->nr == KIND_LAZY) {ON}", f"if (b->nr == KIND_LAZY) {OFF}"),
    "a bit": (f"if (b->nr & 4) {ON}", f"if (!(b->nr & 4)) return; {OFF}"),
    "several things": (f"if (b && b->nr > 1) {ON}", f"if (!b) return; if (b->nr > 1) {OFF}"),
    "the same, by a variable": (
        f"bool on = b->nr > 3; if (on) {ON}",
        f"bool off = b->nr <= 3; if (off) return; {OFF}",
    ),
    "a global variable": (f"if (lazily) {ON}", f"if (lazily) {OFF}"),
}

OTHER = {
    "the opposite": (f"if (b->nr) {ON}", f"if (!b->nr) {OFF}"),
    "another member": (f"if (b->nr) {ON}", f"if (b->flags) {OFF}"),
    "another number": (f"if (b->nr > 1) {ON}", f"if (b->nr > 2) {OFF}"),
    "another bit": (f"if (b->nr & 4) {ON}", f"if (b->nr & 8) {OFF}"),
}


def code(pair: tuple[str, str], body: str) -> str:
    """The pair, and a function that calls it around and in this body."""
    first, last = pair
    return f"""
struct batch {{ int nr; int flags; struct {{ int nr; }} in; struct batch *next; }};

static bool lazily;

static void begin(struct batch *b)
{{
	{first}
}}

static void end(struct batch *b)
{{
	{last}
}}

static void fill(struct batch *b)
{{
	b->nr = 7;
}}

static void look(struct batch *b)
{{
	work(b->nr);
}}

int f(struct batch *batch, int some)
{{
	{body}
	return 0;
}}
"""


@pytest.mark.parametrize("what", SAME)
@pytest.mark.parametrize(
    "body",
    [
        "begin(batch); end(batch);",
        "begin(batch->next); work(some); end(batch->next);",
        "begin(batch); look(batch); end(batch);",
        "while (some--) { begin(batch); end(batch); }",
    ],
)
def test_a_pair_that_asks_the_same_is_balanced(agrees: Agrees, what: str, body: str) -> None:
    """Each way through both is one on which both, or neither, change the mode."""
    assert not agrees(code(SAME[what], body))


@pytest.mark.parametrize("what", OTHER)
def test_a_pair_that_asks_something_else_is_not(agrees: Agrees, what: str) -> None:
    """There is a way through the first alone, and one through the second alone."""
    with pytest.raises(AssertionError):
        agrees(code(OTHER[what], "begin(batch); end(batch);"))


@pytest.mark.parametrize("what", [what for what in SAME if what != "a global variable"])
def test_a_way_out_between_both_is_told(agrees: Agrees, what: str) -> None:
    """The section is left open on it, whatever the helpers ask."""
    out = (
        "begin(batch); if (some)\n\t\treturn 1;	/* expect: unbalanced-section */\n\tend(batch);"
    )
    agrees(code(SAME[what], out))


@pytest.mark.parametrize(
    "what", [what for what in SAME if "member" in what or "number" in what or what == "a bit"]
)
@pytest.mark.parametrize("change", ["batch->nr = 0;", "batch->nr = some;", "fill(batch);"])
def test_what_has_changed_in_between_is_asked_anew(agrees: Agrees, what: str, change: str) -> None:
    """What the first helper found is no longer so for the second."""
    if what == "a member of a member":
        change = change.replace("batch->nr", "batch->in.nr").replace("fill(batch)", "*batch = own")
    with pytest.raises(AssertionError):
        agrees(code(SAME[what], f"begin(batch); {change} end(batch);"))


@pytest.mark.parametrize("what", ["whether a member is zero", "more than a large number"])
@pytest.mark.parametrize(
    "change", ["batch->next->nr = 0;", "batch->next = batch;", "fill(batch->next);"]
)
def test_what_is_behind_a_pointer_that_has_changed_is_asked_anew(
    agrees: Agrees, what: str, change: str
) -> None:
    """Be the pointer written, or what it points to, here or by whoever is handed it."""
    with pytest.raises(AssertionError):
        agrees(code(SAME[what], f"begin(batch->next); {change} end(batch->next);"))


FLAG = (f"if (b->nr) return; b->nr = 1; {ON}", f"if (!b->nr) return; b->nr = 0; {OFF}")
OPPOSITE_FLAG = (f"if (!b->nr) return; b->nr = 0; {ON}", f"if (b->nr) return; b->nr = 1; {OFF}")


@pytest.mark.parametrize("pair", [FLAG, OPPOSITE_FLAG])
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("begin(batch); end(batch);", False),
        ("begin(batch); begin(batch); end(batch);", False),
        ("begin(batch); if (some) return 1; end(batch);", True),
        (f"begin(batch); end(batch); {OFF}", True),
        (f"begin(batch); {OFF} end(batch);", True),
    ],
)
def test_who_ends_what_a_flag_says_was_begun_is_not_told_for_sure(
    kernel: Callable[..., Any], pair: tuple[str, str], body: str, told: bool
) -> None:
    """That somebody had begun before is a guess; what goes wrong without it is told as ever."""
    found = kernel(code(pair, body)).findings()
    assert any(one.confidence is not Confidence.LOW for one in found) == told
