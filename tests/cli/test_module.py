# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu check FOLDER --kernel TREE`: a module out of tree, for a kernel that is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import lazymmu

from .conftest import Ran

Run = Callable[..., Ran]
KERNEL = Path(__file__).parents[2] / "examples/linux-new"

HEAD = "#include <linux/mm.h>\n#include <linux/slab.h>\n"
CALLBACK = """
static int {name}_note(pte_t *pte, unsigned long addr, void *data)
{{
\tvoid *note = kmalloc(16, {flags});

\treturn note ? 0 : -12;
}}

int {name}_range(struct mm_struct *mm, unsigned long addr, unsigned long size)
{{
\treturn apply_to_page_range(mm, addr, size, {name}_note, NULL);
}}
"""
PLAIN = "int {name}_plain(int x)\n{{\n\treturn x + 1;\n}}\n"


def sleeps(name: str) -> str:
    """A file whose callback sleeps."""
    return HEAD + CALLBACK.format(name=name, flags="GFP_KERNEL")


def module(tmp_path: Path, files: dict[str, str]) -> Path:
    """The folder of a module with these files."""
    folder = tmp_path / "mod"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def check(run: Run, folder: object, *more: str) -> Ran:
    """A check of the folder for the example's kernel, on one architecture."""
    return run("check", folder, "--kernel", KERNEL, "--no-cache", "--arch", "x86", *more)


