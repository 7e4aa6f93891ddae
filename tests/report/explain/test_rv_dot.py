# SPDX-License-Identifier: GPL-2.0-or-later
"""Automata for the kernel's runtime verification: what its own generator makes of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from lazymmu.contract.automaton import Automaton, NoAutomatonError, derive
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.rules import RULES
from lazymmu.report.explain import rv_dot

RELEASES = {"6.17.8": "ply", "6.18.5": "ply", "6.19.6": "ply", "7.1.13": "ply", "7.3": "lark"}
"""Trees that have an rvgen, and the package that it imports."""


@cache
def automata() -> dict[str, Automaton]:
    """The automaton of each rule, in the newest dialect that has one."""
    found = {}
    for rule in RULES.values():
        for dialect in reversed(DIALECTS.values()):
            try:
                found[rule.name] = derive(rule, dialect)
            except NoAutomatonError:
                continue
            break
    return found


@cache
def python_with(package: str) -> str | None:
    """A Python of 3.12 or later that has `package`: rvgen from v7.1 on needs both."""
    names = [os.environ.get("LAZYMMU_RVGEN_PYTHON"), sys.executable]
    names += [f"python3.{minor}" for minor in range(14, 11, -1)]
    ask = f"import sys, {package}; sys.exit(sys.version_info < (3, 12))"
    for name in names:
        found = shutil.which(name) if name else None
        if found:
            done = subprocess.run([found, "-c", ask], capture_output=True, check=False)
            if done.returncode == 0:
                return found
    return None


def generated(tree: Path, package: str, rule: str, place: Path) -> str:
    """The header that the tree's rvgen writes for the automaton of a rule."""
    python = python_with(package)
    if python is None:
        pytest.skip(f"no Python 3.12 with {package} (set LAZYMMU_RVGEN_PYTHON)")
    tool = tree / "tools" / "verification" / "rvgen"
    if not tool.is_dir():
        pytest.skip(f"{tree.name} has no rvgen")
    model = rule.replace("-", "_")
    (place / f"{model}.dot").write_text(rv_dot.dot(RULES[rule], automata()[rule]))
    command = [python, str(tool / "__main__.py"), "monitor", "-c", "da", "-s", f"{model}.dot"]
    done = subprocess.run(
        [*command, "-t", "per_task"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(tool), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (place / model / "Kconfig").is_file()
    return (place / model / f"{model}.h").read_text()


def names(header: str, array: str) -> list[str]:
    """The strings of one array of a generated header."""
    found = re.search(rf"\.{array} = {{(.*?)}}", header, re.DOTALL)
    assert found is not None
    return re.findall(r'"(\w+)"', found[1])


def table(header: str, rule: str) -> dict[tuple[str, str], str]:
    """The transitions of a generated header, by state and event."""
    states, events = names(header, "state_names"), names(header, "event_names")
    found = re.search(r"\.function = {(.*)\n\t},\n\t\.initial_state", header, re.DOTALL)
    assert found is not None
    rows = re.findall(r"{([^{}]*)}", found[1])
    end = "_" + rule.replace("-", "_")
    edges = {}
    for state, row in zip(states, rows, strict=True):
        cells = [cell.strip() for cell in row.split(",") if cell.strip()]
        for event, cell in zip(events, cells, strict=True):
            if cell != "INVALID_STATE":
                edges[state, event] = cell.removesuffix(end)
    return edges


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "rule", ["unbalanced-section", "nested-section", "sleep-in-section", "unbalanced-pause"]
)
def test_rvgen_makes_the_same_table_of_it(kernel_tree, tmp_path, release, rule):
    """Not only accepted: state by state, event by event, the monitor's table is the automaton."""
    header = generated(kernel_tree(release), RELEASES[release], rule, tmp_path)
    automaton = automata()[rule]
    assert names(header, "state_names")[0] == automaton.states[0]
    assert table(header, rule) == dict(automaton.edges)


@pytest.mark.parametrize("rule", automata())
def test_a_large_automaton_is_read_by_the_strictest_generator(kernel_tree, tmp_path, rule):
    """That of v7.3 recurses for each statement of a list; groups keep it shallow."""
    if len(automata()[rule].states) > 250:
        assert any(
            "setrecursionlimit" in said for said in rv_dot.needs(RULES[rule], automata()[rule])
        )
        return
    header = generated(kernel_tree("7.3"), "lark", rule, tmp_path)
    assert table(header, rule) == dict(automata()[rule].edges)


@pytest.mark.parametrize("rule", automata())
def test_the_graph_keeps_to_what_all_generators_read(rule):
    """First line, no comments, no empty lines, one statement a line, one label for a pair."""
    lines = rv_dot.dot(RULES[rule], automata()[rule]).splitlines()
    assert lines[0] == "digraph state_automaton {"
    assert all(line.strip() and not line.lstrip().startswith(("//", "#", "/*")) for line in lines)
    pairs = [tuple(line.split()[:3]) for line in lines if "->" in line and "label" in line]
    assert len(pairs) == len(set(pairs))
    nodes = [at for at, line in enumerate(lines) if line.lstrip().startswith("{node")]
    assert nodes == list(range(nodes[0], nodes[-1] + 1))
    text = "\n".join(lines)
    assert text.count("{") == text.count("}")
    comments = [line for line in lines if line.lstrip().startswith("comment")]
    assert all(line.count('"') == 2 and "\\" not in line for line in comments)


@pytest.mark.parametrize("rule", automata())
def test_the_graph_says_where_each_event_comes_from(rule):
    """Tracepoints that do not exist are named: the graph alone is no monitor."""
    text = " ".join(re.findall(r'comment = "(.*)";', rv_dot.dot(RULES[rule], automata()[rule])))
    for symbol in automata()[rule].symbols:
        assert f"{symbol}: {rv_dot.source(symbol).replace(chr(34), '')}" in text
    for symbol in rv_dot.missing(automata()[rule]):
        assert symbol in " ".join(rv_dot.needs(RULES[rule], automata()[rule]))


def test_events_without_a_tracepoint_are_missing():
    """A kernel tells of switches and of interrupts, and never of sections or of sleeping code."""
    lacking = rv_dot.missing(automata()["sleep-in-section"])
    assert "might_sleep" in lacking
    assert {symbol for symbol in lacking if symbol.startswith(("sched_", "irq_"))} == set()
    assert set(lacking) < set(automata()["sleep-in-section"].symbols)


def test_the_tracepoints_that_are_named_exist_in_a_kernel(kernel_tree):
    """Each `system:event` that a symbol is said to come from is defined under that name."""
    tree = kernel_tree("7.3")
    text = ""
    for folder in ("include/trace/events", "arch/x86/include/asm/trace"):
        for path in sorted((tree / folder).glob("*.h")):
            text += path.read_text()
    named = set()
    for automaton in automata().values():
        for symbol in automaton.symbols:
            named |= set(re.findall(r"\b([a-z]+):([a-z][a-z_]+)\b", rv_dot.source(symbol)))
    assert len(named) > 5
    for system, event in named:
        assert re.search(rf"TRACE_SYSTEM {system}\b", text), system
        assert re.search(rf"\b{event}\b", text), event
    assert "lazy_mmu" not in text


def test_a_monitor_that_follows_entries_says_what_it_needs():
    """per_task is for what follows a task; an entry needs an object to tell it by."""
    said = " ".join(rv_dot.needs(RULES["stale-read"], automata()["stale-read"]))
    assert "per_obj" in said
    said = " ".join(rv_dot.needs(RULES["sleep-in-section"], automata()["sleep-in-section"]))
    assert "-t per_task" in said
