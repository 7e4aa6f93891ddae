# SPDX-License-Identifier: GPL-2.0-or-later
"""Clean means that all of it was seen: what was lost, and could hide a finding, ends with 3."""

from __future__ import annotations

import pytest

HEAD = """#include <linux/mm.h>

void mine(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
"""
TAIL = """	pte_unmap_unlock(pte, ptl);
}
"""


def section(mode, inside="", *, head=HEAD):
    """A function with one section, right but for what is inside."""
    begin, end = mode
    write = "\tptep_set_wrprotect(vma->vm_mm, addr, pte);\n"
    return f"{head}\t{begin}();\n{write}{inside}\t{end}();\n{TAIL}"


def test_a_right_section_is_clean(tree, mode):
    """The summary tells how many lines name the mode, and that all of them were seen."""
    ran = tree.add(section(mode)).check()
    assert (ran.code, ran.out) == (0, "")
    assert "not seen: " not in ran.err
    assert "name the mode: " in ran.err


def test_a_wrong_section_is_found(tree, mode):
    """The mistake that the files below hide."""
    ran = tree.add(section(mode, "\tkmalloc(8, GFP_KERNEL);\n")).check()
    assert ran.code == 1
    assert "[sleep-in-section]" in ran.out


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("\tODD({{ ((\n", "not understood by the parser"),
        (
            "<<<<<<< HEAD\n\tkmalloc(8, GFP_KERNEL);\n=======\n>>>>>>> theirs\n",
            "conflict markers of a merge",
        ),
        ("#ifdef NOBODY_DEFINES_IT\n\t{}();\n#endif\n", "not compiled on the machines"),
        ("\tgoto out;\n\t{}();\nout:\n", "no path of the function leads there"),
        ("\tvoid (*begin)(void) = {};\n", "its address is taken"),
        ("\tlazy_mmu_mode_help(pte);\n", "calls something whose definition was not found"),
        ("\tguard(lazy_mmu_mode)();\n", "a guard, whose class"),
        ("\tx = " + "(" * 10_000 + "1" + ")" * 10_000 + ";\n", "nested more than 500 deep"),
        ("\tx = " + " + ".join(["y"] * 8000) + ";\n", "nested more than 500 deep"),
    ],
)
def test_a_section_that_is_not_seen_whole_is_not_clean(tree, mode, inside, reason):
    """The function is named on standard error, with the reason."""
    ran = tree.add(section(mode, inside.format(mode[0]))).check()
    assert ran.code == 3, ran.out
    assert "mm/mine.c:" in ran.err
    assert f"mine() not seen: {reason}" in ran.err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("DEFINE_FN(mine, {{ {begin}(); {end}(); }})\n", "in the arguments of DEFINE_FN()"),
        ("\tvoid mine(void)\n\t{{\n\t\t{begin}();\n\t}}\n", "in no definition that could be found"),
        (
            "void mine(p)\n\tvoid *p;\n{{\n\t{begin}();\n}}\n",
            "in no definition that could be found",
        ),
        ("struct ops ops = {{\n\t.begin = {begin},\n}};\n", "its address is taken"),
        ('#include "nowhere.h"\n{begin}();\n', "in no definition that could be found"),
    ],
)
def test_a_call_outside_every_function_that_was_found_is_not_clean(tree, mode, text, reason):
    """A place that the search finds and the analysis does not know."""
    begin, end = mode
    ran = tree.add(text.format(begin=begin, end=end)).check()
    assert ran.code == 3, ran.out
    assert f"not seen: {reason}" in ran.err


def test_a_file_that_no_makefile_builds_is_not_clean(tree, mode):
    """Nobody compiles it, and so nobody looked at it."""
    ran = tree.add(section(mode), built=False).check()
    assert ran.code == 3
    assert "mm/mine.c:10: mine() not seen: " in ran.err


def test_a_header_that_nothing_includes_is_walked_all_the_same(tree, mode):
    """It may be for a file that is built elsewhere."""
    head = "static inline void begin_it(struct mm_struct *mm, pte_t *p, pte_t pte)"
    text = f"{head}\n{{\n\t{mode[0]}();\n\tset_pte(p, pte);\n\tmm->seen++;\n}}\n"
    ran = tree.add(text, "mm/alone.h", built=False).check()
    assert ran.code == 1
    assert "mm/alone.h:6:1: hurts: begin_it(): returns with the lazy MMU mode on" in ran.out


def test_another_name_hides_nothing_where_nobody_uses_it_and_is_followed_where_one_does(tree, mode):
    """A name alone begins nothing; who begins by it, and does not end, is told."""
    assert tree.add(f"#define my_begin {mode[0]}\n", "mm/name.h", built=False).check().code == 0
    use = (
        '#include <linux/mm.h>\n#include "name.h"\nvoid f(struct mm_struct *mm)\n{\n\tmy_begin();\n'
    )
    ran = tree.add(f"{use}\tmm->seen++;\n\tset_pte(mm->p, mm->pte);\n}}\n", "mm/uses.c").check()
    assert ran.code == 1
    assert "f(): returns with the lazy MMU mode on" in ran.out


