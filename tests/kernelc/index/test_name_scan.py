# SPDX-License-Identifier: GPL-2.0-or-later
"""The quick index of names, against the careful reading of the same text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lazymmu.kernelc.index.name_scan import scan_names
from lazymmu.kernelc.parse.slices import definitions

SOURCE = b"""/* int not_me(void) { */
int plain(int a)
{
}
static int hidden(void)
{
}
static inline struct page *
 on_next_line(struct page *page) { }
__printf(1, 2) void marked(const char *format, ...)
{
}
SYSCALL_DEFINE2(many, int, a, int, b)
{
}
some_initcall(other)

void after_macro(void /* it = nothing; */)

{
}
int prototype(int);
static const struct walk_ops table = {
\t.entry = plain,
\t.count = 7,
\t.nested = { .leave = &hidden },
};
static typeof(pv_ops) more[] __initconst = { { .mmu = WRAP(plain) } };
void set(void)
{
\tpv_ops.mmu.flush = plain;
\tx->field = 7;
}
"""


def test_every_definition_is_named() -> None:
    """What slices.py finds is in the index; statics of a .c file need not be."""
    names = set(scan_names(SOURCE, header=True).functions)
    assert {raw.name for raw in definitions(SOURCE) if raw.kind == "function"} <= names
    external = set(scan_names(SOURCE, header=False).functions)
    assert {"plain", "marked", "sys_many", "after_macro", "set"} <= external
    assert "hidden" not in external
    assert "prototype" not in names
    assert "not_me" not in names


def test_fields_and_tables_are_named() -> None:
    """Fields that get a name as value, and the variables and types that have them."""
    names = scan_names(SOURCE, header=False)
    assert set(names.fields) == {"entry", "leave", "mmu", "flush"}
    assert set(names.structs) == {"walk_ops", "table", "pv_ops", "more"}


def test_the_index_misses_no_function_of_a_kernel(
    kernel_tree: Callable[[str], Path],
) -> None:
    """In mm/ and include/linux of a real tree, every function is found by its name."""
    tree = kernel_tree("6.12.8")
    missed = []
    for path in [*tree.glob("mm/**/*.[ch]"), *tree.glob("include/linux/*.h")]:
        text = path.read_bytes()
        names = set(scan_names(text, path.suffix == ".h").functions)
        missed += [
            (path.name, raw.name)
            for raw in definitions(text)
            if raw.kind == "function"
            and raw.name not in names
            and not (raw.static and path.suffix == ".c")
        ]
    assert missed == []
