# SPDX-License-Identifier: GPL-2.0-or-later
"""The walk of headers: overrides, guards, and where a header is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lazymmu.kernelc.arch_profile import Profile
from lazymmu.kernelc.config.kconfig import Config
from lazymmu.kernelc.preprocess.headers import Headers
from lazymmu.snapshot.tree import Tree
from tests.kernelc import seen

Grow = Callable[[dict[str, str | bytes]], Path]
CONFIG = Config(["ON"], ["FREE"], {"LEVELS": 4})


def walked(grow: Grow, files: dict[str, str], *roots: str, **builtins: str) -> Headers:
    """Walk the headers of a small tree from its .c files."""
    tree = Tree.open(grow(dict(files)))
    profile = Profile("toy", "a toy", "toy", builtins=builtins)
    return seen.walked(tree, profile, CONFIG, roots or [rel for rel in files if rel.endswith(".c")])


def live(headers: Headers, rel: str) -> list[bytes]:
    """The words of a file that are compiled and are no directives."""
    return seen.left(headers.tree.read(rel), headers.selection(rel))


def guarded(name: str, text: str) -> str:
    """A header with an include guard."""
    return f"#ifndef {name}\n#define {name}\n{text}\n#endif\n"


GENERIC = guarded(
    "_LINUX_PGTABLE_H",
    "#include <asm/pgtable.h>\n#ifndef set_many\nstatic inline void set_many(void) { generic(); }\n"
    "#endif\n#define set_one(x) set_many()",
)


def test_an_architecture_overrides_by_defining(grow: Grow) -> None:
    """`#define name name` in the architecture's header switches the generic one off."""
    headers = walked(
        grow,
        {
            "mm/a.c": "#include <linux/pgtable.h>\n",
            "include/linux/pgtable.h": GENERIC,
            "arch/toy/include/asm/pgtable.h": guarded(
                "_ASM_H", "void set_many(void);\n#define set_many set_many"
            ),
        },
    )
    assert headers.files == ("include/linux/pgtable.h", "arch/toy/include/asm/pgtable.h")
    assert b"generic();" not in live(headers, "include/linux/pgtable.h")
    where = headers.macros.where("set_many")
    assert where is not None
    assert where[0] == "arch/toy/include/asm/pgtable.h"


def test_without_an_override_the_generic_definition_lives(grow: Grow) -> None:
    """What the architecture does not define comes from the generic header."""
    headers = walked(
        grow,
        {
            "mm/a.c": "#include <linux/pgtable.h>\n",
            "include/linux/pgtable.h": GENERIC,
            "include/asm-generic/pgtable.h": "",
        },
    )
    assert headers.files == ("include/linux/pgtable.h", "include/asm-generic/pgtable.h")
    assert b"generic();" in live(headers, "include/linux/pgtable.h")


def test_an_include_guard_is_no_override(grow: Grow) -> None:
    """A guarded header that is included again stays as its first inclusion left it."""
    headers = walked(
        grow,
        {
            "mm/a.c": '#include <linux/a.h>\n#include "../include/linux/a.h"\n',
            "include/linux/a.h": guarded("_A_H", "int alive;\n#include <linux/b.h>"),
            "include/linux/b.h": guarded("_B_H", "#include <linux/a.h>\nint too;"),
        },
    )
    assert live(headers, "include/linux/a.h") == [b"int", b"alive;"]
    assert live(headers, "include/linux/b.h") == [b"int", b"too;"]


def test_a_header_without_guard_lives_in_either_inclusion(grow: Grow) -> None:
    """What is compiled in one of several inclusions is compiled."""
    headers = walked(
        grow,
        {
            "mm/a.c": "#include <linux/first.h>\n#include <linux/x.h>\n",
            "include/linux/first.h": "#define FIRST\n#include <linux/x.h>\n#undef FIRST\n",
            "include/linux/x.h": "#ifdef FIRST\nint one;\n#else\nint two;\n#endif\n"
            "#if 0\nno\n#endif\n",
        },
    )
    assert live(headers, "include/linux/x.h") == [b"int", b"one;", b"int", b"two;"]


def test_the_compiler_chooses_between_machines_of_one_directory(grow: Grow) -> None:
    """The header of the other MMU is never entered (arch/sparc/include/asm/pgtable.h)."""
    files = {
        "mm/a.c": "#include <asm/pgtable.h>\n",
        "arch/toy/include/asm/pgtable.h": "#if defined(__toy__) && defined(__arch64__)\n"
        "#include <asm/pgtable_64.h>\n#else\n#include <asm/pgtable_32.h>\n#endif\n",
        "arch/toy/include/asm/pgtable_64.h": "",
        "arch/toy/include/asm/pgtable_32.h": "",
    }
    wide = walked(grow, files, __toy__="1", __arch64__="1")
    assert wide.files[1:] == ("arch/toy/include/asm/pgtable_64.h",)
    assert walked(grow, files).files[1:] == ("arch/toy/include/asm/pgtable_32.h",)


