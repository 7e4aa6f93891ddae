# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about an entry that was written in the section: its TLB entry, its value, its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from mutants.mutant import Code, Mutant
from mutants.section import Section

FLUSH = frozenset({"tlb-flush-in-section"})
READ = frozenset({"stale-read"})
MIXED = frozenset({"mixed-write"})
FREE = frozenset({"free-before-flush"})


class Plant(Protocol):
    """Makes a change before the leave; x86 defers stores, on Xen PV, powerpc invalidations."""

    def __call__(
        self, kind: str, rules: frozenset[str], *lines: str, near: str = "", arch: str = "x86"
    ) -> Mutant:
        """Make one."""


class Words:
    """How the section's own entry is written, read and flushed."""

    def __init__(self, section: Section) -> None:
        entry, mm, addr = section.entry, section.mm, section.address
        self.entry = entry
        self.clear = f"pte_clear({mm}, {addr}, {entry});"
        self.several = ""
        if section.counted:  # Before v6.15 the generic one had a section of its own.
            self.several = f"set_ptes({mm}, {addr}, {entry}, ptep_get({entry}), 4);"
        self.take = f"ptep_get_and_clear({mm}, {addr}, {entry})"
        self.given = ("unsigned long addr", addr)
        self.flush = "flush_tlb_kernel_range(%s, %s + PAGE_SIZE);"
        if section.vma:
            self.given = ("struct vm_area_struct *vma", section.vma)
            self.flush = "flush_tlb_range(%s, 0, PAGE_SIZE);"
        elif mm and mm != "&init_mm":
            self.given = ("struct mm_struct *mm", mm)
            self.flush = "flush_tlb_mm(%s);"
        self.below = self.flush.replace("%s", self.given[0].split()[-1].lstrip("*"))
        self.flush = self.flush.replace("%s", self.given[1])


def mistakes(section: Section) -> Iterator[Mutant]:
    """Every mistake about an entry; an architecture's own code knows what is deferred."""
    if section.in_arch or section.entry is None or section.mm is None:
        return
    words = Words(section)

    def plant(
        kind: str, rules: frozenset[str], *lines: str, near: str = "", arch: str = "x86"
    ) -> Mutant:
        edits = ((section.leaves[-1], "\n".join(lines)),)
        return Mutant(kind, section, rules, insert=edits, code=Code(near), arch=arch)

    yield from _flushes(plant, words)
    yield from _reads(plant, words)
    yield from _frees(plant, words)
    yield plant("mixes writes", MIXED, words.clear, f"{words.take};")


def _flushes(plant: Plant, words: Words) -> Iterator[Mutant]:
    yield plant("flushes the TLB", FLUSH, words.clear, words.flush)
    macro = "#define flush_m@(call)\tdo { call; } while (0)\n"
    text = f"flush_m@({words.flush.removesuffix(';')});"
    yield plant("flushes the TLB in a macro", FLUSH, words.clear, text, near=macro)
    near = (
        "#include <asm/tlbflush.h>\n\n"
        f"static void flush_m@({words.given[0]})\n{{\n\t{words.below}\n}}\n"
    )
    call = f"flush_m@({words.given[1]});"
    yield plant("flushes the TLB in a helper", FLUSH, words.clear, call, near=near)


