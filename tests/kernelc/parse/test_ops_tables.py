# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of functions, as initialisers and assignments fill them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.parse.ops_tables import read_constants, read_initialisers

TEXT = b"""
static const struct walk_ops smaps_ops = {
\t.entry\t= smaps_range,\t/* .entry = old, */
\t.lock = PGWALK_RDLOCK,
\t.size = sizeof(int),
\t.priv = &(struct x){ .inner = 1 },
};

static const typeof(pv_ops) xen_ops __initconst = {
\t.mmu = {
\t\t.lazy_mode = {
\t\t\t.enter = xen_enter,
\t\t\t.leave =
\t\t\t\txen_leave,
\t\t},
\t\t.make_pte = CALLEE_SAVE(xen_make),
\t\t.set_pte = &xen_set,
\t},
\t.mmu.flush = flush,
\t.name = "a, .b = c {",
};

static struct entry_ops all[2] = {
\t[FIRST] = { .open = open_first },
\t[SECOND].open = open_second,
};

void init(void)
{
\tstruct walk_ops ops = { .entry = local_range };

\tpv_ops.mmu.lazy_mode.enter = xen_enter;
\ttables[i].open = WRAP(late);
\tif (x.a == y)
\t\treturn;
}
"""


def rows(text: bytes) -> list[tuple[int, str, str, str, str]]:
    """What is read, as plain rows."""
    return [
        (item.line, item.table, item.struct, item.field, item.function)
        for _, item in read_initialisers("a.c", text)
    ]


def test_designators_nest() -> None:
    """A field is named by its whole path, whether by braces or by dots, with its own line."""
    assert rows(TEXT) == [
        (3, "smaps_ops", "walk_ops", "entry", "smaps_range"),
        (4, "smaps_ops", "walk_ops", "lock", "PGWALK_RDLOCK"),
        (5, "smaps_ops", "walk_ops", "size", "sizeof"),
        (12, "xen_ops", "typeof(pv_ops)", "mmu.lazy_mode.enter", "xen_enter"),
        (13, "xen_ops", "typeof(pv_ops)", "mmu.lazy_mode.leave", "xen_leave"),
        (16, "xen_ops", "typeof(pv_ops)", "mmu.make_pte", "xen_make"),
        (17, "xen_ops", "typeof(pv_ops)", "mmu.set_pte", "xen_set"),
        (19, "xen_ops", "typeof(pv_ops)", "mmu.flush", "flush"),
        (24, "all", "entry_ops", "open", "open_first"),
        (25, "all", "entry_ops", "open", "open_second"),
        (30, "ops", "walk_ops", "entry", "local_range"),
        (32, "pv_ops", "", "mmu.lazy_mode.enter", "xen_enter"),
        (33, "tables", "", "open", "late"),
    ]


WHOLE = b"""
static const struct pv_mmu_ops xen_mmu_ops = { .enter = xen_enter };
static struct pv_ops other_ops = { .a = b };

void init(void)
{
\tint x;

\tpv_ops.mmu = xen_mmu_ops;
\tpv_ops.cpu = xen_ops.parts.cpu;
\tpv_ops.irq = *xen_irq_ops;
\tpv_ops = other_ops;
\tx = y;
\tmemcpy(&pv_ops.mmu.lazy, &xen_lazy_ops, sizeof(pv_ops.mmu.lazy));
\tmemcpy(&pv_ops, &xen_ops, sizeof(xen_ops));
\tpv_ops.time = (struct pv_time_ops){
\t\t.steal = xen_steal,
\t};
\tpv_ops = (const struct pv_ops) { .mmu = { .leave = xen_leave } };
}
"""


def test_tables_are_copied_whole() -> None:
    """To a table or to a part of one; a variable that is given another is none of it."""
    assert {(table, field, name) for _, table, _, field, name in rows(WHOLE)} == {
        ("xen_mmu_ops", "enter", "xen_enter"),
        ("other_ops", "a", "b"),
        ("pv_ops", "mmu", "xen_mmu_ops"),
        ("pv_ops", "cpu", "xen_ops.parts.cpu"),
        ("pv_ops", "irq", "xen_irq_ops"),
        ("pv_ops", "", "other_ops"),
        ("pv_ops", "mmu.lazy", "xen_lazy_ops"),
        ("pv_ops", "", "xen_ops"),
        ("pv_ops", "time.steal", "xen_steal"),
        ("pv_ops", "mmu.leave", "xen_leave"),
    }


POINTERS = b"""
static const struct walk_ops *one = &first_ops;
static const struct walk_ops *const fixed = &first_ops;
const struct walk_ops *list[] = { &first_ops, &second_ops };
static const struct walk_ops const_ops = { .entry = range, .gfp = GFP_NOWAIT | __GFP_NOWARN };
struct walk_ops const also = { .entry = range };
static struct walk_ops plain = { .entry = range };
"""


def test_a_pointer_is_given_a_table() -> None:
    """A pointer outside of functions holds the tables that it is given, as do several of them."""
    assert [row[1:] for row in rows(POINTERS) if not row[3]] == [
        ("one", "", "", "first_ops"),
        ("fixed", "", "", "first_ops"),
        ("list", "", "", "first_ops"),
        ("list", "", "", "second_ops"),
    ]


def test_what_is_declared_const_is_constant() -> None:
    """A table, or the pointer itself, and not what it points to."""
    found = {item.table: item.constant for _, item in read_initialisers("a.c", POINTERS)}
    assert found == {
        "one": False,
        "fixed": True,
        "list": False,
        "const_ops": True,
        "also": True,
        "plain": False,
    }


def test_the_value_of_a_field_is_all_of_it() -> None:
    """The name that it begins with is not all that a field is given."""
    found = {item.field: item.value for _, item in read_initialisers("a.c", POINTERS)}
    assert found["gfp"] == "GFP_NOWAIT | __GFP_NOWARN"
    assert found["entry"] == "range"


def test_scalars_that_are_declared_const_are_read() -> None:
    """Those outside of functions, and only where a file gives one value."""
    text = b"""
static const gfp_t quick = GFP_NOWAIT;
const unsigned long limit = 5 * 3;
static int const also = 1;
static gfp_t changed = GFP_NOWAIT;
#ifdef X
static const int twice = 1;
#else
static const int twice = 2;
#endif
static void (*const now)(void) = note;
static struct page *(* const get)(gfp_t gfp, int order) = &get_quickly;
static void (*later)(const void *x) = note;
void f(void)
{
\tconst int inside = 4;
}
"""
    assert read_constants(text) == {
        "quick": "GFP_NOWAIT",
        "limit": "5 * 3",
        "also": "1",
        "now": "note",
        "get": "get_quickly",
    }


@given(st.text(alphabet="struct x={.a,b}[]()&;\n\t/*\"'", max_size=120))
def test_any_text_is_read(text: str) -> None:
    """No text makes the reader fail."""
    rows(text.encode())
    read_constants(text.encode())
