# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about the order of section and lock."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mutants.mutant import OUTSIDE, UNBALANCED, Code, Mutant
from mutants.section import Section


def mistakes(section: Section) -> Iterator[Mutant]:
    """Every mistake about section and lock."""
    for leave in section.leaves:
        unlock = section.unlock_after(leave)
        if unlock is None:
            continue
        text = section.text(leave)
        moved = ((unlock + 1, text),)
        swapped = ((leave, section.text(unlock)), (unlock, text))
        yield Mutant("leave moved behind the unlock", section, OUTSIDE, ((leave, ""),), moved)
        yield Mutant("leave and unlock swapped", section, OUTSIDE, swapped)
        ends = f"{section.text(unlock)}\n\t{section.leave}();"
        near = (
            f"#define scan_end_m@(pte, ptl) \\\n\tdo {{ {ends.replace(chr(10), ' ')} }} while (0)\n"
        )
        arguments = re.fullmatch(r"pte_unmap_unlock\((\w+), (\w+)\);", section.text(unlock))
        if arguments:
            near = near.replace(arguments[0], "pte_unmap_unlock(pte, ptl);")
            call = f"scan_end_m@({arguments[1]}, {arguments[2]});"
            edits = ((leave, ""), (unlock, call))
            yield Mutant(
                "leave and unlock swapped in a macro", section, OUTSIDE, edits, code=Code(near)
            )
            body = "\tpte_unmap_unlock(pte, ptl);\n\t" + f"{section.leave}();\n"
            helper = f"static void scan_end_m@(pte_t *pte, spinlock_t *ptl)\n{{\n{body}}}\n"
            yield Mutant(
                "leave and unlock swapped in a helper", section, OUTSIDE, edits, code=Code(helper)
            )
            lock = arguments[2]
            text = f"spin_unlock({lock});\ncpu_relax();\nspin_lock({lock});"
            place = section.loop or section.after
            yield Mutant("unlocks and locks again", section, OUTSIDE, insert=((place, text),))
    if section.lock is not None:
        moved = ((section.lock, f"{section.begin}();"),)
        rules = OUTSIDE | UNBALANCED
        yield Mutant(
            "begin moved before the lock", section, rules, ((section.begins[0], ""),), moved
        )
