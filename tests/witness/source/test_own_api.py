# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that do what the mode's API does are the API, whatever they are called and wherever."""

from __future__ import annotations

import pytest

from tests.witness.source.same_as_plain import (
    CALLS,
    ENTRY,
    GIVEN,
    INCLUDE,
    in_pgtable,
    plain,
    seen,
    users,
)

BOTH = pytest.mark.parametrize("which", ["new", "old"])


def pair(which: str, kind: str = "static inline ", on: str = "", off: str = "") -> str:
    """Two functions that begin and end, with what they do besides."""
    begin, end = CALLS[which]
    return (
        f"{kind}void batch_on({ENTRY})\n{{\n{on}\t{begin}();\n}}\n"
        f"{kind}void batch_off(struct mm_struct *mm)\n{{\n\t{end}();\n{off}}}\n"
    )


DECLARED = f"void batch_on({ENTRY});\nvoid batch_off(struct mm_struct *mm);\n"
USED = users(f"batch_on({GIVEN})", "batch_off(vma->vm_mm)")


@BOTH
@pytest.mark.parametrize("header", ["mm/batch.h", "include/linux/batch.h"])
def test_wrappers_of_a_header_begin_and_end(which: str, header: str) -> None:
    """A function of a header that only begins is a begin, with arguments as without."""
    name = '"batch.h"' if header.startswith("mm/") else "<linux/batch.h>"
    found = seen(which, f"{INCLUDE}#include {name}\n{USED}", {header: pair(which)})
    assert found == plain(which)


@BOTH
def test_wrappers_may_stand_in_any_file(which: str) -> None:
    """In the tree's own pgtable.h, in the file itself, in another, in a driver, weak or not."""
    assert seen(which, INCLUDE + USED, in_pgtable(which, pair(which))) == plain(which)
    assert seen(which, INCLUDE + pair(which) + USED, {}) == plain(which)
    for file in ("mm/other.c", "drivers/misc/other.c"):
        for kind in ("", "__weak "):
            more = {file: INCLUDE + pair(which, kind)}
            assert seen(which, INCLUDE + DECLARED + USED, more) == plain(which)


@BOTH
def test_wrappers_are_followed_through_wrappers_and_other_names(which: str) -> None:
    """A wrapper of a wrapper, a macro of that, and another name of it are all the same."""
    more = f"""
static inline void on_again({ENTRY})
{{
	batch_on(mm, addr, end, ptep);
}}
#define run_on(vma, a, e, p) on_again((vma)->vm_mm, a, e, p)
#define run_off batch_off
"""
    own = (
        INCLUDE
        + '#include "batch.h"\n'
        + users("run_on(vma, addr, end, pte)", "run_off(vma->vm_mm)")
    )
    assert seen(which, own, {"mm/batch.h": pair(which) + more}) == plain(which)


NOTED = "do {{ mm_note(vma->vm_mm); {on}(); }} while (0)"


@BOTH
@pytest.mark.parametrize(
    ("on", "off"),
    [
        ("B_ON {on}", "B_OFF {off}"),
        ("B_ON {on}()", "B_OFF {off}()"),
        ("B_ON do {{ {on}(); }} while (0)", "B_OFF do {{ {off}(); }} while (0)"),
        (f"B_ON {NOTED}", "B_OFF {off}()"),
        ("B_ON(vma) ({{ {on}(); }})", "B_OFF() {off}()"),
        (f"B_ON(vma) {NOTED}", "B_OFF {off}"),
    ],
)
@pytest.mark.parametrize("header", [True, False])
def test_macros_begin_and_end_with_and_without_arguments(
    which: str, on: str, off: str, header: bool
) -> None:
    """An object-like macro, one with arguments, and do-while begin or end where they are used."""
    calls = dict(zip(("on", "off"), CALLS[which], strict=True))
    text = "".join(f"#define {macro.format(**calls)}\n" for macro in (on, off))
    # What only renames is called like what it names.
    own = users(*(m.split()[0] + ("()" if m.endswith(("on}", "off}")) else "") for m in (on, off)))
    if header:
        found = seen(which, f'{INCLUDE}#include "batch.h"\n{own}', {"mm/batch.h": text})
    else:
        found = seen(which, INCLUDE + text + own, {})
    assert found == plain(which)


COUNTED = """
#ifndef arch_begin_for
static inline void arch_begin_for(ENTRY)
{
	arch_enter_lazy_mmu_mode();
}
#endif

static inline void NAME(ENTRY)
{
	struct lazy_mmu_state *state = &current->lazy_mmu_state;

	if (in_interrupt() || state->pause_count)
		return;
	COUNT
	if (state->enable_count == 1)
		arch_begin_for(mm, addr, end, ptep);
}
"""


