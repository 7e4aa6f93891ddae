# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about sleeping: at once, far away, and behind what hides a call."""

from __future__ import annotations

from collections.abc import Iterator

from mutants.mutant import SLEEP, Code, Mutant, Plant
from mutants.section import Section

_DIRECT = {
    "mutex_lock()": "mutex_lock(&planted_mutex);",
    "kmalloc(GFP_KERNEL)": "kfree(kmalloc(64, GFP_KERNEL));",
    "cond_resched()": "cond_resched();",
    "alloc_page(GFP_KERNEL)": "__free_page(alloc_page(GFP_KERNEL | __GFP_ZERO));",
    "might_sleep()": "might_sleep();",
    "msleep()": "msleep(1);",
    "wait_event()": "wait_event(planted_queue, planted_flag);",
}

_INCLUDES = (
    "#include <linux/delay.h>\n#include <linux/wait.h>\n\n"
    "extern struct wait_queue_head planted_queue;\n"
)

_LOCKS = (
    "static noinline void note_m@(void)\n{\n\tmutex_lock(&planted_mutex);\n"
    "\tplanted_flag++;\n\tmutex_unlock(&planted_mutex);\n}\n"
)


def mistakes(section: Section) -> Iterator[Mutant]:
    """Every mistake about sleeping."""
    if section.waits:
        return

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
        return Mutant(f"sleeps {kind}", section, SLEEP, insert=edits, code=code)

    for what, text in _DIRECT.items():
        yield plant(f"by {what}", text, near=_INCLUDES)
    yield plant("before the leave", "cond_resched();", place=section.leaves[-1])
    if section.loop:
        yield plant("in the loop", "cond_resched();", place=section.loop)
    yield from _helpers(plant)
    yield from _hidden(plant)
    yield from _masks(plant)
    yield from _guards(plant)


def _helpers(plant: Plant) -> Iterator[Mutant]:
    some = _LOCKS.replace("\tmutex_lock", "\tif (planted_flag)\n\t\treturn;\n\tmutex_lock")
    yield plant("in a helper", "note_m@();", near=some)
    yield plant("in a helper of a header", "note_m@();", header=_header())
    upper = _LOCKS + "\nstatic void notes_m@(int n)\n{\n\tif (n)\n\t\tnote_m@();\n}\n"
    yield plant("in a helper's helper", "notes_m@(planted_flag);", near=upper)
    far = _LOCKS.replace("static noinline ", "")
    yield plant("in another file", "note_m@();", near="void note_m@(void);\n", far=far)
    macro = "#define note_m@(lock) \\\n\tdo { mutex_lock(lock); } while (0)\n"
    yield plant("in a macro", "note_m@(&planted_mutex);", near=macro)
    yield plant("in a macro of a header", "note_m@(&planted_mutex);", header=macro)


def _header() -> str:
    return "#include <linux/sched.h>\n\nstatic inline void note_m@(void)\n{\n\tcond_resched();\n}\n"


