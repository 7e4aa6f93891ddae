# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks kmax (github.com/paulgazz/kmax) when a Makefile builds an object, and reads what it says.

kmax answers in the language of SMT solvers, of which its answers use and, or, not and let over
options. It is asked where it is installed: it brings a solver of 160 MB.
"""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("makefiles.toml")
Tree = str | list["Tree"]


def tree(text: str) -> Tree:
    """The nested lists of one S-expression."""
    stack: list[list[Tree]] = [[]]
    for token in re.findall(r"[()]|\|[^|]*\||[^\s()]+", text):
        if token == "(":
            stack.append([])
        elif token == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    return stack[0][0]


def holds(condition: Tree, on: frozenset[str], known: Mapping[str, bool] | None = None) -> bool:
    """Whether a condition is true where these options are on; raises KeyError for other words."""
    known = known or {}
    if isinstance(condition, str):
        if condition in ("true", "false"):
            return condition == "true"
        return known.get(condition, condition in on)
    word, *rest = condition
    match word:
        case "and":
            return all(holds(part, on, known) for part in rest)
        case "or":
            return any(holds(part, on, known) for part in rest)
        case "not":
            return not holds(rest[0], on, known)
        case "let":
            named = {str(pair[0]): holds(pair[1], on, known) for pair in rest[0]}
            return holds(rest[1], on, {**known, **named})
    raise KeyError(str(word))


def text(condition: Tree) -> str:
    """One line of an S-expression."""
    if isinstance(condition, str):
        return condition
    return f"({' '.join(map(text, condition))})"


def ask(program: str, makefile: str) -> dict[str, str]:
    """When each object of a Makefile is built, by kmax."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "Makefile").write_text(makefile)
        done = subprocess.run(
            [program, "-B", "Makefile"], cwd=home, capture_output=True, check=True, timeout=120
        )
    found = {}
    for name, smt in pickle.loads(done.stdout).items():
        if name.endswith(".o") and "$" not in name:
            parts = [part for part in tree(f"({smt.partition(chr(10))[2]})") if part[0] == "assert"]
            asserted = [part[1] for part in parts]
            whole = asserted[0] if len(asserted) == 1 else ["and", *asserted]
            found[name] = text(whole) if asserted else "true"
    return dict(sorted(found.items()))


def read() -> list[dict[str, object]]:
    """The Makefiles, each with its name, its text, and when its objects are built."""
    return tomllib.loads(FILE.read_text())["makefile"]


def main() -> int:
    """Print the file anew."""
    program = shutil.which("kmax")
    if program is None:
        sys.stderr.write("kmax is not on PATH\n")
        return 2
    lines = FILE.read_text().partition("\n[[")[0].rstrip("\n").split("\n")
    for one in read():
        lines += ["", "[[makefile]]", f'name = "{one["name"]}"']
        lines += [f'kmax = "{one["kmax"]}"'] if "kmax" in one else []
        lines += ["text = '''", f"{one['text']}'''"]
        lines += ["[makefile.built]"]
        lines += [f'"{name}" = "{when}"' for name, when in ask(program, str(one["text"])).items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