def test_a_body_that_is_included_is_not_clean(tree, mode):
    """Half a function in a file of its own, under any name."""
    tree.add(f"\t{mode[0]}();\n", "mm/body.inc", built=False)
    head = '#include <linux/mm.h>\n#include "body.inc"\n'
    ran = tree.add(section(mode).replace("#include <linux/mm.h>\n", head)).check()
    assert ran.code == 3
    assert "mm/body.inc:1: " in ran.err
    assert "not seen: in an included body" in ran.err


def test_a_word_that_a_spliced_line_cuts_is_found(tree, mode):
    """The compiler reads it whole, and so does the search."""
    cut = "".join(f"\t{call[:9]}\\\n{call[9:]}();\n" for call in mode)
    ran = tree.add(section(mode, f"\tkmalloc(8, GFP_KERNEL);\n{cut}")).check()
    assert ran.code == 1


def test_a_function_that_is_too_much_to_be_walked_is_not_clean(tree, mode):
    """Twenty-four conditions that belong together have more ways than anybody follows."""
    names = range(24)
    head = HEAD + "".join(f"\tint v{n} = g{n}();\n" for n in names)
    inside = "".join(f"\tif (v{n})\n\t\t{f}{n}();\n" for f in "hk" for n in names)
    ran = tree.add(section(mode, inside, head=head)).check()
    assert ran.code == 3
    assert "mine() not seen: more than" in ran.err


def test_what_lies_deep_below_a_section_is_found(tree, mode):
    """Thirty calls down, a function that begins a section of its own."""
    begin, end = mode
    args = "struct vm_area_struct *vma, unsigned long addr, pte_t *pte"
    deep = f"static void d30({args})\n{{\n\t{begin}();\n\t{begin}();\n\t{end}();\n}}\n"
    for n in reversed(range(30)):
        deep += f"static void d{n}({args})\n{{\n\td{n + 1}(vma, addr, pte);\n}}\n"
    ran = tree.add(deep + section(mode, "\td0(vma, addr, pte);\n")).check()
    assert ran.code == 1, ran.err


def test_findings_count_beside_a_loss(tree, mode):
    """What was found is found, whatever else was not seen."""
    tree.add(section(mode, "\tkmalloc(8, GFP_KERNEL);\n"))
    ran = tree.add(f"DEFINE_FN(x, {{ {mode[0]}(); }})\n", "mm/other.c").check()
    assert ran.code == 1
    assert "mm/other.c:1: " in ran.err


def test_nothing_is_said_with_confidence_of_what_was_not_read_in_full(tree, mode):
    """Half a function looks unbalanced, and that may be all that there is to it."""
    text = section(mode, "\tODD({ ((\n").replace(f"\t{mode[1]}();\n", "")
    ran = tree.add(text).check()
    assert (ran.code, ran.out) == (3, "")
    low = tree.check("--min-confidence", "low")
    assert low.code == 3 or "confidence low" in low.out


def test_a_loss_can_be_allowed(tree, mode):
    """By who knows better; it is still told."""
    ran = tree.add(section(mode), built=False).check("--allow-loss")
    assert ran.code == 0
    assert "not seen: " in ran.err


def test_a_loss_outside_the_paths_does_not_count(tree, mode):
    """Who asks for a directory is told of that directory."""
    tree.add(section(mode), built=False)
    assert tree.check("--path", "fs").code == 0
    assert tree.check("--path", "mm").code == 3


def test_a_loss_that_a_baseline_holds_is_old(tree, mode, run):
    """As a finding is; a second one of its kind is new."""
    tree.add(section(mode), built=False)
    again = tree.baseline.with_name("again.json")
    assert run("check", tree.top, "--no-cache", "--write-baseline", again).code == 0
    assert run("check", tree.top, "--no-cache", "--baseline", again).code == 0
    other = section(mode).replace("mine", "other")
    tree.add(section(mode) + other, built=False)
    ran = run("check", tree.top, "--no-cache", "--baseline", again)
    assert ran.code == 3
    assert "other() not seen" in ran.err
    assert "mine() not seen" not in ran.err