def _hidden(plant: Plant) -> Iterator[Mutant]:
    shape = "struct ops_m@ {\n\tvoid (*note)(void);\n};\n\n"
    table = _LOCKS + "\n" + shape
    one = table + "static const struct ops_m@ ops_m@ = {\n\t.note = note_m@,\n};\n"
    yield plant("behind a const table", "ops_m@.note();", near=one)
    pointer = one + "\nstatic const struct ops_m@ *const now_m@ = &ops_m@;\n"
    yield plant("behind a const pointer to a table", "now_m@->note();", near=pointer)
    two = (
        table + "static void skip_m@(void)\n{\n}\n\n"
        "static const struct ops_m@ slow_m@ = {\n\t.note = note_m@,\n};\n\n"
        "static const struct ops_m@ fast_m@ = {\n\t.note = skip_m@,\n};\n\n"
        "static const struct ops_m@ *now_m@ = &fast_m@;\n\n"
        "void choose_m@(int slow)\n{\n\tnow_m@ = slow ? &slow_m@ : &fast_m@;\n}\n"
    )
    yield plant("behind a pointer to one of two tables", "now_m@->note();", near=two)
    whole = (
        table + "static struct ops_m@ ops_m@;\n\nvoid choose_m@(void)\n{\n"
        "\tops_m@ = (struct ops_m@){ .note = note_m@ };\n}\n"
    )
    array = table + (
        "static void skip_m@(void)\n{\n}\n\n"
        "static void (*const steps_m@[])(void) = { skip_m@, note_m@ };\n"
    )
    yield plant("behind an array of functions", "steps_m@[planted_flag & 1]();", near=array)
    yield plant("behind a table assigned whole", "ops_m@.note();", near=whole)
    fixed = _LOCKS + "\nstatic void (*const now_m@)(void) = note_m@;\n"
    yield plant("behind a const function pointer", "now_m@();", near=fixed)
    deep = (
        "static void sink_m@(int depth)\n{\n\tif (depth > 0) {\n\t\tsink_m@(depth - 1);\n"
        "\t\treturn;\n\t}\n\tcond_resched();\n}\n"
    )
    yield plant("behind a recursion", "sink_m@(planted_flag);", near=deep)
    turn = (
        "static void odd_m@(int depth);\n\nstatic void even_m@(int depth)\n{\n\tif (depth)\n"
        "\t\todd_m@(depth - 1);\n\telse\n\t\tmutex_lock(&planted_mutex);\n}\n\n"
        "static void odd_m@(int depth)\n{\n\tif (depth)\n\t\teven_m@(depth - 1);\n}\n"
    )
    yield plant("behind a recursion of two", "even_m@(planted_flag);", near=turn)
    given = _LOCKS + "\nstatic void each_m@(void (*act)(void))\n{\n\tact();\n}\n"
    yield plant("in a callback", "each_m@(note_m@);", near=given)


def _masks(plant: Plant) -> Iterator[Mutant]:
    def local(flags: str) -> str:
        return f"{{\n\tgfp_t mask_m@ = {flags};\n\n\tkfree(kmalloc(64, mask_m@));\n}}"

    yield plant("by a mask in a variable", local("GFP_KERNEL"))
    yield plant("by a mask that is widened", local("GFP_ATOMIC | __GFP_DIRECT_RECLAIM"))
    lower = (
        "static void *get_m@(gfp_t gfp)\n{\n\treturn kmalloc(64, gfp);\n}\n\n"
        "static void take_m@(gfp_t gfp)\n{\n\tkfree(get_m@(gfp));\n}\n"
    )
    yield plant("by a mask that is handed down", "take_m@(GFP_KERNEL);", near=lower)
    field = (
        "struct notes_m@ {\n\tgfp_t gfp;\n};\n\nstatic void take_m@(struct notes_m@ *notes)\n{\n"
        "\tkfree(kmalloc(64, notes->gfp));\n}\n"
    )
    text = "{\n\tstruct notes_m@ notes_m@ = { .gfp = GFP_KERNEL };\n\n\ttake_m@(&notes_m@);\n}"
    yield plant("by a mask in a local structure", text, near=field)


def _guards(plant: Plant) -> Iterator[Mutant]:
    near = "#include <linux/cleanup.h>\n#include <linux/mutex.h>\n"
    text = "{\n\tguard(mutex)(&planted_mutex);\n\tplanted_flag++;\n}"
    yield plant("in guard(mutex)", text, near=near)
    text = "scoped_guard(mutex, &planted_mutex)\n\tplanted_flag++;"
    yield plant("in scoped_guard(mutex)", text, near=near)
    drop = "static inline void drop_m@(int *held)\n{\n\tmutex_lock(&planted_mutex);\n}\n"
    text = "{\n\tint held_m@ __attribute__((cleanup(drop_m@))) = 0;\n\n\tplanted_flag++;\n}"
    yield plant("in a cleanup", text, near=drop)
