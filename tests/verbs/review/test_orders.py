# SPDX-License-Identifier: GPL-2.0-or-later
"""In which order the parts of a series are safe: the machine tells, not what they are about."""

from __future__ import annotations

MMU = "arch/x86/xen/mmu_pv.c"
HYPERVISOR = "arch/x86/include/asm/xen/hypervisor.h"
SWITCH = "arch/x86/xen/enlighten_pv.c"
PGTABLE = "include/linux/pgtable.h"

PLAIN = """\
static inline void enter_lazy(enum xen_lazy_mode mode)
{
	BUG_ON(this_cpu_read(xen_lazy_mode) != XEN_LAZY_NONE);
	this_cpu_write(xen_lazy_mode, mode);
}

static inline void leave_lazy(enum xen_lazy_mode mode)
{
	BUG_ON(this_cpu_read(xen_lazy_mode) != mode);
	this_cpu_write(xen_lazy_mode, XEN_LAZY_NONE);
}
"""
COUNTED = """\
static inline void enter_lazy(enum xen_lazy_mode mode)
{
	enum xen_lazy_mode old_mode = this_cpu_read(xen_lazy_mode);

	if (mode == old_mode) {
		this_cpu_inc(xen_lazy_depth);
		return;
	}
	BUG_ON(old_mode != XEN_LAZY_NONE);
	this_cpu_write(xen_lazy_mode, mode);
}

static inline void leave_lazy(enum xen_lazy_mode mode)
{
	BUG_ON(this_cpu_read(xen_lazy_mode) != mode);
	if (this_cpu_read(xen_lazy_depth) == 0)
		this_cpu_write(xen_lazy_mode, XEN_LAZY_NONE);
	else
		this_cpu_dec(xen_lazy_depth);
}
"""
DECLARED = "DECLARE_PER_CPU(enum xen_lazy_mode, xen_lazy_mode);\n"
DEFINED = "DEFINE_PER_CPU(enum xen_lazy_mode, xen_lazy_mode) = XEN_LAZY_NONE;\n"
DEPTH = "_PER_CPU(unsigned int, xen_lazy_depth);\n"


class Nesting:
    """Changes of an old tree: a `set_ptes()` with a section, a Xen that counts them."""

    def __init__(self, branch, *, other_names=False):
        self.branch = branch
        if other_names:
            for file in (HYPERVISOR, SWITCH, MMU):
                for old, new in (("enter_lazy", "begin_lazy"), ("leave_lazy", "end_lazy")):
                    branch.rename(file, old, new)
                    branch.rename(file, f"xen_{old}_mmu", f"xen_{new}_batch")
        self.plain, self.counted = (
            text.replace("enter_lazy", "begin_lazy").replace("leave_lazy", "end_lazy")
            if other_names
            else text
            for text in (PLAIN, COUNTED)
        )

    def count(self, *, counted):
        """Have Xen count sections in sections, or not."""
        texts = [
            (HYPERVISOR, self.plain, self.counted),
            (HYPERVISOR, DECLARED, f"{DECLARED}DECLARE{DEPTH}"),
            (SWITCH, DEFINED, f"{DEFINED}DEFINE{DEPTH}"),
        ]
        for file, plain, more in texts:
            self.branch.edit(file, *((plain, more) if counted else (more, plain)))

    def enter(self, *, entering):
        """Have `set_ptes()` begin a section, or not."""
        begin, end = "\tarch_enter_lazy_mmu_mode();", "\tarch_leave_lazy_mmu_mode();\n}\n#endif\n"
        first, last = f"{begin}	/* expect: nested-section x86 */\n\twhile", "\t}\n"
        texts = [(first, "\twhile"), (f"{last}{end}", f"{last}}}\n#endif\n")]
        for with_section, without in texts:
            self.branch.edit(
                PGTABLE, *((without, with_section) if entering else (with_section, without))
            )

    def base(self):
        """Make what there is the base."""
        self.branch.commit("the base")
        self.branch.git(self.branch.tree, "tag", "-f", "base")


def parts(answer):
    """The parts that switch something, by what they switch."""
    return {
        one.feature: part.name for part in answer.split.parts for one in part.switches
    }  # fmt: skip


def sent(branch, reviewed, *changes):
    """The answer for a series, a patch for each change."""
    for number, change in enumerate(changes, 1):
        change()
        branch.commit(f"change {number}")
    series = branch.mails()
    branch.back()
    return reviewed(series, branch.tree)


def has_order(answer, first, second):
    """Whether two parts are all that there is, and one must come before the other."""
    by = parts(answer)
    assert by.keys() == {first, second}
    assert len(answer.split.parts) == 2
    needs = set(answer.split.needs)
    return (by[first], by[second]) in needs and (by[second], by[first]) not in needs


def test_a_section_goes_before_what_cannot_nest(old_branch, reviewed):
    """Xen stops counting: `set_ptes()` must have no section by then, whoever is sent first."""
    nesting = Nesting(old_branch)
    nesting.count(counted=True)
    nesting.base()
    answer = sent(
        old_branch,
        reviewed,
        lambda: nesting.count(counted=False),
        lambda: nesting.enter(entering=False),
    )
    assert has_order(answer, "set_ptes_enters", "hooks")


def test_who_can_nest_comes_before_a_section(old_branch, reviewed):
    """The opposite series has the opposite answer: first Xen counts, then `set_ptes()` nests.

    What the hooks are called is nothing to go by.
    """
    nesting = Nesting(old_branch, other_names=True)
    nesting.enter(entering=False)
    nesting.base()
    answer = sent(
        old_branch,
        reviewed,
        lambda: nesting.enter(entering=True),
        lambda: nesting.count(counted=True),
    )
    assert has_order(answer, "hooks", "set_ptes_enters")
