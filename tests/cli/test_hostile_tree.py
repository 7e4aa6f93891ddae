# SPDX-License-Identifier: GPL-2.0-or-later
"""One hostile function, file, Kconfig or Makefile never ends the whole check."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples" / "linux-new"
SECONDS = 240
"""What a slow machine may take for what takes a few seconds here."""

MEMORY = 1 << 30


def function(number: int, body: str) -> str:
    """A function that uses the mode around a hostile body."""
    return (
        f"static void hostile{number}(int a)\n{{\n\tlazy_mmu_mode_enable();\n\t{body}\n"
        "\tlazy_mmu_mode_disable();\n}\n"
    )


BODIES = (
    "a = " + " + ".join(["b"] * 8000) + ";",
    "a = " + "(" * 10_000 + "1" + ")" * 10_000 + ";",
    "{" * 10_000 + "g();" + "}" * 10_000,
    "a = " + "a ? g(1) : " * 5000 + "2;",
    "if (a)\n" * 5000 + "g();",
    "".join(f"if (a == {n}) g(); else " for n in range(5000)) + "g();",
    "g(" * 5000 + "a" + ")" * 5000 + ";",
    "if (a && b && g(c)) h();\n" * 5000,
    "a = " + "9" * 5000 + ";",
    "a = b;\n<<<<<<< HEAD\n\tb = a;\n=======\n\tb = b;\n>>>>>>> theirs\n",
    "\n".join(f"a{n} = a{n + 1};" for n in range(4000)) + "if (a0) g(); if (a0) g(); a4000 = g();",
)


def checked(tree: Path) -> tuple[int, dict[str, Any]]:
    """What the program says of a tree, within a bound of time and memory."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "lazymmu",
            "check",
            tree,
            "--arch",
            "x86",
            "--no-cache",
            "--format",
            "json",
        ],
        capture_output=True,
        timeout=SECONDS,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert b"Traceback" not in done.stderr
    assert b"internal error" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def causes(result: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Findings without their lines."""
    return {(f["rule"], f["file"], f["function"]) for f in result["findings"]}


def test_each_hostile_function_is_a_loss_and_the_rest_is_checked(tmp_path: Path) -> None:
    """The findings are those of the tree without it, and each reason is told."""
    tree = tmp_path / "tree"
    shutil.copytree(EXAMPLES, tree)
    _, before = checked(tree)
    with (tree / "mm/Makefile").open("a") as makefile:
        makefile.write("obj-y += hostile.o\n")
    text = "".join(function(number, body) for number, body in enumerate(BODIES))
    (tree / "mm/hostile.c").write_text(f"#include <linux/pgtable.h>\n{text}")
    _, after = checked(tree)
    assert causes(after) == causes(before)
    lost = {item["name"] for item in after["coverage"]["unparsed"]}
    assert {f"hostile{number}" for number in range(len(BODIES))} <= lost


def test_hostile_build_files_are_losses_and_the_rest_is_checked(tmp_path: Path) -> None:
    """Kconfig files, Makefiles and headers that grow without end, in one tree."""
    tree = tmp_path / "tree"
    shutil.copytree(EXAMPLES, tree)
    _, before = checked(tree)
    for name, text in {
        "mm/Kconfig": "\n" + "".join(f"if A{n}\n" for n in range(50_000)) + "endif\n" * 50_000,
        "mm/Makefile": "x := a\n" + "x := $(x)$(x)\n" * 100 + "ifeq (a,a)\n" * 50_000,
    }.items():
        with (tree / name).open("a") as file:
            file.write(text)
    (tree / "include/linux/hostile.h").write_text(
        "#include <linux/hostile.h>\n" * 20_000 + "#if " + "(" * 9000 + "1\n#endif\n"
    )
    with (tree / "include/linux/mm.h").open("a") as header:
        header.write("#include <linux/hostile.h>\n")
    _, after = checked(tree)
    assert causes(after) == causes(before)
    lost = {item["file"] for item in after["coverage"]["unparsed"]}
    assert {"mm/Kconfig", "mm/Makefile", "include/linux/hostile.h"} <= lost
