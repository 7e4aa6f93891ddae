# SPDX-License-Identifier: GPL-2.0-or-later
"""Right code: calls in a section that look like a mistake to who does not look closely."""

from __future__ import annotations

from collections.abc import Iterator

from mutants.mutant import NO_RULES, Code, Mutant, Plant
from mutants.section import Section

from .entries import Words


def right(section: Section) -> Iterator[Mutant]:
    """Every call that is no mistake."""

    def plant(
        kind: str,
        text: str,
        *,
        place: int | None = None,
        near: str = "",
        header: str = "",
        far: str = "",
    ) -> Mutant:
        edits = ((place or section.after, text),)
        code = Code(near, header, far)
        return Mutant(f"right: {kind}", section, NO_RULES, insert=edits, code=code)

    yield from _masks(plant)
    yield from _not_called(plant)
    yield from _around(plant, section)
    if section.counted:
        yield from _nesting(plant, section)
    if section.entry is not None and section.mm is not None and not section.in_arch:
        yield from _entries(plant, section)


def _masks(plant: Plant) -> Iterator[Mutant]:
    text = "{\n\tgfp_t mask_m@ = GFP_ATOMIC;\n\n\tkfree(kmalloc(64, mask_m@));\n}"
    yield plant("a mask in a variable", text)
    text = text.replace("GFP_ATOMIC", "GFP_KERNEL & ~__GFP_DIRECT_RECLAIM")
    yield plant("a mask that is narrowed", text)
    near = (
        "struct notes_m@ {\n\tgfp_t gfp;\n};\n\nstatic void take_m@(struct notes_m@ *notes)\n{\n"
        "\tkfree(kmalloc(64, notes->gfp));\n}\n"
    )
    text = "{\n\tstruct notes_m@ notes_m@ = { .gfp = GFP_NOWAIT };\n\n\ttake_m@(&notes_m@);\n}"
    yield plant("a mask in a local structure", text, near=near)
    near = (
        "static void *get_m@(gfp_t gfp)\n{\n\treturn kmalloc(64, gfp);\n}\n\n"
        "static void take_m@(gfp_t gfp)\n{\n\tkfree(get_m@(gfp));\n}\n"
    )
    yield plant("a mask that is handed down", "take_m@(GFP_NOWAIT);", near=near)


def _not_called(plant: Plant) -> Iterator[Mutant]:
    near = (
        "static noinline void note_m@(bool wait)\n{\n\tif (wait)\n"
        "\t\tmutex_lock(&planted_mutex);\n\tplanted_flag++;\n}\n"
    )
    yield plant("waits only if asked to", "note_m@(false);", near=near)
    near = (
        "struct ops_m@ {\n\tvoid (*slow)(void);\n\tvoid (*fast)(void);\n};\n\n"
        "static void slow_m@(void)\n{\n\tmutex_lock(&planted_mutex);\n}\n\n"
        "static void fast_m@(void)\n{\n\tplanted_flag++;\n}\n\n"
        "static const struct ops_m@ ops_m@ = {\n\t.slow = slow_m@,\n\t.fast = fast_m@,\n};\n"
    )
    yield plant("a table whose sleeping member is not called", "ops_m@.fast();", near=near)
    pointer = near + "\nstatic const struct ops_m@ *const now_m@ = &ops_m@;\n"
    yield plant("a pointer to such a table", "now_m@->fast();", near=pointer)
    text = "if (mutex_trylock(&planted_mutex))\n\tmutex_unlock(&planted_mutex);"
    yield plant("a mutex that is tried", text)
    near = "static DEFINE_SPINLOCK(lock_m@);\n"
    text = "spin_lock(&lock_m@);\nplanted_flag++;\nspin_unlock(&lock_m@);"
    yield plant("another spinlock", text, near=near)
    near = "#include <linux/cleanup.h>\n#include <linux/spinlock.h>\n\n" + near
    yield plant(
        "another spinlock's guard", "scoped_guard(spinlock, &lock_m@)\n\tplanted_flag++;", near=near
    )
    near = (
        "static void sink_m@(int depth)\n{\n\tif (depth > 0)\n\t\tsink_m@(depth - 1);\n"
        "\tplanted_flag++;\n}\n"
    )
    yield plant("a recursion that does not wait", "sink_m@(planted_flag);", near=near)


def _around(plant: Plant, section: Section) -> Iterator[Mutant]:
    lock = section.lock
    near = "#include <linux/cleanup.h>\n#include <linux/mutex.h>\n"
    if lock is not None and section.indent(lock) == 1:
        text = "scoped_guard(mutex, &planted_mutex)\n\tplanted_flag++;"
        yield plant("sleeps before the lock", text, place=lock, near=near)
    if section.unlock and not section.text(section.unlock).startswith("spin_unlock"):
        after = section.unlock + 1
        row = section.function.line(after).strip()
        if row in {"", "}"} or row.startswith("return"):
            near = "static void note_m@(void)\n{\n\tplanted_flag++;\n}\n"
            yield plant("a note after the unlock", "note_m@();", place=after, near=near)