def test_an_architecture_without_a_row_is_checked_as_the_worst_case_and_said(tree):
    """What has the mode by its own Kconfig or headers is checked, known or not."""
    arch = tree.top / "arch" / "newmips"
    (arch / "include" / "asm").mkdir(parents=True)
    (arch / "Kconfig").write_text("config NEWMIPS\n\tdef_bool y\n\tselect ARCH_HAS_LAZY_MMU_MODE\n")
    (arch / "Makefile").write_text("")
    (arch / "Kbuild").write_text("")
    (arch / "include" / "asm" / "pgtable.h").write_text(
        "#define __HAVE_ARCH_ENTER_LAZY_MMU_MODE\n"
        "static inline void arch_enter_lazy_mmu_mode(void)\n{\n\tnm_begin();\n}\n"
        "static inline void arch_leave_lazy_mmu_mode(void)\n{\n\tnm_end();\n}\n"
        "static inline void arch_flush_lazy_mmu_mode(void)\n{\n\tnm_end();\n}\n"
        "#include <asm-generic/pgtable.h>\n"
    )
    ran = tree.run("check", tree.top, "--no-cache", "--arch", "newmips")
    assert "for newmips" in ran.err
    assert "newmips: not in the deferral table" in ran.err
    everywhere = tree.run("check", tree.top, "--no-cache")
    assert "newmips" in everywhere.err.splitlines()[0]


def test_an_architecture_that_has_the_mode_and_whose_hooks_are_not_found_is_not_clean(tree):
    """It selects the mode, and nothing of its headers could be read."""
    arch = tree.top / "arch" / "newmips"
    arch.mkdir()
    (arch / "Kconfig").write_text("config NEWMIPS\n\tdef_bool y\n\tselect ARCH_HAS_LAZY_MMU_MODE\n")
    ran = tree.check()
    assert ran.code == 3
    assert "arch/newmips: not seen: this architecture says that it has the mode" in ran.err


CALLBACK = """#include <linux/mm.h>
#include <linux/slab.h>

static int note(pte_t *pte, unsigned long addr, void *data)
{
	return kmalloc(8, GFP_KERNEL) == NULL;
}

int note_range(struct mm_struct *mm, unsigned long addr, unsigned long size)
{
	return apply_to_page_range(mm, addr, size, note, NULL);
}
"""


def test_a_callback_in_a_file_that_no_makefile_names_is_not_clean(tree):
    """Its file does not name the mode, and was not read all the same."""
    ran = tree.add(CALLBACK, built=False).check()
    assert ran.code == 3
    assert "mm/mine.c: not seen: not read, no Makefile names it" in ran.err


def test_a_callback_in_a_file_that_another_one_includes_is_that_ones(tree):
    """Whoever includes it decides whether it is built."""
    tree.add(CALLBACK, "mm/selftests/mine.c", built=False)
    text = '#include <linux/mm.h>\n#ifdef CONFIG_NOBODY_HAS\n#include "selftests/mine.c"\n#endif\n'
    assert tree.add(text, "mm/outer.c").check().code == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<<<<<<< a\n\t{}();\n=======\n>>>>>>> b\n", "conflict markers of a merge"),
        ("\t{}();\n\tx = " + "!" * 9000 + "y;\n", "nested more than 500 deep"),
    ],
)
def test_who_calls_what_could_not_be_read_is_not_clean(tree, mode, body, reason):
    """Neither half is told to miss the other: both are named, each with its reason."""
    begin, end = mode
    half = f"static void half(void)\n{{\n{body.format(begin)}}}\n"
    whole = f"void mine(void)\n{{\n\thalf();\n\t{end}();\n}}\n"
    ran = tree.add(f"#include <linux/mm.h>\n{half}{whole}").check()
    assert (ran.code, ran.out) == (3, "")
    assert f"half() not seen: {reason}" in ran.err
    assert "mine() not seen: calls half(), which could not be read" in ran.err


def test_an_architecture_that_has_the_mode_no_more_is_not_clean(tree):
    """It fell out of the list, whoever meant it to."""
    for header in (tree.top / "arch" / "powerpc" / "include").rglob("*hash.h"):
        header.write_text("/* nothing */\n")
    for kconfig in (tree.top / "arch" / "powerpc").rglob("Kconfig*"):
        text = kconfig.read_text()
        kconfig.write_text(text.replace("select ARCH_HAS_LAZY_MMU_MODE", "select NOTHING"))
    ran = tree.check()
    assert ran.code == 3
    assert "arch/powerpc: not seen: this architecture had the mode before" in ran.err
    assert tree.check("--arch", "x86").code == 0


def test_a_file_that_is_no_text_is_not_clean(tree):
    """Nobody can search it, and no compiler takes it."""
    file = tree.top / "mm" / "right_scan.c"
    file.write_bytes(file.read_text().encode("utf-16"))
    ran = tree.check()
    assert ran.code == 3
    assert "mm/right_scan.c: not seen: holds NUL bytes, so it is no C" in ran.err


def test_lines_that_end_with_a_carriage_return_are_lines(tree):
    """A patch that came by mail changes nothing by that."""
    for file in (*tree.top.rglob("*.c"), *tree.top.rglob("*.h")):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    ran = tree.check()
    assert (ran.code, ran.out) == (0, "")