def test_headers_are_looked_for_where_the_kernel_looks(grow: Grow) -> None:
    """Beside the file, then arch, include, uapi, and asm-generic for what asm lacks."""
    headers = walked(
        grow,
        {
            "mm/a.c": '#include "internal.h"\n#include <asm/a.h>\n#include <asm/b.h>\n'
            "#include <asm/c.h>\n#include <linux/d.h>\n#define WHERE <linux/e.h>\n"
            "#include <linux/f.h>\n#include <generated/g.h>\n",
            "mm/internal.h": "",
            "arch/toy/include/asm/a.h": "",
            "include/asm-generic/a.h": "",
            "arch/toy/include/uapi/asm/b.h": "",
            "include/uapi/asm-generic/c.h": "",
            "include/uapi/linux/d.h": "",
            "include/linux/e.h": "",
            "include/linux/f.h": "#define WHERE <linux/e.h>\n#include WHERE\n",
        },
    )
    assert headers.files == (
        "mm/internal.h",
        "arch/toy/include/asm/a.h",
        "arch/toy/include/uapi/asm/b.h",
        "include/uapi/asm-generic/c.h",
        "include/uapi/linux/d.h",
        "include/linux/f.h",
        "include/linux/e.h",
    )
    assert headers.missing == {"<generated/g.h>": "mm/a.c"}


def test_an_include_cannot_leave_the_tree(grow: Grow) -> None:
    """A path out of the tree is a header that is missing."""
    path = "../" * 30 + "etc/passwd"
    headers = walked(grow, {"mm/a.c": f'#include "{path}"\n#include <{path}>\n'})
    assert headers.files == ()
    assert set(headers.missing) == {f'"{path}"', f"<{path}>"}


def test_a_source_file_keeps_its_defines_to_itself(grow: Grow) -> None:
    """What one .c file defines or undefines is seen in that file only."""
    headers = walked(
        grow,
        {
            "mm/a.c": "#undef CONFIG_ON\n#define MINE\n#include <linux/x.h>\n"
            "#ifdef MINE\nint mine;\n#endif\n#ifdef CONFIG_ON\nint on;\n#endif\n",
            "mm/b.c": "#include <linux/x.h>\n#ifdef MINE\nint mine;\n#endif\n"
            "#ifdef CONFIG_ON\nint on;\n#endif\n",
            "include/linux/x.h": "#ifdef MINE\nint x;\n#endif\n#ifdef CONFIG_ON\nint y;\n#endif\n",
        },
    )
    assert live(headers, "mm/a.c") == [b"int", b"mine;"]
    assert live(headers, "mm/b.c") == [b"int", b"on;"]
    assert live(headers, "include/linux/x.h") == [b"int", b"y;"]


def test_a_local_header_changes_the_world_for_its_own_files_only(grow: Grow) -> None:
    """Boot code's headers redefine what others use (arch/x86/boot/compressed/misc.h)."""
    headers = walked(
        grow,
        {
            "arch/toy/boot/a.c": '#include <linux/x.h>\n#include "misc.h"\n'
            "#if LIMIT == 1 && !defined(CONFIG_ON)\nint boot;\n#endif\n",
            "mm/b.c": "#include <linux/x.h>\n#include <linux/y.h>\n"
            "#if LIMIT == 2 && defined(CONFIG_ON)\nint kernel;\n#endif\n",
            "arch/toy/boot/misc.h": guarded(
                "_MISC", "#undef LIMIT\n#define LIMIT 1\n#undef CONFIG_ON"
            ),
            "include/linux/x.h": guarded("_X", "#define LIMIT 2"),
            "include/linux/y.h": guarded("_Y", "#ifdef CONFIG_ON\nint y;\n#endif"),
        },
    )
    assert live(headers, "arch/toy/boot/a.c") == [b"int", b"boot;"]
    assert live(headers, "mm/b.c") == [b"int", b"kernel;"]
    assert live(headers, "include/linux/y.h") == [b"int", b"y;"]


def test_headers_that_include_each_other_forever_end(grow: Grow) -> None:
    """A header without guard that includes itself is left after a while."""
    headers = walked(
        grow,
        {
            "mm/a.c": "#include <linux/x.h>\n#include <linux/y.h>\n",
            "include/linux/x.h": "#include <linux/x.h>\n",
            "include/linux/y.h": "",
        },
    )
    assert headers.files == ("include/linux/x.h", "include/linux/y.h")


def test_a_file_reaches_what_its_headers_include(grow: Grow) -> None:
    """Also through headers that another file had included before."""
    headers = walked(
        grow,
        {
            "mm/a.c": '#include "x.h"\n',
            "mm/b.c": "#include <linux/y.h>\n",
            "mm/x.h": guarded("_X", "#include <linux/y.h>"),
            "include/linux/y.h": guarded("_Y", "#include <linux/z.h>"),
            "include/linux/z.h": "",
        },
    )
    assert headers.inclusions.has("mm/a.c", "mm/x.h")
    assert headers.inclusions.has("mm/a.c", "include/linux/z.h")
    assert not headers.inclusions.has("mm/b.c", "mm/x.h")
    assert headers.inclusions.has("mm/b.c", "include/linux/z.h")


def test_a_file_of_another_member_of_a_choice_is_read_with_that_one(grow: Grow) -> None:
    """The symbols that a file's build assumes hold for that file alone."""
    headers = walked(grow, {"mm/a.c": "", "mm/b.c": ""})
    headers.assumed["mm/a.c"] = {"OTHER": True, "ON": False}
    found = {
        rel: [headers.table(rel).defined(f"CONFIG_{name}")[0] for name in ("ON", "OTHER")]
        for rel in ("mm/a.c", "mm/b.c")
    }
    assert found == {"mm/a.c": [False, True], "mm/b.c": [True, False]}