def _reads(plant: Plant, words: Words) -> Iterator[Mutant]:
    entry = words.entry

    def asked(what: str) -> str:
        return f"if (!pte_none({what}))\n\tplanted_flag++;"

    yield plant("reads back", READ, words.clear, asked(f"ptep_get({entry})"))
    if words.several:
        one = asked(f"ptep_get({entry} + 2)")
        yield plant("reads back one of several", READ, words.several, one)
    yield plant("reads back by dereferencing", READ, words.clear, asked(f"*{entry}"))
    count = "\n\t\tplanted_flag++;\n}"
    copy = f"{{\n\tpte_t *same_m@ = {entry};\n\n\tif (!pte_none(ptep_get(same_m@))){count}"
    yield plant("reads back by a copy of the pointer", READ, words.clear, copy)
    copy = f"{{\n\tpte_t *same_m@;\n\n\tsame_m@ = {entry};\n\tif (!pte_none(*same_m@)){count}"
    yield plant("dereferences a copy of the pointer", READ, words.clear, copy)
    copy = f"{{\n\tpte_t *slots_m@[2] = {{}};\n\n\tslots_m@[1] = {entry};\n"
    copy += f"\tif (!pte_none(ptep_get(slots_m@[1]))){count}"
    yield plant("reads back by an element that is the pointer", READ, words.clear, copy)
    copy = f"{{\n\tpte_t *at_m@ = {entry};\n\n\tat_m@++;\n"
    copy += f"\tif (!pte_none(ptep_get(at_m@ - 1))){count}"
    yield plant("reads back where a pointer was", READ, words.clear, copy)
    if entry.isidentifier():
        copy = f"{{\n\tpte_t **at_m@ = &{entry};\n\n\tif (!pte_none(ptep_get(*at_m@))){count}"
        yield plant("reads back by a pointer to the pointer", READ, words.clear, copy)
    near = "struct walk_m@ {\n\tpte_t *entry;\n};\n\n"
    near += "static bool gone_m@(struct walk_m@ *walk)\n{\n"
    near += "\treturn pte_none(ptep_get(walk->entry));\n}\n"
    own = f"{{\n\tstruct walk_m@ walk_m@ = {{ .entry = {entry} }};\n\n"
    copy = f"{own}\tif (!pte_none(*walk_m@.entry)){count}"
    yield plant("reads back by a member that is the pointer", READ, words.clear, copy, near=near)
    copy = f"{own}\tif (!gone_m@(&walk_m@)){count}"
    yield plant("reads back in who is handed its structure", READ, words.clear, copy, near=near)
    near = "static bool gone_m@(pte_t *entry)\n{\n\treturn pte_none(ptep_get(entry));\n}\n"
    text = f"if (!gone_m@({entry}))\n\tplanted_flag++;"
    yield plant("reads back in a helper", READ, words.clear, text, near=near)
    near = "#define gone_m@(entry)\tpte_none(ptep_get(entry))\n"
    yield plant("reads back in a macro", READ, words.clear, text, near=near)
    near = (
        "static void gone_m@(struct mm_struct *mm, unsigned long addr, pte_t *entry)\n{\n"
        "\tpte_clear(mm, addr, entry);\n}\n"
    )
    call = words.clear.replace("pte_clear", "gone_m@")
    yield plant(
        "reads back what a helper wrote", READ, call, asked(f"ptep_get({entry})"), near=near
    )


def _frees(plant: Plant, words: Words) -> Iterator[Mutant]:
    def freed(*lines: str) -> str:
        head = f"{{\n\tstruct page *page_m@ = pte_page(ptep_get({words.entry}));\n\n\t"
        return head + "\n\t".join(lines) + "\n}"

    free = "__free_page(page_m@);"
    yield plant("frees after a write", FREE, freed(words.clear, free))
    near = "static void drop_m@(struct page *page)\n{\n\t__free_pages(page, 0);\n}\n"
    text = freed(words.clear, "drop_m@(page_m@);")
    yield plant("frees after a write in a helper", FREE, text, near=near)
    # Not schedule_work(): its worker is this CPU's, and waits for who holds a lock on it.
    queue = (
        "#include <linux/workqueue.h>\n\nstruct later_m@ {\n\tstruct work_struct work;\n"
        "\tstruct page *page;\n};\n\nstatic void later_free_m@(struct work_struct *work)\n{\n"
        "\tstruct later_m@ *later = container_of(work, struct later_m@, work);\n\n"
        "\t__free_page(later->page);\n\tkfree(later);\n}\n\n"
        "static void later_m@(struct later_m@ *later, struct page *page)\n{\n"
        "\tlater->page = page;\n\tINIT_WORK(&later->work, later_free_m@);\n"
        "\tqueue_work(system_unbound_wq, &later->work);\n}\n"
    )
    own = "{\n\tstatic struct later_m@ own_m@;\n\tstruct page *page_m@ = "
    own += f"pte_page(ptep_get({words.entry}));\n\n\t{words.clear}\n\t"
    text = own + (
        "own_m@.page = page_m@;\n\tINIT_WORK(&own_m@.work, later_free_m@);\n"
        "\tqueue_work(system_unbound_wq, &own_m@.work);\n}"
    )
    yield plant("frees after a write by a work item", FREE, text, near=queue)
    text = own + "later_m@(&own_m@, page_m@);\n}"
    yield plant("frees after a write by a helper's work item", FREE, text, near=queue)
    clear = f"{words.clear.rpartition(', ')[0]}, at_m@);"
    head = f"{{\n\tstruct page *pages_m@[2] = {{}};\n\tpte_t *at_m@ = {words.entry};\n\n"
    text = f"{head}\tpages_m@[1] = pte_page(ptep_get(at_m@));\n\t{clear}\n\tat_m@++;\n"
    text += "\t__free_page(pages_m@[1]);\n}"
    yield plant("frees after a write by an array", FREE, text)
    text = f"{{\n\tstruct page *page_m@ = pte_page({words.take});\n\n\t{free}\n}}"
    yield plant("frees after get_and_clear", FREE, text, arch="powerpc")
    text = freed(f"{words.take};", free)
    yield plant("frees after get_and_clear, read before", FREE, text, arch="powerpc")
    text = freed(f"{words.take};", "drop_m@(page_m@);")
    yield plant("frees after get_and_clear in a helper", FREE, text, arch="powerpc", near=near)
