# SPDX-License-Identifier: GPL-2.0-or-later
"""The mistakes that are planted: each a few lines of text, and the rules that name it.

What is inserted is written as a kernel programmer would write it, with the function's own variables
where the mistake is about them. `RULES` of a kind are those by which a finding counts: deleting the
leave before an unlock, for instance, is an unbalanced section on one path and an unlock with the
mode on all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .scan import BEGIN, LEAVE, UNLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scan import Function

_LOCK = re.compile(
    r"=\s*(?:pte_offset_map_lock|pte_alloc_map_lock|pmd_lock)\(|^\s*(?:spin_lock|double_pt_lock)\w*\("
)

UNBALANCED = frozenset({"unbalanced-section", "nested-section"})
OUTSIDE = frozenset({"section-outside-lock", "unlock-before-flush"})
SLEEP = frozenset({"sleep-in-section"})

FAR_FILE = "mm/util.c"
"""A file that every kernel builds; what a far helper does must be looked up there."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake in one function.

    delete: lines to take away; insert: lines to put before a line, with the indentation of it;
    near: a helper for the top of the same file; far: one for `FAR_FILE`. No rules: the change is
    no mistake, and whoever reports it raises a false alarm.
    """

    kind: str
    function: Function
    rules: frozenset[str]
    delete: tuple[int, ...] = ()
    insert: tuple[tuple[int, str], ...] = ()
    near: str = ""
    far: str = ""
    number: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """How a miss is printed."""
        place = min((*self.delete, *(line for line, _ in self.insert)))
        return f"{self.kind}: {self.function.file}:{place}: {self.function.name}()"


def every(function: Function) -> Iterator[Mutant]:
    """All mistakes for one function with a section."""
    counted = function.line(function.begins[0]).strip().startswith(BEGIN[1])
    yield from _leaves(function)
    yield from _locks(function)
    yield from _sleeps(function)
    yield from _returns(function)
    if counted:
        yield from _pauses(function)
    else:
        yield from _nests(function)
    if not function.file.startswith("arch/"):
        yield from _order(function)
    yield from _innocent(function)


def _after(function: Function, line: int) -> int:
    """The line after a statement of one line."""
    return line + 1 if line < function.last else line


def _leaves(function: Function) -> Iterator[Mutant]:
    for leave in function.leaves:
        rules = UNBALANCED | OUTSIDE | SLEEP
        yield Mutant("leave deleted", function, rules, delete=(leave,))


def _unlock_after(function: Function, leave: int) -> int | None:
    """The first unlock after a leave, if nothing but statements stands between them."""
    call = re.compile(rf"^\s*(?:{'|'.join(UNLOCK)})\(")
    for line in range(leave + 1, min(leave + 8, function.last)):
        text = function.line(line)
        if call.match(text):
            return line
        if re.search(r"[{}]|^\s*(?:return|goto|break|continue)\b|^\w+:", text):
            return None
    return None


def _locks(function: Function) -> Iterator[Mutant]:
    for leave in function.leaves:
        unlock = _unlock_after(function, leave)
        if unlock is not None:
            text = function.line(leave).strip()
            yield Mutant(
                "leave after unlock",
                function,
                OUTSIDE,
                delete=(leave,),
                insert=((unlock + 1, text),),
            )
    begin = function.begins[0]
    for line in range(begin - 1, max(begin - 16, function.first), -1):
        if _LOCK.search(function.line(line)):
            text = function.line(begin).strip()
            yield Mutant(
                "begin before lock",
                function,
                OUTSIDE | UNBALANCED,
                delete=(begin,),
                insert=((line, text),),
            )
            break


def _sleeps(function: Function) -> Iterator[Mutant]:
    if function.file.startswith("arch/arm64/"):
        return  # its mode pins nothing, and its own code may wait (asm/pgtable.h there)
    after = _after(function, function.begins[0])
    direct = {
        "mutex_lock()": "mutex_lock(&lazymmu_mutex);",
        "kmalloc(GFP_KERNEL)": "kfree(kmalloc(64, GFP_KERNEL));",
        "cond_resched()": "cond_resched();",
        "alloc_page(GFP_KERNEL)": "__free_page(alloc_page(GFP_KERNEL | __GFP_ZERO));",
        "might_sleep()": "might_sleep();",
    }
    for what, text in direct.items():
        yield Mutant(f"sleeps by {what}", function, SLEEP, insert=((after, text),))
    yield Mutant(
        "sleeps in a helper",
        function,
        SLEEP,
        insert=((after, "lazymmu_near_@();"),),
        near="static noinline void lazymmu_near_@(void)\n{\n\tif (lazymmu_flag)\n"
        "\t\tmutex_lock(&lazymmu_mutex);\n}\n",
    )
    yield Mutant(
        "sleeps in a helper's helper",
        function,
        SLEEP,
        insert=((after, "lazymmu_upper_@(GFP_KERNEL);"),),
        near="static void *lazymmu_lower_@(gfp_t gfp)\n{\n\treturn kmalloc(64, gfp);\n}\n\n"
        "static void lazymmu_upper_@(gfp_t gfp)\n{\n\tkfree(lazymmu_lower_@(gfp));\n}\n",
    )
    yield Mutant(
        "sleeps in another file",
        function,
        SLEEP,
        insert=((after, "lazymmu_far_@();"),),
        near="void lazymmu_far_@(void);\n",
        far="void lazymmu_far_@(void)\n{\n\tmutex_lock(&lazymmu_mutex);\n}\n",
    )
    yield Mutant(
        "sleeps by flags in a variable",
        function,
        SLEEP,
        insert=((after, _by_variable("GFP_KERNEL")),),
    )
    yield Mutant(
        "sleeps in a macro",
        function,
        SLEEP,
        insert=((after, "lazymmu_macro_@(&lazymmu_mutex);"),),
        near="#define lazymmu_macro_@(lock) \\\n\tdo { mutex_lock(lock); } while (0)\n",
    )
    last = function.leaves[-1]
    yield Mutant("sleeps before the leave", function, SLEEP, insert=((last, "cond_resched();"),))
    loop = _loop(function)
    if loop:
        yield Mutant("sleeps in the loop", function, SLEEP, insert=((loop, "cond_resched();"),))


def _by_variable(flags: str) -> str:
    """An allocation whose flags stand in a variable."""
    return f"{{\n\tgfp_t lazymmu_gfp = {flags};\n\n\tkfree(kmalloc(64, lazymmu_gfp));\n}}"


def _loop(function: Function) -> int | None:
    """The first line in the body of the first loop of the section."""
    head = re.compile(r"^\s*(?:for|while|do|\w*for_each\w*)\b")
    begin, last = function.begins[0], function.leaves[-1]
    for line in range(begin + 1, last):
        if head.match(function.line(line)):
            for body in range(line, min(line + 6, last)):
                if re.search(r"\{\s*$", function.line(body)):
                    return body + 1
                if re.search(r";\s*$", function.line(body)):
                    break
    return None


def _returns(function: Function) -> Iterator[Mutant]:
    value = " 0" if function.returns_value else ""
    text = f"if (lazymmu_flag)\n\treturn{value};"
    loop = _loop(function)
    if loop:
        yield Mutant("returns from the loop", function, UNBALANCED, insert=((loop, text),))
    after = _after(function, function.begins[0])
    yield Mutant("returns after the begin", function, UNBALANCED, insert=((after, text),))
    twice = function.line(function.leaves[-1]).strip()
    yield Mutant("leaves twice", function, UNBALANCED, insert=((function.leaves[-1], twice),))


def _nests(function: Function) -> Iterator[Mutant]:
    rules = frozenset({"nested-section"})
    after = _after(function, function.begins[0])
    pair = f"{BEGIN[0]}();\n\t{LEAVE[0]}();"
    yield Mutant("nests", function, rules, insert=((after, pair.replace("\t", "")),))
    yield Mutant(
        "nests in a helper",
        function,
        rules,
        insert=((after, "lazymmu_near_@();"),),
        near=f"static noinline void lazymmu_near_@(void)\n{{\n\t{pair}\n}}\n",
    )
    yield Mutant(
        "nests in a macro",
        function,
        rules,
        insert=((after, "lazymmu_macro_@();"),),
        near=f"#define lazymmu_macro_@() \\\n\tdo {{ {BEGIN[0]}(); {LEAVE[0]}(); }} while (0)\n",
    )
    yield Mutant(
        "nests in another file",
        function,
        rules,
        insert=((after, "lazymmu_far_@();"),),
        near="void lazymmu_far_@(void);\n",
        far=f"void lazymmu_far_@(void)\n{{\n\t{pair}\n}}\n",
    )


def _pauses(function: Function) -> Iterator[Mutant]:
    rules = frozenset({"unbalanced-pause", "unbalanced-section"})
    after = _after(function, function.begins[0])
    last = function.leaves[-1]
    yield Mutant("pauses for good", function, rules, insert=((after, "lazy_mmu_mode_pause();"),))
    yield Mutant("resumes unpaused", function, rules, insert=((last, "lazy_mmu_mode_resume();"),))


def _order(function: Function) -> Iterator[Mutant]:
    text = "\n".join(function.text)
    owner = re.search(r"struct mm_struct \*(\w+)", text)
    area = re.search(r"struct vm_area_struct \*(\w+)", text)
    mm = owner[1] if owner else f"{area[1]}->vm_mm" if area else "&init_mm"
    entry = function.entry
    middle = re.search(r"\bpmd_t \*(\w+)", text)
    if entry:
        clear = f"pte_clear({mm}, 0, {entry});"
        none = f"pte_none(ptep_get({entry}))"
        helper = f"pte_t *{entry})\n{{\n\treturn {none};"
    elif middle:
        clear = f"pmd_clear({middle[1]});"
        none = f"pmd_none(pmdp_get({middle[1]}))"
        helper = f"pmd_t *{middle[1]})\n{{\n\treturn {none};"
    else:
        return
    flush = f"flush_tlb_range({area[1]}, 0, 1);" if area else "flush_tlb_kernel_range(0, 1);"
    place = function.leaves[-1]

    def plant(kind: str, rule: str, *lines: str, near: str = "") -> Mutant:
        return Mutant(
            kind, function, frozenset({rule}), insert=((place, "\n".join(lines)),), near=near
        )

    yield plant("flushes the TLB before the leave", "tlb-flush-in-section", clear, flush)
    yield plant("reads back", "stale-read", clear, f"if (!{none})", "\tlazymmu_flag++;")
    yield plant(
        "reads back in a helper",
        "stale-read",
        clear,
        f"if (!lazymmu_near_@({entry or middle[1] if middle else entry}))",
        "\tlazymmu_flag++;",
        near=f"static bool lazymmu_near_@({helper}\n}}\n",
    )
    if entry:
        yield plant("mixes writes", "mixed-write", clear, f"ptep_get_and_clear({mm}, 0, {entry});")
        yield plant(
            "frees before the leave",
            "free-before-flush",
            "{",
            f"\tstruct page *lazymmu_page = pte_page(ptep_get({entry}));",
            "",
            f"\t{clear}",
            "\t__free_page(lazymmu_page);",
            "}",
        )


def _innocent(function: Function) -> Iterator[Mutant]:
    """Correct code that looks like a mistake to who does not look closely."""
    after = _after(function, function.begins[0])
    calls = [(line, function.line(line).strip()) for line in function.begins + function.leaves]
    yield Mutant(
        "innocent: one flag for begin and leave",
        function,
        frozenset(),
        delete=tuple(line for line, _ in calls),
        insert=(
            (function.first + 1, "const bool lazymmu_on = lazymmu_flag;\n"),
            *((line, f"if (lazymmu_on)\n\t{text}") for line, text in calls),
        ),
    )
    yield Mutant(
        "innocent: waits only if asked to",
        function,
        frozenset(),
        insert=((after, "lazymmu_near_@(false);"),),
        near="static noinline void lazymmu_near_@(bool wait)\n{\n\tif (wait)\n"
        "\t\tmutex_lock(&lazymmu_mutex);\n}\n",
    )
    yield Mutant(
        "innocent: flags that do not wait, in a variable",
        function,
        frozenset(),
        insert=((after, _by_variable("GFP_ATOMIC")),),
    )
    again = (
        f"{function.line(function.leaves[-1]).strip()}\n{function.line(function.begins[0]).strip()}"
    )
    yield Mutant(
        "innocent: leaves and begins again",
        function,
        frozenset(),
        insert=((function.leaves[-1], again),),
    )
