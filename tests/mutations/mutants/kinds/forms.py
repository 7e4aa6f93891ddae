# SPDX-License-Identifier: GPL-2.0-or-later
"""Other ways to write the begin and the end of a section: helpers, macros, pointers, guards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mutants.mutant import Code, Edit
from mutants.section import Section


@dataclass(frozen=True, slots=True)
class Form:
    """A pair that begins and ends a section: how it is called, and where it is defined.

    once: what stands in the function's outermost block, behind its opening brace.
    """

    name: str
    begin: str
    end: str
    code: Code
    once: str = ""


def forms(section: Section) -> Iterator[Form]:
    """Every form for one section."""
    yield from _macros(section)
    yield from _helpers(section)
    yield from _handed(section)
    yield from _counting(section)
    yield from _pointers(section)
    yield from _static_calls(section)
    yield from _api(section)


def _api(section: Section) -> Iterator[Form]:
    """As the series for s390 has it: a begin that is told for which entries, and counts."""
    if not section.counted:
        return
    given = "struct mm_struct *mm, unsigned long addr, unsigned long end"
    used = f"{section.mm or 'NULL'}, {section.address}, {section.address} + PAGE_SIZE"
    yield Form(
        "a begin of the API with arguments",
        f"lazy_mmu_mode_enable_for_m@({used});",
        f"{section.leave}();",
        Code(
            api=f"static inline void lazy_mmu_mode_enable_for_m@({given})\n{{\n"
            "\tstruct lazy_mmu_state *state = &current->lazy_mmu_state;\n\n"
            "\tif (in_interrupt() || state->pause_count > 0)\n\t\treturn;\n"
            "\tstate->enable_count++;\n\tif (state->enable_count == 1)\n"
            "\t\tarch_enter_lazy_mmu_mode();\n}\n"
        ),
    )


def _macros(section: Section) -> Iterator[Form]:
    begin, leave = section.begin, section.leave
    like = f"#define scan_begin_m@()\t{begin}()\n#define scan_end_m@()\t{leave}()\n"
    alias = f"#define scan_begin_m@\t{begin}\n#define scan_end_m@\t{leave}\n"
    block = (
        f"#define scan_begin_m@()\tdo {{ {begin}(); }} while (0)\n"
        f"#define scan_end_m@() \\\n\tdo {{ \\\n\t\t{leave}(); \\\n\t}} while (0)\n"
    )
    calls = ("scan_begin_m@();", "scan_end_m@();")
    yield Form("a function-like macro", *calls, Code(like))
    yield Form("an object-like macro", *calls, Code(alias))
    yield Form("a do-while macro", *calls, Code(block))
    yield Form("a function-like macro of a header", *calls, Code(header=like))
    yield Form("an object-like macro of a header", *calls, Code(header=alias))
    both = f"#define scan_begin_m@(lock)\t{begin}()\n" + (
        f"#define scan_end_m@(lock) \\\n\tdo {{ \\\n\t\t{leave}(); \\\n"
        "\t\tcpu_relax(); \\\n\t} while (0)\n"
    )
    yield Form("a macro with an argument", "scan_begin_m@(1);", "scan_end_m@(1);", Code(both))


def _helpers(section: Section) -> Iterator[Form]:
    begin, leave = section.begin, section.leave
    plain = (
        f"static inline void scan_begin_m@(void)\n{{\n\t{begin}();\n}}\n\n"
        f"static inline void scan_end_m@(void)\n{{\n\t{leave}();\n}}\n"
    )
    calls = ("scan_begin_m@();", "scan_end_m@();")
    yield Form("helpers of the file", *calls, Code(plain))
    yield Form("helpers of a header", *calls, Code(header=plain))
    deep = plain + (
        "\nstatic inline void scan_start_m@(void)\n{\n\tscan_begin_m@();\n}\n\n"
        "static inline void scan_stop_m@(void)\n{\n\tscan_end_m@();\n}\n"
    )
    yield Form("helpers of helpers", "scan_start_m@();", "scan_stop_m@();", Code(deep))
    given = "struct mm_struct *mm, unsigned long addr, unsigned long end"
    used = f"{section.mm or 'NULL'}, {section.address}, {section.address} + PAGE_SIZE"
    yield Form(
        "helpers of a header with arguments",
        f"scan_begin_m@({used});",
        f"scan_end_m@({used});",
        Code(
            header=f"static inline void scan_begin_m@({given})\n{{\n\tif (addr < end)\n"
            f"\t\tprefetch(mm);\n\t{begin}();\n}}\n\n"
            f"static inline void scan_end_m@({given})\n{{\n\t{leave}();\n}}\n"
        ),
    )
    yield Form(
        "helpers of another file",
        *calls,
        Code(
            "void scan_begin_m@(void);\nvoid scan_end_m@(void);\n",
            far=f"void scan_begin_m@(void)\n{{\n\t{begin}();\n}}\n\n"
            f"void scan_end_m@(void)\n{{\n\t{leave}();\n}}\n",
        ),
    )


def _handed(section: Section) -> Iterator[Form]:
    """The API handed to a helper that calls what it is given."""
    helper = "static void scan_call_m@(void (*fn)(void))\n{\n\tfn();\n}\n"
    yield Form(
        "functions that are handed to a helper",
        f"scan_call_m@({section.begin});",
        f"scan_call_m@({section.leave});",
        Code(helper),
    )


def _counting(section: Section) -> Iterator[Form]:
    begin, leave = section.begin, section.leave
    yield Form(
        "a wrapper that counts",
        "scan_begin_m@(&scan_m@);",
        "scan_end_m@(&scan_m@);",
        Code(
            header="struct scan_m@ {\n\tunsigned int depth;\n};\n\n"
            "static inline void scan_begin_m@(struct scan_m@ *scan)\n{\n"
            f"\tif (scan->depth++ == 0)\n\t\t{begin}();\n}}\n\n"
            "static inline void scan_end_m@(struct scan_m@ *scan)\n{\n"
            f"\tif (--scan->depth == 0)\n\t\t{leave}();\n}}\n"
        ),
        "struct scan_m@ scan_m@ = { .depth = 0 };",
    )


def _pointers(section: Section) -> Iterator[Form]:
    begin, leave = section.begin, section.leave
    pair = (
        f"static void scan_on_m@(void)\n{{\n\t{begin}();\n}}\n\n"
        f"static void scan_off_m@(void)\n{{\n\t{leave}();\n}}\n\n"
    )
    yield Form(
        "constant function pointers",
        "scan_begin_m@();",
        "scan_end_m@();",
        Code(
            pair + "static void (*const scan_begin_m@)(void) = scan_on_m@;\n"
            "static void (*const scan_end_m@)(void) = scan_off_m@;\n"
        ),
    )
    yield Form(
        "a constant table",
        "scan_ops_m@.begin();",
        "scan_ops_m@.end();",
        Code(
            f"struct scan_ops_m@ {{\n\tvoid (*begin)(void);\n\tvoid (*end)(void);\n}};\n\n{pair}"
            "static const struct scan_ops_m@ scan_ops_m@ = {\n\t.begin = scan_on_m@,\n"
            "\t.end = scan_off_m@,\n};\n"
        ),
    )


def _static_calls(section: Section) -> Iterator[Form]:
    """By static calls whose keys the file defines."""
    begin, leave = section.begin, section.leave
    include = "#include <linux/static_call.h>\n\n"
    yield Form(
        "static calls",
        "static_call(scan_begin_m@)();",
        "static_call(scan_end_m@)();",
        Code(
            f"{include}static void scan_on_m@(void)\n{{\n\t{begin}();\n}}\n\n"
            f"static void scan_off_m@(void)\n{{\n\t{leave}();\n}}\n\n"
            "DEFINE_STATIC_CALL(scan_begin_m@, scan_on_m@);\n"
            "DEFINE_STATIC_CALL(scan_end_m@, scan_off_m@);\n"
        ),
    )
    yield Form(
        "static calls of the API",
        "static_call(scan_begin_m@)();",
        "static_call_cond(scan_end_m@)();",
        Code(
            f"{include}DEFINE_STATIC_CALL(scan_begin_m@, {begin});\n"
            f"DEFINE_STATIC_CALL(scan_end_m@, {leave});\n"
        ),
    )


@dataclass(frozen=True, slots=True)
class Block:
    """A way to make a section of a block: what opens it, and where that is defined.

    whole: what begins one that ends with the function, as a statement.
    """

    name: str
    opens: str
    whole: str
    near: str


def blocks(section: Section) -> Iterator[Block]:
    """Every way for one section, of guards those that the tree has."""
    yield from (b for b in _guards(section) if b.name.removesuffix("()") in section.guards)
    yield from _cleanups(section)


_INCLUDE = "#include <linux/cleanup.h>\n\n"


def _guards(section: Section) -> Iterator[Block]:
    begin, leave = section.begin, section.leave
    yield Block(
        "DEFINE_LOCK_GUARD_0()",
        "scoped_guard(scan_m@) {",
        "guard(scan_m@)();",
        _INCLUDE + f"DEFINE_LOCK_GUARD_0(scan_m@, {begin}(), {leave}())\n",
    )
    yield Block(
        "DEFINE_GUARD()",
        f"scoped_guard(scan_m@, {_owner(section)}) {{",
        f"guard(scan_m@)({_owner(section)});",
        _INCLUDE + f"DEFINE_GUARD(scan_m@, struct mm_struct *, {begin}(), {leave}())\n",
    )


def _cleanups(section: Section) -> Iterator[Block]:
    begin, leave = section.begin, section.leave
    end = f"static inline void scan_end_m@(int *on)\n{{\n\t{leave}();\n}}\n"
    yield Block(
        "__cleanup()",
        f"{{\n\tint scan_m@ __cleanup(scan_end_m@) = 0;\n\n\t{begin}();",
        f"int scan_m@ __cleanup(scan_end_m@) = 0;\n\n{begin}();",
        _INCLUDE + end,
    )
    yield Block(
        "__attribute__((cleanup))",
        f"{{\n\tint scan_m@ __attribute__((cleanup(scan_end_m@)));\n\n\t{begin}();",
        f"int scan_m@ __attribute__((cleanup(scan_end_m@)));\n\n{begin}();",
        end,
    )


def is_form(kind: str) -> bool:
    """Whether a kind of right code is a section in another form, and nothing else."""
    words = (
        "a function-like",
        "an object-like",
        "a do-while",
        "a macro",
        "a wrapper",
        "helpers",
        "a begin",
        "static calls",
    )
    return kind.startswith(
        tuple(f"right: {word}" for word in (*words, "constant", "a constant", "DEFINE_", "__"))
    )


def _owner(section: Section) -> str:
    return section.mm or "&init_mm"


def written(section: Section, form: Form) -> tuple[tuple[Edit, ...], tuple[Edit, ...]]:
    """Begins and ends of a section in another form: lines replaced, and lines inserted."""
    replaced = [(line, form.begin) for line in section.begins]
    replaced += [(line, form.end) for line in section.leaves]
    first = section.function.first + 1
    return tuple(replaced), (((first, form.once),) if form.once else ())