@pytest.mark.parametrize(
    ("name", "count", "where", "arch"),
    [
        ("lazy_mmu_mode_enable_with_ptes", "state->enable_count++;", "pgtable.h", "x86"),
        ("lazy_mmu_mode_enable_with_ptes", "state->enable_count++;", "pgtable.h", "powerpc"),
        ("pt_batch_begin", "++state->enable_count;", "pgtable.h", "x86"),
        ("pt_batch_begin", "state->enable_count += 1;", "mm/batch.h", "sparc"),
        ("pt_batch_begin", "state->enable_count = state->enable_count + 1;", "mm/own.c", "x86"),
    ],
)
def test_what_counts_and_calls_the_hook_implements_the_api(
    name: str, count: str, where: str, arch: str
) -> None:
    """It begins a section for its caller, and neither it nor a hook's default is held wrong."""
    text = COUNTED.replace("NAME", name).replace("COUNT", count).replace("ENTRY", ENTRY)
    own = users(f"{name}({GIVEN})", "lazy_mmu_mode_disable()")
    more = {}
    if where == "pgtable.h":
        more = in_pgtable("new", text)
    elif where == "mm/batch.h":
        more, own = {where: text}, f'#include "batch.h"\n{own}'
    else:
        own = text + own
    assert seen("new", INCLUDE + own, more, arch) == plain("new", arch=arch)


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "static void (*const b_on)(void) = {on};\nstatic void (*const b_off)(void) = &{off};\n",
        "static void (*b_on)(void) = {on};\nstatic void (*b_off)(void) = {off};\n",
        "typedef void (*step)(void);\nstatic const step b_on = {on};\nstatic step b_off = {off};\n",
        "static void (*b_on)(void) __ro_after_init = {on};\n"
        'static void (*b_off)(void) __read_mostly __section(".b") = {off};\n',
        'void b_on(void) __attribute__((alias("{on}_2")));\nvoid b_off(void) __alias({off}_2);\n'
        "void {on}_2(void)\n{{\n\t{on}();\n}}\nvoid {off}_2(void)\n{{\n\t{off}();\n}}\n",
    ],
)
def test_a_pointer_that_never_changes_is_what_it_points_to(which: str, text: str) -> None:
    """So is a function that is another's alias, and `(*pointer)()` is a call of it."""
    on, off = CALLS[which]
    own = INCLUDE + text.format(on=on, off=off)
    assert seen(which, own + users("b_on()", "(*b_off)()"), {}) == plain(which)


@BOTH
@pytest.mark.parametrize("kind", ["static const", "const", "static"])
def test_a_member_of_a_table_that_never_changes_is_what_stands_there(which: str, kind: str) -> None:
    """A call through it is a call of the function."""
    on, off = CALLS[which]
    table = (
        "struct steps {\n\tvoid (*on)(void);\n\tvoid (*off)(void);\n};\n"
        f"{kind} struct steps steps = {{\n\t.on = {on},\n\t.off = {off},\n}};\n"
    )
    own = INCLUDE + table + users("steps.on()", "steps.off()")
    assert seen(which, own, {}) == plain(which)


@BOTH
def test_a_variable_that_is_given_one_function_is_that_function(which: str) -> None:
    """A pointer of the function's own, assigned once."""
    on, off = CALLS[which]
    own = INCLUDE + users("begin()", f"{off}()", f"void (*begin)(void) = {on};\n\t")
    assert seen(which, own, {}) == plain(which)


@pytest.mark.parametrize(
    "text",
    [
        "void (*b_on)(void) = lazy_mmu_mode_enable;\n",
        "static void (*b_on)(void) = lazy_mmu_mode_enable;\n"
        "void change(void (*to)(void))\n{\n\tb_on = to;\n}\n",
        "static void (*b_on)(void) = lazy_mmu_mode_enable;\n"
        "void change(void)\n{\n\trewrite(&b_on);\n}\n",
    ],
)
def test_a_pointer_that_may_change_is_a_loss(text: str) -> None:
    """Nobody can tell what is called, and that is said."""
    found = seen("new", INCLUDE + text + users("b_on()", "lazy_mmu_mode_disable()"), {})
    assert any("its address is taken" in reason for _, reason in found.blind)


WRAPPERS = """
static void b_begin(void)
{{
	{on}();
}}

static void b_end(void)
{{
	{off}();
}}

"""


