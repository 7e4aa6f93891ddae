# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about begin and end: one is gone, one is too many, a jump passes it by."""

from __future__ import annotations

from collections.abc import Iterator

from mutants.mutant import LEAKED, NESTED, OUTSIDE, SLEEP, UNBALANCED, Code, Mutant
from mutants.section import Section


def mistakes(section: Section) -> Iterator[Mutant]:
    """Every mistake about begin and end."""
    yield from _calls(section)
    yield from _jumps(section)
    yield from _pauses(section) if section.counted else _nests(section)


def _calls(section: Section) -> Iterator[Mutant]:
    for leave in section.leaves:
        yield Mutant("leave deleted", section, LEAKED | SLEEP, replace=((leave, ""),))
    last = section.leaves[-1]
    yield Mutant("left twice", section, UNBALANCED, insert=((last, f"{section.leave}();"),))
    yield Mutant(
        "begun twice", section, UNBALANCED, insert=((section.after, f"{section.begin}();"),)
    )
    text = f"if (planted_flag)\n\t{section.begin}();"
    yield Mutant(
        "begun under a condition", section, UNBALANCED, replace=((section.begins[0], text),)
    )
    text = f"if (planted_flag)\n\t{section.leave}();"
    yield Mutant("left under a condition", section, LEAKED, replace=((last, text),))


def _jumps(section: Section) -> Iterator[Mutant]:
    after = section.after
    leaves = f"return{section.value};"
    yield Mutant(
        "returns after the begin",
        section,
        LEAKED,
        insert=((after, f"if (planted_flag)\n\t{leaves}"),),
    )
    loop = section.loop
    if loop is None:
        return
    freed = f"\t{section.text(section.unlock)}\n" if section.unlock else ""
    yield Mutant(
        "returns from the loop",
        section,
        LEAKED,
        insert=((loop, f"if (planted_flag) {{\n{freed}\t{leaves}\n}}"),),
    )
    macro = (
        "#define BAIL_IF_m@(cond, value) do {\t\\\n\tif (cond)\t\t\t\\\n"
        f"\t\treturn{' value' if section.value else ''};\t\t\\\n}} while (0)\n"
    )
    call = ((loop, "BAIL_IF_m@(planted_flag, 0);"),)
    yield Mutant("returns in a macro of the file", section, LEAKED, insert=call, code=Code(macro))
    yield Mutant(
        "returns in a macro of a header", section, LEAKED, insert=call, code=Code(header=macro)
    )
    bare = f"#define BAIL_m@\treturn{section.value}\n"
    text = "if (planted_flag)\n\tBAIL_m@;"
    yield Mutant(
        "returns in an object-like macro", section, LEAKED, insert=((loop, text),), code=Code(bare)
    )
    if section.unlock:
        jump = "#define JUMP_IF_m@(cond) do { if (cond) goto past_m@; } while (0)\n"
        label = (section.unlock + 1, "past_m@:\n\tcpu_relax();")
        past = (loop, "if (planted_flag)\n\tgoto past_m@;")
        yield Mutant("goto past the leave", section, LEAKED, insert=(past, label))
        past = (loop, "JUMP_IF_m@(planted_flag);")
        yield Mutant("goto in a macro", section, LEAKED, insert=(past, label), code=Code(jump))
    again = f"while (planted_flag) {{\n\t{section.begin}();\n\t%s\n\t{section.leave}();\n}}"
    place = section.leaves[-1] + 1
    text = again % "if (planted_flag > 1)\n\t\tbreak;"
    yield Mutant("break past the leave", section, LEAKED, insert=((place, text),))
    stop = "#define STOP_IF_m@(cond)\tif (cond) break\n"
    text = again % "STOP_IF_m@(planted_flag > 1);"
    yield Mutant("break in a macro", section, LEAKED, insert=((place, text),), code=Code(stop))
    text = again % "if (planted_flag > 1)\n\t\tcontinue;"
    yield Mutant("continue past the leave", section, LEAKED, insert=((place, text),))
    text = "if (planted_flag)\n\tgoto again_m@;"
    label = (section.begins[0], "again_m@:\n\tcpu_relax();")
    yield Mutant("goto before the begin", section, LEAKED, insert=((loop, text), label))


def _pauses(section: Section) -> Iterator[Mutant]:
    rules = frozenset({"unbalanced-pause", "unbalanced-section"})
    last = section.leaves[-1]
    pause, resume = "lazy_mmu_mode_pause();", "lazy_mmu_mode_resume();"
    yield Mutant("pauses for good", section, rules, insert=((section.after, pause),))
    yield Mutant("resumes unpaused", section, rules, insert=((last, resume),))
    text = f"{pause}\nif (planted_flag)\n\treturn{section.value};\n{resume}"
    yield Mutant("returns while paused", section, rules, insert=((section.after, text),))
    near = (
        f"static void scan_rest_m@(void)\n{{\n\t{pause}\n\tif (planted_flag)\n\t\treturn;\n"
        f"\t{resume}\n}}\n"
    )
    text = "scan_rest_m@();"
    yield Mutant(
        "pauses for good in a helper", section, rules, insert=((last, text),), code=Code(near)
    )


def _nests(section: Section) -> Iterator[Mutant]:
    begin, leave = section.begin, section.leave
    pair = f"{begin}();\n\t{leave}();"

    def plant(kind: str, text: str, *, near: str = "", header: str = "", far: str = "") -> Mutant:
        edits = ((section.after, text),)
        return Mutant(kind, section, NESTED, insert=edits, code=Code(near, header, far))

    yield plant("nests", pair.replace("\t", ""))
    inner = f"static noinline void scan_m@(void)\n{{\n\t{pair}\n}}\n"
    yield plant("nests in a helper", "scan_m@();", near=inner)
    yield plant(
        "nests in a helper of a header", "scan_m@();", header=inner.replace("noinline", "inline")
    )
    macro = f"#define scan_m@() \\\n\tdo {{ {begin}(); {leave}(); }} while (0)\n"
    yield plant("nests in a macro", "scan_m@();", near=macro)
    far = f"void scan_m@(void)\n{{\n\t{pair}\n}}\n"
    yield plant("nests in another file", "scan_m@();", near="void scan_m@(void);\n", far=far)
    table = inner + (
        "\nstruct ops_m@ {\n\tvoid (*scan)(void);\n};\n\n"
        "static const struct ops_m@ ops_m@ = {\n\t.scan = scan_m@,\n};\n"
    )
    yield plant("nests behind a const table", "ops_m@.scan();", near=table)
    deep = (
        f"static void scan_m@(int depth)\n{{\n\tif (depth > 0) {{\n\t\tscan_m@(depth - 1);\n"
        f"\t\treturn;\n\t}}\n\t{pair}\n}}\n"
    )
    yield plant("nests behind a recursion", "scan_m@(planted_flag);", near=deep)
    twice = (
        "static int scan_m@(int depth);\n\nstatic int scan_lower_m@(int depth)\n{\n"
        f"\treturn scan_m@(depth - 1);\n}}\n\nstatic int scan_m@(int depth)\n{{\n\t{begin}();\n"
        f"\tif (depth > 0)\n\t\tscan_lower_m@(depth);\n\t{leave}();\n\treturn 0;\n}}\n"
    )
    place = ((section.leaves[-1] + 1, "scan_m@(planted_flag);"),)
    rules = NESTED | OUTSIDE
    yield Mutant("nests by calling itself", section, rules, insert=place, code=Code(twice))