IDIOM = """
ifneq ($(KERNELRELEASE),)
obj-m := both.o
both-y := a.o
else
KDIR ?= /lib/modules/$(shell uname -r)/build
default:
\t$(MAKE) -C $(KDIR) M=$$PWD
endif
"""
FORMS = {
    "obj-m": ({"Makefile": "obj-m += a.o\n"}, "a.c"),
    "Kbuild before Makefile": (
        {"Kbuild": "obj-m := a.o\n", "Makefile": "obj-m := none.o\n"},
        "a.c",
    ),
    "one Makefile with both halves": ({"Makefile": IDIOM}, "a.c"),
    "composite": ({"Makefile": "obj-m := all.o\nall-objs := one.o a.o\n", "one.c": HEAD}, "a.c"),
    "member in a subfolder": ({"Makefile": "obj-m := all.o\nall-y := src/a.o\n"}, "src/a.c"),
    "subfolder": ({"Makefile": "obj-m := deep/\n", "deep/Makefile": "obj-m := a.o\n"}, "deep/a.c"),
    "symbol of its own": ({"Makefile": "obj-$(CONFIG_OUR_DRIVER) += a.o\n"}, "a.c"),
    "symbol that it sets": ({"Makefile": "CONFIG_OURS := m\nobj-$(CONFIG_OURS) += a.o\n"}, "a.c"),
    "names of its sources": (
        {"Makefile": "obj-m := x.o\nx-y := $(patsubst $(src)/%.c,%.o,$(wildcard $(src)/a*.c))\n"},
        "a.c",
    ),
    "through $(M)": ({"Makefile": "include $(M)/list.mk\n", "list.mk": "obj-m := a.o\n"}, "a.c"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_callback_that_sleeps_is_found(run: Run, tmp_path: Path, form: str) -> None:
    """However the module is built, with the path as the folder was named."""
    files, source = FORMS[form]
    folder = module(tmp_path, {**files, source: sleeps("mine")})
    ran = check(run, folder)
    assert ran.code == 1, ran.err
    assert f"{folder}/{source}:6:" in ran.out
    assert "[sleep-in-section]" in ran.out
    assert "extmod" not in ran.out + ran.err


def test_only_the_modules_findings_are_told(run: Run, tmp_path: Path) -> None:
    """The kernel's own, of which the example has many, are not repeated."""
    folder = module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": sleeps("mine")})
    told = json.loads(check(run, folder, "--format", "json").out)
    assert [finding["function"] for finding in told["findings"]] == ["mine_note"]
    assert told["module"] == {"kernel": str(KERNEL), "sources": 1, "uses": True}
    assert told["tree"]["path"] == str(folder)


def test_headers_of_the_module_are_read(run: Run, tmp_path: Path) -> None:
    """Beside the source, and where -I$(src) says."""
    callback, _, caller = CALLBACK.format(name="mine", flags="OUR_FLAGS").partition(
        "int mine_range"
    )
    files = {
        "Makefile": "obj-m := a.o\nccflags-y := -I$(src)/include\n",
        "flags.h": "#define OUR_FLAGS GFP_KERNEL\n",
        "include/ours.h": callback,
        "a.c": f'{HEAD}#include "flags.h"\n#include <ours.h>\nint mine_range{caller}',
    }
    folder = module(tmp_path, files)
    ran = check(run, folder)
    assert ran.code == 1, ran.err
    assert f"{folder}/include/ours.h:4:15: " in ran.out


def test_a_right_module_is_clean(run: Run, tmp_path: Path) -> None:
    """It uses a taker, and its callback does nothing wrong there."""
    text = HEAD + CALLBACK.format(name="mine", flags="GFP_ATOMIC")
    ran = check(run, module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": text}))
    assert (ran.code, ran.out) == (0, "")


def test_a_module_that_has_nothing_to_do_with_the_mode_is_clean(run: Run, tmp_path: Path) -> None:
    """All of it was read, and the summary says so."""
    ran = check(
        run, module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": PLAIN.format(name="a")})
    )
    assert ran.code == 0
    assert "1 source file read: nothing uses the mode" in ran.err


@pytest.mark.parametrize("text", [sleeps("mine"), PLAIN.format(name="mine")])
@pytest.mark.parametrize(
    ("makefile", "reason"),
    [
        ("obj-m := other.o\n", "not read, because no Makefile names it"),
        ("ifndef CONFIG_X86\nobj-m := a.o\nendif\n", "not read, because CONFIG_X86 counts as on"),
        ("obj-m := $(shell ls *.o)\n", "Makefile:1 (not evaluated)"),
        (None, "Makefile could not be read"),
    ],
)
def test_what_no_makefile_builds_is_not_read(
    run: Run, tmp_path: Path, makefile: str | None, reason: str, text: str
) -> None:
    """It is named with the reason, and the module is not clean."""
    files = {"a.c": text} if makefile is None else {"a.c": text, "Makefile": makefile}
    folder = module(tmp_path, files)
    ran = check(run, folder)
    assert ran.code == 3
    assert f"{folder}/a.c: " in ran.err
    assert reason in ran.err
    assert "extmod" not in ran.err


def test_a_function_that_cannot_be_parsed_is_named(run: Run, tmp_path: Path) -> None:
    """Nothing is clean that was not understood."""
    text = "int broken(void)\n{\n\treturn ((((;\n\tif (else) }}\n}\n" + PLAIN.format(name="a")
    folder = module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": text})
    ran = check(run, folder)
    assert ran.code == 3
    assert f"{folder}/a.c:" in ran.err


def test_findings_count_beside_a_loss(run: Run, tmp_path: Path) -> None:
    """One file is wrong, the other not built."""
    files = {"Makefile": "obj-m := a.o\n", "a.c": sleeps("mine"), "b.c": sleeps("other")}
    folder = module(tmp_path, files)
    ran = check(run, folder)
    assert ran.code == 1
    assert "b.c: not seen: not read, because no Makefile names it" in ran.err


def test_the_fingerprint_does_not_rest_on_the_folders_name(run: Run, tmp_path: Path) -> None:
    """A baseline holds wherever the module is checked out."""
    prints = []
    for place in ("one", "two"):
        folder = module(tmp_path / place, {"Makefile": "obj-m := a.o\n", "a.c": sleeps("mine")})
        told = json.loads(check(run, folder, "--format", "json").out)
        prints.append([finding["fingerprint"] for finding in told["findings"]])
    assert prints[0] == prints[1] != []


def test_a_modules_own_sections_are_listed(run: Run, tmp_path: Path) -> None:
    """With --kernel `sections` lists the sections of the module itself."""
    text = HEAD + (
        "void ours(pte_t *ptep)\n{\n\tlazy_mmu_mode_enable();\n\tset_pte(ptep, __pte(0));\n"
        "\tlazy_mmu_mode_disable();\n}\n"
    )
    folder = module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": text})
    ran = run("sections", folder, "--kernel", KERNEL, "--no-cache", "--arch", "x86")
    assert ran.code == 0
    assert f"{folder}/a.c:3" in ran.out
    assert "mm/memory.c" not in ran.out


@pytest.mark.parametrize("verb", ["check", "sections"])
def test_a_module_without_a_kernel_is_refused(run: Run, tmp_path: Path, verb: str) -> None:
    """A module's folder without --kernel is refused, and the sentence names the option."""
    folder = module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": HEAD})
    ran = run(verb, folder)
    assert ran.code == 2
    assert "--kernel TREE" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("folder", "kernel", "said"),
    [
        ("empty", KERNEL, "has no .c file"),
        ("missing", KERNEL, "does not exist"),
        (KERNEL / "mm", KERNEL, "is part of the kernel tree"),
        ("mod", "mod", "not a kernel source tree"),
    ],
)
def test_what_is_no_module_or_no_kernel_is_refused(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: str | Path,
    kernel: str | Path,
    said: str,
) -> None:
    """A folder that is no module, or a kernel that is none, is one sentence and exit code 2."""
    module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": HEAD})
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    ran = run("check", folder, "--kernel", kernel, "--no-cache")
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_module_has_no_history(run: Run, tmp_path: Path) -> None:
    """--since and --diff are of trees."""
    folder = module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": HEAD})
    ran = check(run, folder, "--since", "HEAD")
    assert (ran.code, ran.out) == (2, "")


def test_the_library_takes_a_kernel(tmp_path: Path) -> None:
    """The library takes a module's kernel as `lazymmu.check(folder, kernel=tree)`."""
    folder = module(tmp_path, {"Makefile": "obj-m := a.o\n", "a.c": sleeps("mine")})
    result = lazymmu.check(folder, kernel=KERNEL, arches=["x86"])
    assert [finding.file for finding in result.findings] == [f"{folder}/a.c"]
    assert lazymmu.sections(folder, kernel=KERNEL, arches=["x86"]) == []