@BOTH
@pytest.mark.parametrize(
    ("pointers", "local"),
    [
        (
            "static void (*const b_on)(void) = b_begin;\n"
            "static void (*const b_off)(void) = b_end;\n",
            "",
        ),
        ("static void (*b_on)(void) = b_begin;\nstatic void (*b_off)(void) = &b_end;\n", ""),
        ("", "void (*b_on)(void) = b_begin, (*b_off)(void) = b_end;\n\t"),
    ],
)
def test_a_pointer_to_a_plain_wrapper_is_that_wrapper(
    which: str, pointers: str, local: str
) -> None:
    """Nothing but such pointers begins and ends, and what is wrong there is told all the same."""
    on, off = CALLS[which]
    own = INCLUDE + WRAPPERS.format(on=on, off=off) + pointers
    assert seen(which, own + users("b_on()", "b_off()", local), {}) == plain(which, local)


@pytest.mark.parametrize(
    ("pointers", "on", "off"),
    [
        ("static void (*const b[])(void) = { b_begin, b_end };\n", "b[0]()", "b[1]()"),
        (
            "static void (*b_on)(void) = b_begin, (*b_off)(void) = b_end;\n"
            "void change(void (*to)(void))\n{\n\tb_on = to;\n\tb_off = to;\n}\n",
            "b_on()",
            "b_off()",
        ),
    ],
)
def test_wrappers_behind_what_is_not_followed_are_a_loss(pointers: str, on: str, off: str) -> None:
    """An element of an array, or a pointer that may change: nobody says that all was seen."""
    begin, end = CALLS["new"]
    own = INCLUDE + WRAPPERS.format(on=begin, off=end) + pointers + users(on, off)
    found = seen("new", own, {})
    assert any("its address is taken" in reason for _, reason in found.blind)


@BOTH
def test_who_hands_a_function_to_a_section_has_it_run_there(which: str) -> None:
    """A helper begins, calls what it is given, and ends: also through another that hands on."""
    on, off = CALLS[which]
    header = f"""
static inline void in_batch(struct mm_struct *mm, void (*fn)(void *), void *arg)
{{
	{on}();
	fn(arg);
	{off}();
}}
"""
    own = """
static void quick(void *arg)
{
	mm_note(arg);
}

static void slow(void *arg)
{
	cond_resched();
}

static void hands_on(struct mm_struct *mm, void (*fn)(void *))
{
	in_batch(mm, fn, mm);
}

void right(struct mm_struct *mm)
{
	spin_lock(&mm->page_table_lock);
	in_batch(mm, quick, mm);
	hands_on(mm, quick);
	spin_unlock(&mm->page_table_lock);
}

void wrong(struct mm_struct *mm)
{
	spin_lock(&mm->page_table_lock);
	HOW
	spin_unlock(&mm->page_table_lock);
}
"""
    for how in ("in_batch(mm, slow, mm);", "hands_on(mm, slow);"):
        text = f'{INCLUDE}#include "batch.h"\n{own.replace("HOW", how)}'
        found = seen(which, text, {"mm/batch.h": header})
        assert {(rule, function) for rule, _, function, _ in found.findings} == {
            ("sleep-in-section", "slow")
        }


def test_a_caller_of_an_implementation_is_no_implementation() -> None:
    """Not even one whose own end is the only call that is known by name."""
    text = COUNTED.replace("NAME", "lazy_mmu_mode_enable_for").replace("ENTRY", ENTRY)
    own = users(f"lazy_mmu_mode_enable_for({GIVEN})", "lazy_mmu_mode_disable()")
    more = in_pgtable("new", text.replace("COUNT", "state->enable_count++;"))
    assert seen("new", INCLUDE + own.replace("leaves(", "aaa("), more).rows == {
        "right",
        "aaa",
        "sleeps",
    }


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("void f(void)\n{\n\tarch_enter_lazy_mmu_mode();\n}\n", "raw-arch-call"),
        (
            "static void on(void)\n{\n\tarch_enter_lazy_mmu_mode();\n}\n"
            "static void off(void)\n{\n\tarch_leave_lazy_mmu_mode();\n}\n"
            "void f(void)\n{\n\ton();\n\toff();\n}\n",
            "raw-arch-call",
        ),
    ],
)
def test_a_wrapper_past_the_counters_is_held_wrong_itself(text: str, rule: str) -> None:
    """Where the tree counts, only what counts may call an architecture's hook."""
    found = seen("new", INCLUDE + text, {})
    assert rule in {finding[0] for finding in found.findings}


@BOTH
def test_a_local_pointer_to_one_table_is_that_table(which: str) -> None:
    """What a variable of the function points to all the time is called by its members."""
    begin, end = CALLS[which]
    table = f"""
static void on(void)
{{
	{begin}();
}}

static void off(void)
{{
	{end}();
}}

struct on_off {{ void (*on)(void); void (*off)(void); }};
static const struct on_off mode_ops = {{ .on = on, .off = off }};
"""
    local = "const struct on_off *ops = &mode_ops;\n\t"
    own = INCLUDE + table + users("ops->on()", "ops->off()", local)
    assert seen(which, own, {}) == plain(which, local)
