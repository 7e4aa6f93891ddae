# SPDX-License-Identifier: GPL-2.0-or-later
"""Any text as C: slices, heads, masks, lowering, directives, names, tables, comments."""

from __future__ import annotations

import contextlib

from lazymmu.kernelc.index.name_scan import scan_names
from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.parse import kernel_doc, masks, slices
from lazymmu.kernelc.parse.ops_tables import read_initialisers
from lazymmu.kernelc.preprocess.directives import scan
from lazymmu.kernelc.preprocess.if_bounds import BeyondError
from lazymmu.kernelc.preprocess.if_expression import evaluate
from lazymmu.kernelc.preprocess.macros import Macros
from lazymmu.kernelc.preprocess.selection import interpret
from lazymmu.snapshot.conflict_markers import conflicts

from .mutated import fuzz, mutated, seeds

C = seeds("linux-new/**/*.c", "linux-new/**/*.h", "linux-old/**/*.c")
WORDS = (
    b"if (",
    b"else ",
    b"for (",
    b"while (",
    b"do {",
    b"switch (",
    b"case 1:",
    b"default:",
    b"goto x;",
    b"x:",
    b"return ",
    b"? 1 : ",
    b"&& f()",
    b"|| g(",
    b"({",
    b"})",
    b"guard(mutex)(&m);",
    b"asm(",
    b"scoped_guard(x, y)",
    b"__attribute__((",
    b"typeof(",
    b"sizeof(",
    b"/*",
    b"*/",
    b"//",
    b"#define A ",
    b"#if ",
    b"#endif\n",
    b"#else\n",
    b"\n<<<<<<< a\n",
    b"\n=======\n",
    b"\n>>>>>>> b\n",
    b"static ",
    b"lazy_mmu_mode_enable();",
    b"set_pte_at(mm, a, p, v);",
    b"SYSCALL_DEFINE2(a, int, b)",
)
CONDITIONS = [
    b"defined(CONFIG_X) && !defined(A)",
    b"A(1, 2) + B * 3 > 0x10UL",
    b"IS_ENABLED(CONFIG_Y) || (1 ? 2 : 3)",
    b"A ## B == 'x'",
    b"__has_attribute(x) && (~1 << 3) % 2",
]
TABLE = {"A": "B + B", "B": "(C)", "C": "A", "D": "'x'", "E": "F(", "F": "1"}


@fuzz(text=mutated(C, WORDS))
def test_definitions_of_any_text_can_be_lowered(text: bytes) -> None:
    """Nothing is raised, what is found lies in the text, and masks keep its length."""
    conflicts(text)
    for raw in slices.definitions(text):
        assert 0 <= raw.start <= raw.body <= raw.end <= len(text)
        kernel_doc.doc_context(text, raw)
        params = raw.params if raw.kind != "function" else None
        body = masks.macro_body(text, raw) if raw.kind != "function" else text[raw.start : raw.end]
        masked = masks.mask(body, frozenset({"for_each_entry"}))
        assert len(masked) == len(body)
        graph = lower(masked, name=raw.name, file="a.c", line=raw.line, macro_params=params)
        for node in graph.nodes:
            assert all(0 <= succ < len(graph.nodes) for succ in node.succ)
        list(graph.calls())


@fuzz(text=mutated(C, WORDS))
def test_the_directives_of_any_text_can_be_carried_out(text: bytes) -> None:
    """Nothing is raised, and what is not compiled lies inside of the text."""
    directives, following = scan(text.decode("latin-1"))
    chosen = interpret(directives, following, Macros(TABLE), len(text), file="a.c")
    assert all(0 <= start <= end <= len(text) for start, end in chosen.dead)
    for header in (True, False):
        scan_names(text, header)
    list(read_initialisers("a.c", text))


@fuzz(
    text=mutated(
        CONDITIONS, (b"&&", b"||", b"!", b"(", b")", b"?", b":", b"<<", b"/ 0", b"A", b"F(", b"##")
    )
)
def test_any_condition_has_a_value_or_is_beyond_the_bounds(text: bytes) -> None:
    """BeyondError is all that a condition may raise."""
    with contextlib.suppress(BeyondError):
        evaluate(text.decode("latin-1").replace("\n", " "), Macros(TABLE))
