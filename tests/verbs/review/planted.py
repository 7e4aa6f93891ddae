# SPDX-License-Identifier: GPL-2.0-or-later
"""Series that tests plant on a small tree, as commits and as mails."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[3] / "examples"


@dataclass
class Branch:
    """A copy of an example tree in a repository, to which commits are added."""

    tree: Path
    git: Callable[..., str]

    @classmethod
    def of(cls, example: str, folder: Path, git: Callable[..., str]) -> Branch:
        """A repository with the example as its first commit, tagged `base`."""
        tree = folder / "linux"
        shutil.copytree(EXAMPLES / example, tree)
        git(tree, "init", "-q", "-b", "main")
        branch = cls(tree, git)
        branch.commit("first")
        git(tree, "tag", "base")
        return branch

    def edit(self, file: str, old: str, new: str, count: int = 1) -> None:
        """Replace text that must be there."""
        text = (self.tree / file).read_text()
        assert old in text, (file, old)
        (self.tree / file).write_text(text.replace(old, new, count))

    def rename(self, file: str, old: str, new: str) -> None:
        """Give a function of a file another name."""
        text = (self.tree / file).read_text()
        (self.tree / file).write_text(re.sub(rf"\b{old}\b", new, text))

    def commit(self, subject: str, body: str = "Why.") -> str:
        """Commit all that has changed; returns the commit."""
        self.git(self.tree, "add", "-A")
        self.git(self.tree, "commit", "-q", "-m", f"{subject}\n\n{body}")
        return self.git(self.tree, "rev-parse", "HEAD")

    def mails(self, *more: str) -> bytes:
        """What follows `base`, as a mailbox."""
        text = self.git(self.tree, "format-patch", "--stdout", "--thread", *more, "base..HEAD")
        return text.encode() + b"\n"

    def back(self) -> None:
        """Check the base out again; the branch stays `main`."""
        self.git(self.tree, "checkout", "-q", "base")


HELPER = """\
static void age_quickly(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{
	arch_enter_lazy_mmu_mode();
	set_pte_at(vma->vm_mm, addr, pte, pte_mkold(ptep_get(pte)));
	arch_leave_lazy_mmu_mode();
}

"""


def planted(branch: Branch) -> None:
    """The series of five: a helper, its nested use, a fix, a rename, a move."""
    loops, shadow = "mm/right_loops.c", "mm/shadow.c"
    branch.edit(loops, "/* Leaves before it waits", HELPER + "/* Leaves before it waits")
    branch.commit("mm: add age_quickly()")
    branch.edit(loops, "\t\tif (pte_young(ptent))\n", "\t\tage_quickly(vma, addr, pte);\n"
                "\t\tif (pte_young(ptent))\n")  # fmt: skip
    branch.commit("mm: age entries at once")
    branch.edit(shadow, "\tif (!pte_none(ptep_get(ptep)))\n",
                "\tarch_leave_lazy_mmu_mode();\n\tif (!pte_none(ptep_get(ptep)))\n")  # fmt: skip
    branch.edit(shadow, "\t\treturn 0;\n", "\t\tgoto out;\n")
    branch.edit(shadow, "\t\treturn -ENOMEM;\n", "\t\tgoto out;\n")
    branch.edit(shadow, "\tif (page)\n\t\tfree_page(page);\n",
                "\tif (page)\n\t\tfree_page(page);\n"
                "out:\n\tarch_enter_lazy_mmu_mode();\n")  # fmt: skip
    branch.commit("shadow: fill it outside of the mode")
    branch.rename("mm/wrong_free.c", "release_entry", "drop_entry")
    branch.commit("mm: rename release_entry()")
    branch.git(branch.tree, "mv", "mm/wrong_nesting.c", "mm/odd_nesting.c")
    branch.edit("mm/Makefile", "wrong_nesting.o", "odd_nesting.o")
    branch.commit("mm: move wrong_nesting.c")


TOUCH = """\
/* SPDX-License-Identifier: GPL-2.0-or-later */
#define touch_run(vma, addr, pte, nr) do {			\\
	arch_enter_lazy_mmu_mode();				\\
	for (int __i = 0; __i < (nr); __i++)			\\
		ptep_test_and_clear_young(vma, addr, (pte) + __i);	\\
	arch_leave_lazy_mmu_mode();				\\
} while (0)
"""

OUTER = """\

/* The mode is off for as long as somebody may wait, and while the lock is dropped. */
static int fill_shadow(pte_t *ptep, unsigned long addr, void *data)
{
	int err;

	arch_leave_lazy_mmu_mode();
	err = fill_one(ptep, addr, data);
	arch_enter_lazy_mmu_mode();
	return err;
}

int fill_shadow_range("""


def planted_otherwise(branch: Branch) -> None:
    """The same five in other shapes.

    The helper is a macro of a header that comes with it, the fix wraps what was there, two
    functions get other names, and the file that moves changes on its way.
    """
    loops, shadow, locks = "mm/right_loops.c", "mm/shadow.c", "mm/wrong_lock.c"
    (branch.tree / "mm/touch.h").write_text(TOUCH)
    branch.commit("mm: touch several entries at once")
    branch.edit(loops, "#include <linux/mm.h>\n", '#include <linux/mm.h>\n#include "touch.h"\n')
    branch.edit(loops, "\t\t\tptep_test_and_clear_young(vma, addr, pte);\n",
                "\t\t\ttouch_run(vma, addr, pte, 1);\n")  # fmt: skip
    branch.commit("mm: use it where entries cool")
    branch.rename(shadow, "fill_shadow", "fill_one")
    branch.edit(shadow, "size, fill_one, NULL", "size, fill_shadow, NULL")
    branch.edit(shadow, "\nint fill_shadow_range(", OUTER)
    branch.commit("shadow: wait with the mode off")
    for old, new in (("harden_table", "lock_down_table"), ("guard_table", "clear_guarded")):
        branch.rename(locks, old, new)
    branch.commit("mm: better names")
    branch.git(branch.tree, "mv", "mm/wrong_balance.c", "mm/uneven.c")
    branch.edit("mm/uneven.c", "/* A jump over", "/* Another file, and a jump over")
    branch.edit("mm/Makefile", "wrong_balance.o", "uneven.o")
    branch.commit("mm: move wrong_balance.c")
