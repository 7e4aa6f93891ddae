# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers: imports point down, and no reader imports another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "lazymmu"

ALLOWED = {
    "contract": {"contract"},
    "kernelc": {"kernelc"},
    "machine": {"machine", "contract"},
    "explore": {"explore"},
    "ftrace": {"ftrace", "contract"},
    "litmus": {"litmus", "witness", "machine", "explore", "contract"},
    "witness": {"contract"},
    "witness.source": {"witness.source", "witness.finding", "kernelc", "contract"},
    "witness.trace": {"witness.trace", "witness.finding", "ftrace", "contract"},
    # A counterexample is told as a trace, and the trace's witness asked what it says of it.
    "witness.machine": {
        "witness.machine",
        "witness.trace",
        "machine",
        "explore",
        "ftrace",
        "contract",
    },
    "report": {
        "report",
        "witness.finding",
        "witness.machine.verdict",
        "witness.trace.finding",
        "witness.trace.tally",
        "witness.trace.groups",
        "witness.trace.spread",
        "litmus",
        "contract",
    },
    "cli": {"cli", "report", "litmus", "witness", "kernelc", "explore", "ftrace", "contract", ""},
    # The package itself, which the library's user imports, and `python -m lazymmu`.
    "__init__": {"witness"},
    "__main__": {"cli"},
    "terminal": set(),
    "inputs": set(),
    "interrupt": set(),
}
"""What a part of the package may import of it; "" is the package itself (`lazymmu.check`)."""

LEAVES = {"terminal", "inputs", "interrupt"}
"""What every part may import: to show a stranger's text, to open what a user names, Ctrl-C."""

MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def part(module: str) -> str:
    """`witness.finding` or the like of a dotted name inside the package."""
    return module.partition(".")[2]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything of ours that a module imports, also inside functions."""
    package = ["lazymmu", *path.relative_to(SOURCE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
            for alias in node.names:
                # `from lazymmu.witness import finding` imports a module; `... import Finding` not.
                whole = f"{base}.{alias.name}"
                there = SOURCE.parent.joinpath(*whole.split("."))
                is_module = there.is_dir() or there.with_suffix(".py").is_file()
                yield node.lineno, whole if is_module else base


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_what_is_below_it(module):
    """A contract that knew its readers, or a reader that knew a rule, could not be shared."""
    inner = ".".join(module.parts[:2])
    allowed = ALLOWED.get(inner, ALLOWED[module.parts[0].removesuffix(".py")])
    allowed = allowed if module.name.removesuffix(".py") in LEAVES else allowed | LEAVES
    wrong = [
        f"{module}:{line} imports {name}"
        for line, name in imported(SOURCE / module)
        if name.split(".")[0] == "lazymmu"
        and not any(
            part(name) == one or (one and part(name).startswith(f"{one}.")) for one in allowed
        )
    ]
    assert wrong == []


def test_the_check_sees_every_form_of_import(tmp_path):
    """A test that reads imports is worth what it recognises."""
    seen = set()
    for path in (SOURCE / "cli" / "check.py", SOURCE / "__init__.py", SOURCE / "__main__.py"):
        seen |= {name for _, name in imported(path)}
    assert {"lazymmu.cli.before", "lazymmu.witness.source.check", "lazymmu.cli", "lazymmu"} <= seen