def _nesting(plant: Plant, section: Section) -> Iterator[Mutant]:
    begin, leave = section.begin, section.leave
    last = section.leaves[-1]
    yield plant("a balanced inner pair", f"{begin}();\nplanted_flag++;\n{leave}();")
    pair = f"{begin}();\n\tplanted_flag++;\n\t{leave}();"
    near = f"static void scan_m@(void)\n{{\n\t{pair}\n}}\n"
    yield plant("a balanced inner pair in a helper", "scan_m@();", near=near)
    twice = (
        "static void scan_m@(int depth);\n\nstatic void scan_lower_m@(int depth)\n{\n"
        f"\tscan_m@(depth - 1);\n}}\n\nstatic void scan_m@(int depth)\n{{\n\t{begin}();\n"
        f"\tif (depth > 0)\n\t\tscan_lower_m@(depth);\n\t{leave}();\n}}\n"
    )
    yield plant("a recursion that nests", "scan_m@(planted_flag);", near=twice)
    text = "lazy_mmu_mode_pause();\nplanted_flag++;\nlazy_mmu_mode_resume();"
    yield plant("paused and resumed", text)
    if section.entry is not None and section.mm is not None and not section.in_arch:
        words = Words(section)
        text = (
            f"{words.clear}\nlazy_mmu_mode_pause();\nif (!pte_none(ptep_get({words.entry})))\n"
            "\tplanted_flag++;\nlazy_mmu_mode_resume();"
        )
        yield plant("reads back while paused", text, place=last)


def _entries(plant: Plant, section: Section) -> Iterator[Mutant]:
    words = Words(section)
    last, entry = section.leaves[-1], section.entry
    anew = f"{section.leave}();\n{section.begin}();\n"  # nothing is pending behind it
    near = (
        "static void wipe_m@(struct mm_struct *mm, unsigned long addr, pte_t *entry)\n{\n"
        "\tpte_clear(mm, addr, entry);\n}\n"
    )
    call = words.clear.replace("pte_clear", "wipe_m@")
    yield plant("a write in a helper", call, place=last, near=near)
    asked = "if (!pte_none(ptep_get(%s)))\n\tplanted_flag++;"
    text = f"{anew}{words.clear}\n{asked % f'{entry} + 1'}"
    yield plant("reads the next entry", text, place=last)
    near = "struct walk_m@ {\n\tpte_t *entry;\n};\n"
    text = (
        f"{anew}{{\n\tstruct walk_m@ walk_m@ = {{ .entry = {entry} }};\n\n\t{words.clear}\n"
        "\twalk_m@.entry++;\n\tif (!pte_none(ptep_get(walk_m@.entry)))\n\t\tplanted_flag++;\n}}"
    )
    yield plant(
        "reads by a member that has moved on", text.replace("}}", "}"), place=last, near=near
    )
    yield plant("reads, then writes", f"{anew}{asked % entry}\n{words.clear}", place=last)
    if not section.counted:
        text = f"{words.clear}\narch_flush_lazy_mmu_mode();\n{asked % entry}"
        yield plant("reads back after a flush of the mode", text, place=last)
    if section.unlock is None:
        return
    text = f"{words.clear}\n{section.leave}();\n{words.flush}\n{section.begin}();"
    yield plant("flushes the TLB after the leave", text, place=last)
    text = (
        f"{anew}{{\n\tstruct page *page_m@ = pte_page({words.take});\n\n\t{section.leave}();\n"
        f"\t{words.flush}\n\t__free_page(page_m@);\n\t{section.begin}();\n}}"
    )
    yield plant("frees after the leave", text, place=last)
    near = (
        "#include <linux/workqueue.h>\n\nstruct later_m@ {\n\tstruct work_struct work;\n"
        "\tstruct page *page;\n};\n\nstatic void later_look_m@(struct work_struct *work)\n{\n"
        "\tstruct later_m@ *later = container_of(work, struct later_m@, work);\n\n"
        "\tplanted_flag += later->page != NULL;\n}\n"
    )
    text = (
        "{\n\tstatic struct later_m@ own_m@;\n\tstruct page *page_m@ = "
        f"pte_page(ptep_get({entry}));\n\n\t{words.clear}\n\town_m@.page = page_m@;\n"
        "\tINIT_WORK(&own_m@.work, later_look_m@);\n\tschedule_work(&own_m@.work);\n}"
    )
    yield plant("a work item that frees nothing", anew + text, place=last, near=near)
    yield from _below(section, words)


def _below(section: Section, words: Words) -> Iterator[Mutant]:
    """A section in a function whose callers hold the lock."""
    pair = (
        f"\t{section.begin}();\n\tptep_set_wrprotect(%s, addr, entry);\n"
        f"\tpte_clear(%s, addr, entry);\n\t{section.leave}();\n}}\n"
    )
    place = section.leaves[-1] + 1
    near = "static void age_m@(struct mm_struct *mm, unsigned long addr, pte_t *entry)\n{\n"
    call = words.clear.replace("pte_clear", "age_m@")
    near += pair.replace("%s", "mm")
    edits = ((place, call),)
    kind = "right: a section whose callers hold the lock"
    yield Mutant(kind, section, NO_RULES, insert=edits, code=Code(near))
    if section.vma:
        near = (
            "static void age_m@(struct vm_area_struct *vma, unsigned long addr, pte_t *entry)\n{\n"
        )
        near += pair.replace("%s", "vma->vm_mm")
        call = f"age_m@({section.vma}, {section.address}, {section.entry});"
        edits = ((place, call),)
        yield Mutant(f"{kind}, by the area", section, NO_RULES, insert=edits, code=Code(near))
