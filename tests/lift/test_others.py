# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions beside the hooks that touch the mode's variables: read, changed, or not known."""

from __future__ import annotations

import pytest

ENLIGHTEN = "arch/x86/xen/enlighten_pv.c"
ELSEWHERE = "mm/memory.c"
HYPERVISOR = "arch/x86/include/asm/xen/hypervisor.h"
TLB = "arch/sparc/mm/tlb.c"
SCENARIO = "section-inside-section"


def beside(code: str):
    """A change that adds code of somebody else at the end of a file."""
    return lambda text: f"{text}\n{code}\n"


CHANGES = {
    "this-cpu": "void odd(void)\n{\n\tthis_cpu_write(xen_lazy_mode, XEN_LAZY_NONE);\n}",
    "arithmetic": "void odd(void)\n{\n\tthis_cpu_inc(xen_lazy_mode);\n}",
    "exchange": "int odd(void)\n{\n\treturn this_cpu_xchg(xen_lazy_mode, 1);\n}",
    "another-cpu": "void odd(int cpu)\n{\n\tper_cpu(xen_lazy_mode, cpu) = 0;\n}",
    "pointer": "void odd(int cpu)\n{\n\t*per_cpu_ptr(&xen_lazy_mode, cpu) = 0;\n}",
    "local": "void odd(void)\n{\n\tint *p, *q = this_cpu_ptr(&xen_lazy_mode);\n\n"
    "\tp = q;\n\t*p = 0;\n}",
    "callee": "static void set(int *p)\n{\n\t*p = 0;\n}\n\n"
    "void odd(void)\n{\n\tset(this_cpu_ptr(&xen_lazy_mode));\n}",
    "macro": "#define SET(x)\tdo { (x) = 0; } while (0)\n\n"
    "void odd(void)\n{\n\tSET(get_cpu_var(xen_lazy_mode));\n}",
    "unknown": "void odd(void)\n{\n\tstrange(this_cpu_ptr(&xen_lazy_mode));\n}",
    "kept": "extern int *kept[];\n\n"
    "void odd(void)\n{\n\tkept[0] = this_cpu_ptr(&xen_lazy_mode);\n}",
    "in-a-macro": "#define ODD()\tthis_cpu_write(xen_lazy_mode, XEN_LAZY_NONE)",
}

READS = {
    "this-cpu": "int odd(void)\n{\n\treturn this_cpu_read(xen_lazy_mode);\n}",
    "another-cpu": "int odd(int cpu)\n{\n\treturn per_cpu(xen_lazy_mode, cpu);\n}",
    "local": "int odd(void)\n{\n\tint *q = this_cpu_ptr(&xen_lazy_mode);\n\n\treturn *q;\n}",
    "callee": "static int get(int *p)\n{\n\treturn *p;\n}\n\n"
    "int odd(void)\n{\n\treturn get(this_cpu_ptr(&xen_lazy_mode));\n}",
    "index": "extern int table[];\n\n"
    "void odd(void)\n{\n\ttable[this_cpu_read(xen_lazy_mode)] = 1;\n}",
}


@pytest.mark.parametrize("code", CHANGES.values(), ids=CHANGES)
def test_who_else_changes_a_variable_of_the_mode_is_refused_by_name_and_place(asked, code):
    """What it does would be missing from the machine, however it gets at the variable."""
    (lifted,) = asked(SCENARIO, changes={ENLIGHTEN: beside(code)}).lifted
    assert lifted.refused.startswith(f"{ENLIGHTEN}:")
    name = "ODD" if "ODD" in code else "odd"
    assert f"{name}() " in lifted.refused
    assert "xen_lazy_mode, and is no part of the hooks" in lifted.refused


@pytest.mark.parametrize("code", READS.values(), ids=READS)
def test_who_else_reads_a_variable_of_the_mode_is_listed(asked, code):
    """Nothing is missing from the machine then, and the list says who it is."""
    (lifted,) = asked(SCENARIO, changes={ENLIGHTEN: beside(code)}).lifted
    assert lifted.refused == ""
    assert dict(lifted.abstracted)["odd"] == "reads xen_lazy_mode, and is no part of the hooks"


@pytest.mark.parametrize(
    "code",
    [
        "void odd(void)\n{\n\tint xen_lazy_mode = 1;\n\n\txen_lazy_mode = 0;\n}",
        "void odd(int xen_lazy_mode)\n{\n\txen_lazy_mode++;\n}",
        "void odd(enum xen_lazy_mode mode)\n{\n\tmode = 0;\n}",
        "/* xen_lazy_mode = 0; */\nvoid odd(void)\n{\n}",
    ],
    ids=["local", "parameter", "tag", "comment"],
)
def test_what_only_has_the_same_name_is_nobody_else(asked, code):
    """A local variable, a parameter, the tag of an enumeration are not the variable."""
    (lifted,) = asked(SCENARIO, changes={ENLIGHTEN: beside(code)}).lifted
    assert lifted.refused == ""
    assert "odd" not in dict(lifted.abstracted)


def test_code_outside_of_the_architecture_is_looked_at(asked):
    """Generic code that changes the counters of the mode itself is refused as well."""
    code = "void odd(void)\n{\n\tcurrent->lazy_mmu_state.enable_count = 0;\n}"
    (lifted,) = asked(SCENARIO, changes={ELSEWHERE: beside(code)}).lifted
    assert lifted.refused.startswith(f"{ELSEWHERE}:")
    assert "odd() changes lazy_mmu_state" in lifted.refused


def test_a_function_of_a_header_is_looked_at(asked):
    """What stands in a header may be called from anywhere."""
    code = "static inline void odd(void)\n{\n\tthis_cpu_write(xen_lazy_mode, 0);\n}"
    (lifted,) = asked(SCENARIO, changes={HYPERVISOR: beside(code)}).lifted
    assert f"{HYPERVISOR}:" in lifted.refused
    assert "odd() changes xen_lazy_mode" in lifted.refused


def test_a_member_of_a_batch_that_somebody_else_stores_is_refused(asked):
    """A batch is a structure, whose members are variables of their own."""
    from tests.lift.test_sparc import keyed

    def also(store: str):
        code = "void odd(void)\n{\n\tstruct tlb_batch *b = this_cpu_ptr(&tlb_batch);\n\n"
        return lambda text: beside(f"{code}\t{store};\n}}")(keyed(text))

    for store in ("b->tlb_nr = 0", "b->vaddrs[0]++", "memset(b, 0, 4)", "zero(b->vaddrs)"):
        (lifted,) = asked("batch-changes-mm", changes={TLB: also(store)}, arch="sparc").lifted
        assert "odd() " in lifted.refused, store
    for read in ('printk("%d", b->tlb_nr)', "strange(b->vaddrs[0])"):
        (lifted,) = asked("batch-changes-mm", changes={TLB: also(read)}, arch="sparc").lifted
        assert lifted.refused == "", read


def test_a_flag_of_the_mode_that_somebody_else_sets_is_refused(asked):
    """Flags of a task are the mode's as well, and who only asks for one is no matter."""
    code = "void odd(void)\n{{\n\t{}(TIF_LAZY_MMU_PENDING);\n}}"
    (lifted,) = asked(
        SCENARIO, changes={ELSEWHERE: beside(code.format("set_thread_flag"))}, arch="arm64"
    ).lifted
    assert "odd() changes TIF_LAZY_MMU_PENDING" in lifted.refused
    (lifted,) = asked(
        SCENARIO, changes={ELSEWHERE: beside(code.format("test_thread_flag"))}, arch="arm64"
    ).lifted
    assert lifted.refused == ""
