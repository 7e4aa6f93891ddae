# SPDX-License-Identifier: GPL-2.0-or-later
"""An implementation behind tables of functions, in whatever way the tables are filled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.finding import Finding

OLD = Path(__file__).parents[3] / "examples/linux-old"
CPU = "arch/x86/xen/enlighten_pv.c"
MMU = "arch/x86/xen/mmu_pv.c"
_CPU_TABLE = re.compile(r"static const typeof\(pv_ops\) xen_cpu_ops = .*?\n\};\n", re.S)
_MMU_TABLE = re.compile(r"static const typeof\(pv_ops\) xen_mmu_ops = .*?\n\};\n", re.S)

SWITCH = (
    ".start_context_switch = xen_start_context_switch,\n"
    ".end_context_switch = xen_end_context_switch,\n"
)
LAZY = ".enter = xen_enter_lazy_mmu,\n.leave = xen_leave_lazy_mmu,\n.flush = xen_flush_lazy_mmu,\n"
SETS = (
    ".set_pte = xen_set_pte,\n.set_pmd = xen_set_pmd,\n"
    ".ptep_modify_prot_start = xen_ptep_modify_prot_start,\n"
    ".ptep_modify_prot_commit = xen_ptep_modify_prot_commit,\n"
)
_MMU_OPS = f"{{\n{SETS}.lazy_mode = {{\n{LAZY}}},\n}};\n"


def told(cpu: tuple[str, str], mmu: tuple[str, str]) -> list[tuple[str, str, str]]:
    """What is found in the example with other tables: (definition, assignment) of each."""
    texts = {}
    for file, pattern, old, (table, assignment) in (
        (CPU, _CPU_TABLE, "pv_ops.cpu = xen_cpu_ops.cpu;", cpu),
        (MMU, _MMU_TABLE, "pv_ops.mmu = xen_mmu_ops.mmu;", mmu),
    ):
        text = (OLD / file).read_text()
        assert old in text
        text, number = pattern.subn(lambda _, table=table: table, text.replace(old, assignment))
        assert number == 1
        texts[file] = text.encode()
    return summary(lazymmu.check(Tree.open(OLD).over(texts), arches=["x86"]).findings)


def summary(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    """Findings without their lines."""
    return sorted((item.rule, item.file, item.function) for item in findings)


@pytest.fixture(scope="module")
def expected() -> list[tuple[str, str, str]]:
    """What is found in the example as it is."""
    return summary(lazymmu.check(OLD, arches=["x86"]).findings)


CPU_FORMS = {
    "member's type": (
        f"static const struct pv_cpu_ops xen_cpu_ops = {{\n{SWITCH}}};\n",
        "pv_ops.cpu = xen_cpu_ops;",
    ),
    "init only": (
        f"static const struct pv_cpu_ops xen_cpu_ops __initconst = {{\n{SWITCH}}};\n",
        "pv_ops.cpu = xen_cpu_ops;",
    ),
    "memcpy": (
        f"static const struct pv_cpu_ops xen_cpu_ops = {{\n{SWITCH}}};\n",
        "memcpy(&pv_ops.cpu, &xen_cpu_ops, sizeof(pv_ops.cpu));",
    ),
    "compound literal": ("", f"pv_ops.cpu = (struct pv_cpu_ops){{\n{SWITCH}}};"),
    "copied twice": (
        f"static const struct pv_cpu_ops first_ops = {{\n{SWITCH}}};\n"
        "static struct pv_cpu_ops xen_cpu_ops;\n",
        "xen_cpu_ops = first_ops;\n\tpv_ops.cpu = xen_cpu_ops;",
    ),
    "part of another": (
        f"static const struct xen_all xen_ops = {{\n.hooks.cpu = {{\n{SWITCH}}},\n}};\n",
        "pv_ops.cpu = xen_ops.hooks.cpu;",
    ),
}
MMU_FORMS = {
    "member's type": (
        f"static const struct pv_mmu_ops xen_mmu_ops = {_MMU_OPS}",
        "pv_ops.mmu = xen_mmu_ops;",
    ),
    "members of members": (
        f"static const struct pv_lazy_ops xen_lazy_ops = {{\n{LAZY}}};\n"
        f"static const struct pv_mmu_ops xen_mmu_ops = {{\n{SETS}}};\n",
        "pv_ops.mmu = xen_mmu_ops;\n\tpv_ops.mmu.lazy_mode = xen_lazy_ops;",
    ),
    "whole table": (
        f"static const struct paravirt_patch_template xen_ops = {{\n.mmu = {_MMU_OPS[:-2]},\n}};\n",
        "pv_ops = xen_ops;",
    ),
    "through a pointer": (
        f"static struct pv_mmu_ops xen_mmu_ops = {_MMU_OPS}",
        "pv_ops.mmu = *xen_mmu_ops;",
    ),
}


@pytest.mark.parametrize("form", CPU_FORMS)
def test_switch_hooks_are_found_in_any_table(
    form: str, expected: list[tuple[str, str, str]]
) -> None:
    """Nothing new is found where only the tables are filled in another way."""
    assert told(CPU_FORMS[form], MMU_FORMS["member's type"]) == expected


@pytest.mark.parametrize("form", MMU_FORMS)
def test_the_modes_hooks_are_found_in_any_table(
    form: str, expected: list[tuple[str, str, str]]
) -> None:
    """Also on another depth than the table has itself."""
    assert told(CPU_FORMS["member's type"], MMU_FORMS[form]) == expected


def test_hooks_in_no_table_are_callers(expected: list[tuple[str, str, str]]) -> None:
    """The forms above are told from one in which nothing is filled."""
    nothing = "static const struct pv_cpu_ops xen_cpu_ops = { };\n", ""
    assert told(nothing, MMU_FORMS["member's type"]) != expected
