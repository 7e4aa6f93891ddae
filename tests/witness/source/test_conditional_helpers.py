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
    "a member by a function": (f"if (many(b)) {ON}", f"if (!many(b)) return; {OFF}"),
    "a member by a function, and by itself": (f"if (many(b)) {ON}", f"if (b->nr > 4) {OFF}"),
    "a member by functions of functions": (f"if (most(b, 9)) {ON}", f"if (most(b, 9)) {OFF}"),
    "a number by a function, and a variable": (
        f"bool on = many(b); if (on) {ON}",
        f"bool off = !many(b); if (off) return; {OFF}",
    ),
    "a member by a copy of the pointer": (
        f"struct batch *c = b; if (c->nr) {ON}",
        f"const struct batch *d = b; if (!d->nr) return; {OFF}",
    ),
    "a number by a switch": (
        f"switch (b->nr) {{ case 1: case 2: {ON} break; default: break; }}",
        f"switch (b->nr) {{ case 0: return; case 1: case 2: {OFF} }}",
    ),
    "a number by a switch, and by itself": (
        f"switch (b->nr) {{ case KIND_LAZY: {ON} }}",
        f"if (b->nr == KIND_LAZY) {OFF}",
    ),
    "whether there is one, with a warning": (
        f"if (WARN_ON_ONCE(!b)) return; {ON}",
        f"if (b) {OFF}",
    ),
    "a number, with a warning": (
        f'if (WARN(b->nr > 4, "%d", b->nr)) return; {ON}',
        f"if (b->nr > 4) return; {OFF}",
    ),
    "a global variable": (f"if (lazily) {ON}", f"if (lazily) {OFF}"),
    "a static key": (
        f"if (static_branch_likely(&key)) {ON}",
        f"if (!static_branch_likely(&key)) return; {OFF}",
    ),
}

GLOBAL = ("a global variable", "a static key")

OTHER = {
    "the opposite": (f"if (b->nr) {ON}", f"if (!b->nr) {OFF}"),
    "another member": (f"if (b->nr) {ON}", f"if (b->flags) {OFF}"),
    "another number": (f"if (b->nr > 1) {ON}", f"if (b->nr > 2) {OFF}"),
    "another number by a function": (f"if (many(b)) {ON}", f"if (most(b, 9)) {OFF}"),
    "another case": (f"switch (b->nr) {{ case 1: {ON} }}", f"switch (b->nr) {{ case 2: {OFF} }}"),
    "another key": (
        f"if (static_branch_likely(&key)) {ON}",
        f"if (static_branch_likely(&other_key)) {OFF}",
    ),
    "a function that writes": (f"if (next_of(b)) {ON}", f"if (next_of(b)) {OFF}"),
    "another number, with a warning": (
        f"if (WARN_ON(b->nr > 4)) return; {ON}",
        f"if (b->nr > 5) return; {OFF}",
    ),
    "another bit": (f"if (b->nr & 4) {ON}", f"if (b->nr & 8) {OFF}"),
}


def code(pair: tuple[str, str], body: str) -> str:
    """The pair, and a function that calls it around and in this body."""
    first, last = pair
    return f"""
struct batch {{ int nr; int flags; struct {{ int nr; }} in; struct batch *next; }};

static bool lazily;
static struct static_key_true key, other_key;

static bool many(struct batch *one)
{{
	return one->nr > 4;
}}

static bool most(struct batch *one, int flag)
{{
	return many(one) && one->nr < flag;
}}

static bool next_of(struct batch *one)
{{
	return one->nr++ > 4;
}}

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


ONE_ASKS = {
    "the end, whether there is one": (ON, f"if (b) {OFF}"),
    "the end, for a pointer behind it": (ON, f"if (!b->next) return; {OFF}"),
    "the end, for a number": (ON, f"if (b->nr) {OFF}"),
    "the end, for what it is told": (ON, f"int x = told(); if (x) {OFF}"),
    "the beginning, whether there is one": (f"if (!b) return; {ON}", OFF),
    "the beginning, for a number": (f"if (b->nr) {ON}", OFF),
    "both, for something else": (f"if (b->nr) {ON}", f"if (b->flags) {OFF}"),
}


@pytest.mark.parametrize("what", ONE_ASKS)
def test_what_one_of_a_pair_asks_alone_is_assumed(kernel: Callable[..., Any], what: str) -> None:
    """That it leaves the mode alone is so for some of what it may be handed: medium confidence."""
    found = kernel(code(ONE_ASKS[what], "begin(batch); end(batch);")).findings()
    assert {one.confidence for one in found} == {Confidence.MEDIUM}


@pytest.mark.parametrize("what", ONE_ASKS)
def test_a_way_past_a_pair_of_which_one_asks_alone_is_sure(
    kernel: Callable[..., Any], what: str
) -> None:
    """What the end asks there does not matter."""
    body = "begin(batch); if (some) return 1; end(batch);"
    found = kernel(code(ONE_ASKS[what], body)).findings()
    assert Confidence.HIGH in {one.confidence for one in found if one.function == "f"}


@pytest.mark.parametrize("what", [what for what in SAME if what not in GLOBAL])
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


@pytest.mark.parametrize(
    ("ask", "between", "same"),
    [
        ("many(batch)", "", True),
        ("static_branch_likely(&key)", "", True),
        ("batch->nr > 4", "work(some);", True),
        ("many(batch)", "batch->nr = some;", False),
        ("batch->nr > 4", "batch->nr = some;", False),
        ("next_of(batch)", "", False),
    ],
)
def test_one_function_that_asks_twice_is_answered_the_same(
    kernel: Callable[..., Any], ask: str, between: str, same: bool
) -> None:
    """Unless somebody writes what it asks for, itself included."""
    body = f"if ({ask}) {ON} {between} if ({ask}) {OFF}"
    assert bool(kernel(code(("", ""), body)).findings()) != same


RETURNED = """
struct map {{ pte_t *pte; spinlock_t *ptl; int nr; }};

