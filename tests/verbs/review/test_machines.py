# SPDX-License-Identifier: GPL-2.0-or-later
"""What a part of a series switches in the machine: read off the tree, never off names."""

from __future__ import annotations

from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.review.renames import under_old_names

KASAN = """\
static int fill_shadow(pte_t *ptep, unsigned long addr, void *data)
{
	if (!pte_none(ptep_get(ptep)))
		return 0;
	set_pte_at(&init_mm, addr, ptep, mk_pte(data));
	return 0;
}
"""


def switched(answer):
    """The features that each part switches, by part."""
    return {
        part.name: [(one.arch, one.feature) for one in part.switches] for part in answer.split.parts
    }


def test_a_hook_under_another_name_switches_nothing(new_branch, reviewed):
    """The machine does what it did, whatever its functions are called."""
    for name, other in (("xen_enter_lazy_mmu", "xen_begin_batch"), ("enter_lazy", "begin_lazy")):
        for file in ("xen/mmu_pv.c", "xen/enlighten_pv.c", "include/asm/xen/hypervisor.h"):
            new_branch.rename(f"arch/x86/{file}", name, other)
    new_branch.commit("x86/xen: other names")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree)
    assert answer.split.untold == ()
    assert switched(answer) == {"A": []}
    assert answer.series.new == answer.series.fixed == ()


def test_a_hook_that_does_something_else_is_a_switch(new_branch, reviewed):
    """Whatever the subject says, the code of the hook tells, under another name as well."""
    file = "arch/x86/xen/mmu_pv.c"
    new_branch.edit(file, "\tif (this_cpu_read(xen_lazy_mode) != XEN_LAZY_MMU)\n\t\tenter_lazy",
                    "\tenter_lazy")  # fmt: skip
    new_branch.rename(file, "xen_enter_lazy_mmu", "xen_begin_batch")
    new_branch.commit("Documentation: a comma")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree)
    assert {name: set(found) for name, found in switched(answer).items()} == {
        "A": {("x86", "hooks")}
    }


def test_a_patch_beside_the_machine_is_not_in_it(new_branch, reviewed):
    """A subject that speaks of hooks switches none of them."""
    file = next(one for one in sorted((new_branch.tree / "mm").glob("right_*.c")))
    file.write_text(file.read_text() + "\nint nothing;\n")
    new_branch.commit("x86/xen: enter the lazy MMU mode without preemption")
    series = new_branch.mails()
    new_branch.back()
    assert switched(reviewed(series, new_branch.tree)) == {"A": []}


def test_a_renamed_function_is_found_under_its_old_name(tmp_path):
    """Core-mm code is known by names; who only renames a function changes nothing of it."""
    (tmp_path / "mm").mkdir()
    (tmp_path / "Makefile").write_text("VERSION = 7\n")
    (tmp_path / "mm/shadow.c").write_text(KASAN)
    before = Tree(tmp_path, "7.0")
    renamed = KASAN.replace("fill_shadow", "populate_one")
    after = before.over({"mm/shadow.c": renamed.encode()})
    found = under_old_names(before, after, ["mm/shadow.c"], {"fill_shadow"})
    assert found.read("mm/shadow.c") == KASAN.encode()
    assert under_old_names(before, after, ["mm/shadow.c"], {"another"}) is after


def test_a_function_that_is_gone_is_not_found_in_one_of_another_text(tmp_path):
    """What has half of its lines in common with nothing is no rename."""
    (tmp_path / "mm").mkdir()
    (tmp_path / "Makefile").write_text("VERSION = 7\n")
    (tmp_path / "mm/shadow.c").write_text(KASAN)
    before = Tree(tmp_path, "7.0")
    other = b"static int other(void)\n{\n\tcall();\n\tcall();\n\treturn that();\n}\n"
    after = before.over({"mm/shadow.c": other})
    assert under_old_names(before, after, ["mm/shadow.c"], {"fill_shadow"}) is after


def test_a_scenario_that_is_inconclusive_with_a_part_is_named(new_branch, reviewed):
    """A batch that goes out one too late stores past its end: that is not known to hold."""
    file = "arch/sparc/mm/tlb.c"
    new_branch.edit(file, "nr == TLB_BATCH_NR", "nr > TLB_BATCH_NR")
    new_branch.commit("sparc64/tlb: fill the batch")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree, arches=["sparc"])
    (told,) = [one for one in answer.split.untold if one.startswith("sparc with A: scenario ")]
    assert f"{file}:" in told
