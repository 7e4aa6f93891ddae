# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu port plan`: what in a tree has to change, as the tree itself says it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def tree(tmp_path):
    """A copy of the small tree of 7.1's kind, with an architecture that lacks the mode."""
    copy = tmp_path / "linux"
    shutil.copytree(EXAMPLES / "linux-new", copy)
    header = copy / "arch/toy/include/asm/pgtable.h"
    header.parent.mkdir(parents=True)
    (copy / "arch/toy/Kconfig").write_text("config TOY\n\tdef_bool y\n")
    header.write_text(
        "/* static inline void pte_clear(int no) */\n"
        "static inline void set_pte(pte_t *p, pte_t v)\n{\n\t*p = v;\n}\n"
        "#define arch_flush_lazy_mmu_mode() do {} while (0)\n"
        "static inline pte_t ptep_get(pte_t *p) { return *p; }\n"
    )
    return copy


def test_the_plan_names_the_symbol_the_hooks_and_the_accessors(run, tree):
    """Each with its file; what the architecture has is said, and comments are no code."""
    done = run("port", "plan", "--tree", tree, "--arch", "toy", "--no-cache")
    assert done.code == 0
    said = " ".join(done.out.split())
    assert "arch/toy/Kconfig: select ARCH_HAS_LAZY_MMU_MODE" in said
    assert "arch_enter_lazy_mmu_mode(): to be written, in arch/toy/include/asm/pgtable.h" in said
    assert "arch_flush_lazy_mmu_mode(): arch/toy/include/asm/pgtable.h:6 has it" in said
    assert "arch/toy/include/asm/pgtable.h: set_pte:2" in said
    assert "pte_clear" not in said
    assert "ptep_get:" not in said


def test_an_architecture_that_has_the_mode_is_told_so(run, tree):
    """With the place that turns it on."""
    done = run("port", "plan", "--tree", tree, "--arch", "arm64", "--no-cache")
    assert "arch/arm64/Kconfig:4 has ARCH_HAS_LAZY_MMU_MODE already" in done.out


def test_the_callers_that_begin_to_defer_are_those_of_the_sections_table(run, tree):
    """Those of kernel mappings are named one by one, because nobody faults on them."""
    done = run("port", "plan", "--tree", tree, "--no-cache")
    assert "kernel/right_interrupt.c:11 close_window(): kernel mappings" in done.out
    assert "arch/ARCH/Kconfig: select" in done.out


def test_an_older_tree_has_a_macro_in_place_of_the_symbol(run):
    """As the header's own condition has it."""
    tree = EXAMPLES / "linux-old"
    done = run("port", "plan", "--tree", tree, "--arch", "x86", "--no-cache")
    assert "__HAVE_ARCH_ENTER_LAZY_MMU_MODE already: there is a mode here" in " ".join(
        done.out.split()
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tree", "/nonexistent"), "does not exist"),
        (("--tree", EXAMPLES / "linux-new", "--arch", "x68"), "did you mean x86?"),
        (("--tree", EXAMPLES / "linux-new", "--arch", "../x86"), "there is no architecture"),
    ],
)
def test_what_is_not_there_is_one_sentence(run, arguments, said):
    """Exit code 2, and nothing on standard output."""
    done = run("port", "plan", *arguments, "--no-cache")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
