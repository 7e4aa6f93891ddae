# SPDX-License-Identifier: GPL-2.0-or-later
"""Scopes that give something up, and macros that leave their users: wrong found, right silent."""

from __future__ import annotations

import pytest

CLASS = """
#define MAKE(name, type, take, drop) \\
typedef struct {{ type *lock; }} class_##name##_t; \\
static inline void class_##name##_destructor(class_##name##_t *_T) \\
{{ if (_T->lock) {{ drop; }} }} \\
static inline class_##name##_t class_##name##_constructor(type *l) \\
{{ class_##name##_t _t = {{ .lock = l }}, *_T = &_t; take; return _t; }}

MAKE(batch, struct mm_struct, {begin}(), {end}())
MAKE(waiting, struct mutex, mutex_lock(_T->lock), mutex_unlock(_T->lock))

static struct mutex waits;

#define batched(mm) guard(batch)(mm)
#define in_batch(mm) scoped_guard(batch, mm)
#define leave_if(x, v) do {{ if (x) return v; }} while (0)
#define try(x) ({{ if (x) return 1; 0; }})
#define when(x, how) do {{ if (x) {{ how; }} }} while (0)
#define go_away goto out

"""

CLEANUP = """
static void end_it(int *begun) {{ if (*begun) {end}(); }}
#define __ended __attribute__((cleanup(end_it)))
"""

ALWAYS = """
static void end_always(int *unused) {{ {end}(); }}
"""
NAMED = "#define __always_ended __attribute__((cleanup(end_always)))\n"

BODY = """
int mine(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end, pte_t value)
{{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return 0;
{inside}	return 0;
}}
"""


def file(mode: tuple[str, str], inside: str) -> str:
    """A file with one function that does something under a page-table lock."""
    lines = "".join(f"\t{line}\n" for line in inside.splitlines())
    begin, end = mode
    head = "#include <linux/mm.h>\n#include <linux/mutex.h>\n"
    parts = CLASS + (CLEANUP if "__ended" in inside else "")
    parts += ALWAYS if "always" in inside else ""
    parts += NAMED if "__always" in inside else ""
    made = parts.format(begin=begin, end=end) + BODY.format(inside=lines)
    return head + made.replace("BEGIN", f"{begin}()").replace("END", f"{end}()")


SET = "set_pte_at(mm, addr, pte, value);\n"
UNLOCK = "pte_unmap_unlock(pte, ptl);\n"

WRONG = [
    ("guard(batch)(mm);\n" + SET + UNLOCK, "section-outside-lock"),
    ("batched(mm);\n" + SET + UNLOCK, "section-outside-lock"),
    ("in_batch(mm) {\n" + SET + "mutex_lock(&waits);\n}\n" + UNLOCK, "sleep-in-section"),
    ("BEGIN;\n{\nguard(waiting)(&waits);\n" + SET + "}\nEND;\n" + UNLOCK, "sleep-in-section"),
    ("BEGIN;\nleave_if(addr > end, 1);\n" + SET + "END;\n" + UNLOCK, "unbalanced-section"),
    ("BEGIN;\nend += try(addr > end);\n" + SET + "END;\n" + UNLOCK, "unbalanced-section"),
    ("BEGIN;\nwhen(addr, return 1);\n" + SET + "END;\n" + UNLOCK, "unbalanced-section"),
    ("BEGIN;\nwhen(addr, goto out);\n" + SET + "END;\nout:\n" + UNLOCK, "unbalanced-section"),
    ("BEGIN;\nif (addr)\n\tgo_away;\n" + SET + "END;\nout:\n" + UNLOCK, "unbalanced-section"),
    (
        "int on __ended = 0;\n\nBEGIN;\n" + SET + "if (addr)\n\treturn 1;\non = 1;\n" + UNLOCK,
        "unbalanced-section",
    ),
]

RIGHT = [
    "{\n\tguard(batch)(mm);\n" + SET + "}\n" + UNLOCK,
    "scoped_guard(batch, mm) {\n" + SET + "if (addr > end)\n\tbreak;\n" + SET + "}\n" + UNLOCK,
    "for (; addr < end; addr++) {\nin_batch(mm) {\nif (addr == 3)\n\tcontinue;\n" + SET
    + "}\n}\n" + UNLOCK,
    "{\nbatched(mm);\nif (addr > end)\n\tgoto out;\n" + SET + "}\nout:\n" + UNLOCK,
    "{\nint on __ended = 0;\n\nBEGIN;\non = 1;\n" + SET + "}\n" + UNLOCK,
    "{\nint on __attribute__((cleanup(end_always)));\n\nBEGIN;\n" + SET + "}\n" + UNLOCK,
    "{\nint on __always_ended;\n\nBEGIN;\n" + SET + "}\n" + UNLOCK,
    "BEGIN;\nwhen(addr, goto out);\n" + SET + "out:\nEND;\n" + UNLOCK,
    UNLOCK + "leave_if(addr > end, 1);\nguard(waiting)(&waits);\n",
]  # fmt: skip


@pytest.mark.parametrize(("inside", "rule"), WRONG)
def test_what_is_wrong_about_a_scope_is_told(tree, mode, inside, rule):
    """The macros are followed wherever they leave, and the guards to where they are dropped."""
    wanted = ("--arch", "x86", "--min-confidence", "low", "--rule", rule)
    ran = tree.add(file(mode, inside)).check(*wanted)
    assert ran.code == 1, ran.out + ran.err
    assert f"[{rule}]" in ran.out
    assert all("mine()" in line for line in ran.out.splitlines() if f"[{rule}]" in line)
    assert "mm/mine.c" not in ran.err


@pytest.mark.parametrize("inside", RIGHT)
def test_what_is_right_about_a_scope_is_silent(tree, mode, inside):
    """No finding, and nothing lost: the exit code says so."""
    ran = tree.add(file(mode, inside)).check("--arch", "x86", "--min-confidence", "low")
    assert ran.code == 0, ran.out + ran.err


GROWING = "".join(f"#define G{level + 1}(x) " + f"G{level}(x) " * 16 + "\n" for level in range(5))
"""Macros that come to a million times the first of them."""


def test_a_function_whose_macros_grow_without_end_is_a_loss(tree, mode):
    """It is named with the reason, and nothing is said of it: the exit code is that of a loss."""
    text = file(mode, "BEGIN;\nG5(addr);\nEND;\n" + UNLOCK)
    ran = tree.add("#define G0(x) if (x) return x;\n" + GROWING + text).check("--arch", "x86")
    assert ran.code == 3, ran.out + ran.err
    assert "mine() not seen: its macros come to more than" in ran.err


def test_functions_that_macros_would_make_without_end_are_a_loss(tree, mode):
    """The use is named where the report lists what could not be read."""
    begin, end = mode
    made = f"static inline void x##_do(void) {{ {begin}(); {end}(); }}"
    text = f"#define G0(x) {made}\n{GROWING}\nG5(mine)\n\nvoid use(void)\n{{\n\tmine_do();\n}}\n"
    tree.add(text)
    ran = tree.check("--arch", "x86")
    assert ran.code == 3, ran.out + ran.err
    lost = [item for item in tree.result().coverage.unparsed if item.file == "mm/mine.c"]
    assert [item.name for item in lost] == ["G5"]
    assert "its macros come to more than" in lost[0].reason
