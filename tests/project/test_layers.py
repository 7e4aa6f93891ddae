# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers: imports point down, and no reader imports another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "lazymmu"

LEAVES = frozenset(
    {
        "garbage_collection",
        "inputs",
        "interrupt",
        "json_text",
        "one_stack",
        "problem",
        "processes",
        "terminal",
        "version",
    }
)
"""What every part may import: when Python looks for garbage, to open what a user names, Ctrl-C,
JSON, where Python's frames lie, the exception that tells the user what to mend, other processes, to
show a stranger's text, and which version this is."""

CONFIG_AND_TEXT = {"kernelc.arch_profile", "kernelc.presence", "snapshot"}
SOURCE_READERS = {"witness.finding", "kernelc", "snapshot", "contract"}

ALLOWED = {
    "contract": {"contract"},
    "snapshot": {"snapshot"},
    "machine": {"machine", "contract"},
    "explore": {"explore"},
    "ftrace": {"ftrace", "contract"},
    "image": {"image"},
    "tracing": {"tracing", "image", "ftrace"},
    "lab": {"lab", "ftrace.streams"},
    "timing": {"timing"},
    # Kernel C: each room from what is below it, and what puts the rooms together above them.
    "kernelc.preprocess": {"kernelc.preprocess", *CONFIG_AND_TEXT},
    "kernelc.config": {"kernelc.config", *CONFIG_AND_TEXT},
    "kernelc.parse": {"kernelc.parse", "kernelc.presence"},
    "kernelc.expand": {"kernelc.expand", "kernelc.parse"},
    "kernelc.ir": {"kernelc.ir"},
    "kernelc.index": {
        "kernelc.index",
        "kernelc.parse",
        "kernelc.preprocess",
        "kernelc.json_shapes",
        "snapshot",
    },
    "kernelc": {"kernelc", "snapshot"},
    # The source witness, floor by floor.
    "witness.source.function": {"witness.source.function", *SOURCE_READERS},
    "witness.source.interproc": {
        "witness.source.interproc",
        "witness.source.function",
        *SOURCE_READERS,
    },
    "witness.source.effects": {
        "witness.source.effects",
        "witness.source.interproc",
        "witness.source.function",
        *SOURCE_READERS,
    },
    "witness.source.path": {
        "witness.source.path",
        "witness.source.effects",
        "witness.source.interproc",
        "witness.source.function",
        *SOURCE_READERS,
    },
    "witness.source": {"witness.source", *SOURCE_READERS},
    "witness.machine": {"witness.machine", "witness.finding", "machine", "explore", "contract"},
    "witness.trace": {"witness.trace", "witness.finding", "ftrace", "contract"},
    "witness": {"contract"},
    # A counterexample is told as a trace, and the trace's witness asked what it says of it.
    "crosscheck": {
        "crosscheck",
        "witness.machine",
        "witness.trace",
        "machine",
        "ftrace",
        "contract",
    },
    # Machines of a tree's own C.
    "lift": {"lift", "kernelc", "machine", "snapshot", "contract"},
    # What machines count, and what a scenario's programs are on them.
    "costs": {"costs", "machine", "contract"},
    "litmus": {"litmus", "witness", "machine", "explore", "contract"},
    # What each verb does, above its witnesses: rendering is beside it, and reads its answers.
    "verbs": {
        "verbs",
        "costs",
        "litmus",
        "lift",
        "machine.config",
        "machine.core_mm_features",
        "machine.releases",
        "machine.arch.base",
        "crosscheck",
        "witness",
        "kernelc",
        "snapshot",
        "explore",
        "ftrace",
        "image",
        "tracing",
        "lab",
        "timing",
        "contract",
    },
    "report.common": {"report.common", "witness.finding"},
    "report.tools": {"report.tools", "report.common", "witness.finding"},
    "report.page": {"report.page", "report.common", "verbs.sides", "verbs.stored"},
    "report": {
        "report",
        "snapshot.patches.diffs",
        "costs",
        "verbs.change",
        "verbs.cost",
        "verbs.cost_recordings",
        "verbs.cost_rows",
        "verbs.demo",
        "verbs.history",
        "verbs.lifting",
        "verbs.lineage",
        "verbs.oops",
        "verbs.past",
        "verbs.shown_by",
        "verbs.port_plan",
        "verbs.port_try",
        "verbs.probes",
        "verbs.review",
        "verbs.selection",
        "verbs.shown",
        "verbs.sides",
        "verbs.allow_comments",
        "verbs.store",
        "verbs.stored",
        "verbs.unseen",
        "crosscheck.values",
        "image",
        "witness.finding",
        "witness.machine.verdict",
        "witness.trace.values",
        "witness.trace.section_stats",
        "witness.trace.stats_group",
        "witness.trace.tracks",
        "witness.trace.histogram",
        "litmus",
        "contract",
    },
    # Asks by the command line, each question in a process of its own.
    "robots": {"robots", "verbs", "litmus", "contract"},
    "cli": {
        "cli",
        "robots",
        "report",
        "verbs",
        "litmus",
        "crosscheck",
        "witness",
        "kernelc",
        "snapshot",
        "explore",
        "ftrace",
        "contract",
        "",
    },
    # The package itself, which the library's user imports, and `python -m lazymmu`.
    "__init__": {"verbs"},
    "__main__": {"cli"},
    **{leaf: set() for leaf in LEAVES},
    "processes": {"interrupt", "problem"},
}
"""What a part of the package may import of it; "" is the package itself (`lazymmu.check`). The
longest name that a module's own name begins with is its part."""

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
    name = module.with_suffix("").parts
    allowed = next(
        ALLOWED[part] for part in (".".join(name[:n]) for n in (3, 2, 1)) if part in ALLOWED
    )
    allowed = allowed if module.stem in LEAVES else allowed | LEAVES
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
    for name in ("cli/check.py", "verbs/check.py", "__init__.py", "__main__.py"):
        seen |= {whole for _, whole in imported(SOURCE / name)}
    assert {
        "lazymmu.snapshot.provenance",
        "lazymmu.witness.source.check",
        "lazymmu.cli",
        "lazymmu",
    } <= seen
