# SPDX-License-Identifier: GPL-2.0-or-later
"""A section that is begun and ended by other means than the two calls, and used wrongly."""

from __future__ import annotations

from collections.abc import Iterator

from mutants.mutant import LEAKED, OUTSIDE, SLEEP, Code, Mutant
from mutants.section import Section

from .forms import Form, blocks, forms, written


def mistakes(section: Section) -> Iterator[Mutant]:
    """Every form of a section, with each mistake."""
    for form in forms(section):
        yield from _misused(section, form)
    yield from _blocks(section)


def _misused(section: Section, form: Form) -> Iterator[Mutant]:
    replaced, inserted = written(section, form)
    code = form.code
    last = section.leaves[-1]
    name = form.name

    kept = tuple((line, text) for line, text in replaced if line != last)
    yield Mutant(f"{name}: end deleted", section, LEAKED, (*kept, (last, "")), inserted, code)
    if section.loop:
        freed = f"\t{section.text(section.unlock)}\n" if section.unlock else ""
        text = f"if (planted_flag) {{\n{freed}\treturn{section.value};\n}}"
        edits = (*inserted, (section.loop, text))
        yield Mutant(f"{name}: returns from the loop", section, LEAKED, replaced, edits, code)
    if not section.waits:
        edits = (*inserted, (section.after, "cond_resched();"))
        yield Mutant(f"{name}: sleeps", section, SLEEP, replaced, edits, code)
    if section.unlock:
        edits = (*inserted, (section.unlock + 1, form.end))
        moved = (*kept, (last, ""))
        yield Mutant(f"{name}: ends after the unlock", section, OUTSIDE, moved, edits, code)


def _blocks(section: Section) -> Iterator[Mutant]:
    if section.block is None:
        return
    begin, leave = section.block
    for block in blocks(section):
        opened = ((begin, block.opens), (leave, "}"))
        if not section.waits:
            sleeps = ((leave, "\tcond_resched();"),)
            yield Mutant(
                f"{block.name}: sleeps", section, SLEEP, opened, sleeps, code=Code(block.near)
            )
        if section.unlock:
            whole = ((begin, block.whole), (leave, ""))
            kind = f"{block.name}: ends after the unlock"
            yield Mutant(kind, section, OUTSIDE, whole, code=Code(block.near))