static pte_t *begin(struct map *map, struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{{
	map->pte = pte_offset_map_lock(mm, pmd, addr, &map->ptl);
	if (!map->pte)
		return NULL;
	map->nr = 0;
	lazy_mmu_mode_enable();
	return map->pte;
}}

static struct map get(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{{
	struct map map;

	begin(&map, mm, pmd, addr);
	return map;
}}

static struct map get_again(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{{
	return get(mm, pmd, addr);
}}

static void end(struct map *map)
{{
	lazy_mmu_mode_disable();
	pte_unmap_unlock(map->pte, map->ptl);
}}

static void put(struct map map)
{{
	if (map.pte)
		end(&map);
}}

void g(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{{
	struct map map = get_again(mm, pmd, addr);

	put(map);
}}

int f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, int some)
{{
	struct map map, same;
	pte_t *pte;

	{body}
	return 0;
}}
"""


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("if (!begin(&map, mm, pmd, addr)) return 1; end(&map);", True),
        ("pte = begin(&map, mm, pmd, addr); if (pte) end(&map);", True),
        ("begin(&map, mm, pmd, addr); if (map.pte) end(&map);", True),
        ("begin(&map, mm, pmd, addr); pte = map.pte; if (!pte) return 1; end(&map);", True),
        ("map = get(mm, pmd, addr); if (map.pte) end(&map);", True),
        ("map = get(mm, pmd, addr); same = map; if (same.pte) end(&same);", True),
        ("map = get(mm, pmd, addr); put(map);", True),
        ("map = get_again(mm, pmd, addr); put(map);", True),
        ("map = get_again(mm, pmd, addr); same = map; if (same.pte) end(&same);", True),
        ("map = get_again(mm, pmd, addr); if (some) put(map);", False),
        ("begin(&map, mm, pmd, addr); end(&map);", False),
        ("map = get(mm, pmd, addr); if (some) put(map);", False),
        ("map = get(mm, pmd, addr); map.pte = some_pte(); if (map.pte) end(&map);", False),
        ("map = get(mm, pmd, addr); map = same; put(map);", False),
    ],
)
def test_a_member_that_is_noted_by_who_begins_is_known_to_the_caller(
    kernel: Callable[..., Any], body: str, right: bool
) -> None:
    """By the value that is returned, by the member, or by the structure that is handed back."""
    assert bool(kernel(RETURNED.format(body=body)).findings()) != right


BEHIND = """
struct batch {{ int nr; struct list_head list; }};

static struct batch *begin(struct batch *b, int some)
{{
	lazy_mmu_mode_enable();
	{body}
	return b;
}}

static void end(struct batch *b)
{{
	if (b)
		lazy_mmu_mode_disable();
}}

void f(struct batch *given, int some)
{{
	struct batch *b = begin(given, some);

	end(b);
}}
"""


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("b->nr = 1;", True),
        ("some += b->nr;", True),
        ("(*b).nr++;", True),
        ("if (some) count(); b->nr = some;", True),
        ("if (some) { lazy_mmu_mode_disable(); return NULL; } b->nr = 1;", True),
        ("if (some) { lazy_mmu_mode_disable(); return b; } b->nr = 1;", False),
        ("", False),
        ("if (some) b->nr = 1;", False),
        ("note(&b->list);", False),
        ("some = b && b->nr;", False),
        ("some = !b || b->nr;", False),
        ("note(b ? b->nr : 0);", False),
        ("some = sizeof(*b);", False),
        ("some = b->nr && some;", True),
        ("note(b->nr ? 1 : 0);", True),
        ("b->nr = 1; b = next(b);", False),
    ],
)
def test_a_pointer_that_was_looked_behind_is_not_zero(
    kernel: Callable[..., Any], body: str, right: bool
) -> None:
    """On every path, and where it is what it was: who asks for it when it is returned knows."""
    assert bool(kernel(BEHIND.format(body=body)).findings()) != right
