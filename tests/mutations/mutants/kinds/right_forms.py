# SPDX-License-Identifier: GPL-2.0-or-later
"""Right code: a section in another form, with the same order and on the same paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mutants.mutant import NO_RULES, Code, Mutant
from mutants.section import Section

from .forms import blocks, forms, written


def right(section: Section) -> Iterator[Mutant]:
    """Every form, used as the section was before."""
    for form in forms(section):
        edits = written(section, form)
        yield Mutant(f"right: {form.name}", section, NO_RULES, *edits, form.code)
    if section.block is not None:
        begin, leave = section.block
        for block in blocks(section):
            whole = ((begin, block.opens), (leave, "}"))
            kind = f"right: {block.name}"
            yield Mutant(kind, section, NO_RULES, whole, code=Code(block.near))
    yield from _jumps(section)
    yield from _names(section)
    yield from _flag(section)


def _jumps(section: Section) -> Iterator[Mutant]:
    loop, unlock = section.loop, section.unlock
    if loop is None:
        return
    ends = f"\t{section.leave}();\n"
    ends += f"\t{section.text(unlock)}\n" if unlock else ""
    text = f"if (planted_flag) {{\n{ends}\treturn{section.value};\n}}"
    if len(section.leaves) == 1 and unlock and not _two_unlocks(section):
        yield Mutant("right: early return", section, NO_RULES, insert=((loop, text),))
    if section.region is None:
        return
    label = (section.leaves[-1], "out_m@:")
    text = "if (planted_flag)\n\tgoto out_m@;"
    yield Mutant("right: goto before the leave", section, NO_RULES, insert=((loop, text), label))
    near = "#define STOP_IF_m@(cond) if (cond) break\n"
    edit = (loop, "STOP_IF_m@(planted_flag);")
    yield Mutant("right: break in a macro", section, NO_RULES, insert=(edit,), code=Code(near))
    near = "#define JUMP_IF_m@(cond) do { if (cond) goto out_m@; } while (0)\n"
    edits = ((loop, "JUMP_IF_m@(planted_flag);"), label)
    yield Mutant("right: goto in a macro", section, NO_RULES, insert=edits, code=Code(near))


def _two_unlocks(section: Section) -> bool:
    text = "\n".join(section.function.text)
    return len(set(re.findall(r"(?:pte_unmap_unlock|spin_unlock)\([^()]*\)", text))) != 1


def _names(section: Section) -> Iterator[Mutant]:
    """The entry under another name, in the whole function; macros that name it are none of ours."""
    for what, name in (("entry", section.entry), ("lock", _lock(section))):
        if name is None:
            continue
        word = re.compile(rf"(?<![\w>.]){name}\b")
        rows = [
            (line, word.sub("other_m@", section.text(line)))
            for line in range(section.function.head, section.function.last)
            if word.search(section.function.line(line))
        ]
        yield Mutant(f"right: {what} renamed", section, NO_RULES, tuple(rows))
    lock = section.lock
    area = f"{section.vma}->vm_mm"
    if lock is None or section.mm != area or area not in section.text(lock):
        return
    text = section.text(lock).replace(area, "mm_m@")
    edits = ((section.function.first + 1, f"struct mm_struct *mm_m@ = {area};"),)
    yield Mutant("right: mm for vma->vm_mm", section, NO_RULES, ((lock, text),), edits)


def _lock(section: Section) -> str | None:
    found = re.search(r"\bspinlock_t \*(\w+)(?=;|,)", "\n".join(section.function.text))
    return found[1] if found else None


def _flag(section: Section) -> Iterator[Mutant]:
    calls = [(line, section.text(line)) for line in section.begins + section.leaves]
    once = ((section.function.first + 1, "const bool on_m@ = planted_flag;"),)
    edits = tuple((line, f"if (on_m@)\n\t{text}") for line, text in calls)
    yield Mutant("right: one flag for begin and leave", section, NO_RULES, edits, once)
    text = f"{section.leave}();\n{section.begin}();"
    place = ((section.leaves[-1], text),)
    yield Mutant("right: leaves and begins again", section, NO_RULES, insert=place)
