# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures of the documentation, made from the code: none is drawn by hand.

Layers from the imports, the states of the mode from the contract's own state, what is put off from
the deferral table, a finding from a check of an example, a counterexample from a search; the last
two also as the pages that `--format html` writes.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

from svg import Drawing

from lazymmu import CheckRequest, TraceRequest, VerifyRequest, check, trace, verify
from lazymmu.contract import events
from lazymmu.contract.deferral import ROWS
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.section import TaskState
from lazymmu.report.check import html as check_html
from lazymmu.report.check.call_tree import frames
from lazymmu.report.trace import html as trace_html
from lazymmu.report.verify import html as verify_html
from lazymmu.report.verify.lanes import lanes
from lazymmu.report.verify.told_steps import shown_steps, told_scenarios

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu import CheckAnswer, VerifyAnswer

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src" / "lazymmu"
EXAMPLES = HERE.parent / "examples"

SCENARIO, ARCH = "pagemap-scan-unlocks-first", "x86"
TREE, FUNCTION = "linux-new", "probe_run"
RECORDING = "xen-6.12.107.trace.gz"


def pictures() -> dict[str, str]:
    """The text of each picture by the name of its file."""
    return {
        "layers.svg": layers(),
        "states.svg": states(),
        "deferral.svg": deferral(),
        "finding.svg": finding(),
        "counterexample.svg": counterexample(),
    }


def pages() -> dict[str, str]:
    """The same by `--format html`, to be opened beside the documentation."""
    searched = _searched()
    checked = _checked()
    seen = trace(TraceRequest(traces=[EXAMPLES / "trace" / RECORDING], summary=True, tracks=True))
    # Nobody's folder is named on a page of the documentation.
    tree = f"examples/{TREE}"
    outcomes = [
        replace(one, result=replace(one.result, tree=replace(one.result.tree, path=tree)))
        for one in checked.outcomes
    ]
    recording = f"examples/trace/{RECORDING}"
    watched = [
        replace(
            one,
            name=recording,
            findings=tuple(replace(each, file=recording) for each in one.findings),
        )
        for one in seen.watched
    ]
    return {
        "page-verify.html": verify_html.render(searched.done, searched.judged),
        "page-check.html": check_html.render(outcomes),
        "page-trace.html": trace_html.render(watched, seen.tallies, seen.tracks),
    }


@functools.cache
def _checked() -> CheckAnswer:
    return check(CheckRequest(trees=[EXAMPLES / TREE], shown=True, jobs=1))


@functools.cache
def _searched() -> VerifyAnswer:
    return verify(VerifyRequest(scenarios=[SCENARIO], arches=[ARCH], jobs=1))


# ---- layers --------------------------------------------------------------------------------------


def layers() -> str:
    """Packages by how far below them imports go; an arrow is an import that no other implies."""
    below = _imports()
    level = {name: _depth(name, below) for name in below}
    rows: dict[int, list[str]] = {}
    for name in sorted(below):
        rows.setdefault(level[name], []).append(name)
    drawing = Drawing("The packages of lazymmu, each above those that it imports")
    top, at = max(rows), {}
    widest = max(map(len, rows.values()))
    for number, names in rows.items():
        left = 20 + (widest - len(names)) * 65
        for column, name in enumerate(names):
            at[name] = (left + column * 130 + 55, 20 + (top - number) * 72)
    for name, others in below.items():
        for other in others:
            if not any(other in _reached(between, below) for between in others - {other}):
                (x, y), (x2, y2) = at[name], at[other]
                drawing.line((x, y + 30), (x2, y2 - 1), kind="line", arrow=True)
    # What is drawn last is above: arrows that lead past a package go behind it.
    for name, (x, y) in at.items():
        drawing.box(x - 55, y, 110, 30)
        drawing.say(x, y + 20, name, "mono mid bold")
    return drawing.text


def _imports() -> dict[str, set[str]]:
    """The packages, and which of the others each imports."""
    packages = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}
    found: dict[str, set[str]] = {name: set() for name in packages}
    for name in packages:
        for path in (SOURCE / name).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lazymmu."):
                    found[name].add((node.module or "").split(".")[1])
                    if node.module == "lazymmu":
                        found[name] |= {alias.name for alias in node.names}
    return {name: (others & packages) - {name} for name, others in found.items()}


def _depth(name: str, below: Mapping[str, set[str]]) -> int:
    return 1 + max((_depth(other, below) for other in below[name]), default=-1)


def _reached(name: str, below: Mapping[str, set[str]]) -> set[str]:
    return below[name] | {far for other in below[name] for far in _reached(other, below)}


# ---- states --------------------------------------------------------------------------------------

_WIDE = 200
_CALLS = {
    "enable": events.Enable(),
    "disable": events.Disable(),
    "pause": events.Pause(),
    "resume": events.Resume(),
}


def states() -> str:
    """What the mode's calls make of a task, as `TaskState` has them: depth across, pause down."""
    dialect = list(DIALECTS.values())[-1]
    found = {TaskState()}
    edges = set()
    todo = [TaskState()]
    while todo:
        state = todo.pop()
        for name, event in _CALLS.items():
            after = state.after(event, dialect)
            if after != state and after.depth <= 2 and after.paused <= 1 and not after.unknown:
                edges.add((state, name, after))
                todo += [after] if after not in found else []
                found.add(after)
    drawing = Drawing("The states of the mode in a task, and the calls between them")
    for state in found:
        x, y = _place(state)
        drawing.box(x, y, _WIDE, 44, "mode" if state.on else "box")
        drawing.say(x + _WIDE / 2, y + 19, _state_name(state), "mid bold")
        counts = f"enable_count {state.depth}, pause_count {state.paused}"
        drawing.say(x + _WIDE / 2, y + 35, counts, "mid small quiet")
    for state, name, after in sorted(edges, key=str):
        (x, y), (x2, y2) = _place(state), _place(after)
        side = 1 if name in {"enable", "pause"} else -1
        if y == y2:
            start = (x + (_WIDE if x2 > x else 0), y + 22 - 9 * side)
            end = (x2 + (0 if x2 > x else _WIDE), y2 + 22 - 9 * side)
            drawing.line(start, end, kind="line", arrow=True)
            drawing.say(
                (start[0] + end[0]) / 2,
                start[1] - 4 if side > 0 else start[1] + 13,
                name,
                "mono mid small",
            )
        else:
            start = (x + _WIDE / 2 + 14 * side, y + (44 if y2 > y else 0))
            end = (x2 + _WIDE / 2 + 14 * side, y2 + (0 if y2 > y else 44))
            drawing.line(start, end, kind="line", arrow=True)
            middle = (start[1] + end[1]) / 2 + 4
            drawing.say(start[0] + (6 if side > 0 else -48), middle, name, "mono small")
    drawing.say(
        20,
        190,
        "Green: writes may be put off. Deeper nesting goes on like this. "
        "In interrupts calls do nothing.",
        "small quiet",
    )
    return drawing.text


def _place(state: TaskState) -> tuple[int, int]:
    return 20 + state.depth * 290, 16 + state.paused * 110


def _state_name(state: TaskState) -> str:
    if state.paused:
        return "paused"
    return "off" if not state.depth else "on" if state.depth == 1 else "on, nested"


# ---- what is put off -----------------------------------------------------------------------------


def deferral() -> str:
    """The newest row of the deferral table for each architecture, as a matrix."""
    rows = [found[-1] for found in ROWS.values()]
    heads = (
        ("puts off", lambda row: row.deferred.value),
        ("of entries", lambda row: " and ".join(row.spaces)),
        ("kept", lambda row: row.owner.value),
        ("keeps the task on its CPU", lambda row: "yes" if row.pins else "no"),
        ("when switched out", lambda row: row.on_context_switch.value),
        ("a section inside", lambda row: row.nested_section.value),
        ("in an interrupt", lambda row: row.interrupt.value),
        ("at most", lambda row: str(row.limit) if row.limit else "no limit"),
        ("released in", lambda row: row.seen),
    )
    drawing = Drawing("What each architecture puts off in the mode, and how")
    for column, row in enumerate(rows):
        drawing.say(210 + column * 200, 28, row.arch, "mono bold")
        drawing.say(210 + column * 200, 44, row.label, "small quiet")
    y = 56
    for head, value in heads:
        cells = [_wrapped(value(row), 28) for row in rows]
        height = 14 + 16 * max(map(len, cells))
        drawing.line((12, y), (210 + 200 * len(rows), y))
        drawing.say(12, y + 18, head, "quiet")
        for column, cell in enumerate(cells):
            drawing.box(
                204 + column * 200, y + 4, 192, height - 8, "late" if column % 2 == 0 else "cell"
            )
            for at, line in enumerate(cell):
                drawing.say(212 + column * 200, y + 19 + at * 16, line, "small")
        y += height
    return drawing.text


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


# ---- a finding, a counterexample -----------------------------------------------------------------


def finding() -> str:
    """The calls that lead to a finding in an example, with the lines of its files."""
    answer = _checked()
    (outcome,) = answer.outcomes
    (found,) = (one for one in answer.verdicts if one.function == FUNCTION)
    drawing = Drawing(f"A finding: {found.function}() {found.message}")
    drawing.say(12, 26, f"{found.function}(): {found.message}", "bold")
    y = 48
    for frame in frames(found, outcome.shown.sources if outcome.shown else {}):
        x = 12 + 24 * frame.depth
        drawing.say(x, y, f"{frame.function}()   {frame.file}:{frame.line}", "mono quiet")
        y += 8
        for line in frame.lines:
            if line.mark:
                drawing.box(x, y, 900 - x, 18, line.mark)
            drawing.say(x + 8, y + 13, str(line.number) if line.number else "⋯", "mono quiet")
            drawing.code(x + 44, y + 13, str(line.code))
            plain = unescape(re.sub("<[^>]*>", "", str(line.code)))
            beyond = x + 64 + 7.3 * len(plain)
            for note in line.notes:
                kind = "small bad bold" if line.mark == "breaks" else "small quiet"
                drawing.say(max(x + 400, beyond), y + 13, note, kind)
            y += 18
        y += 22
    for harm in found.harms[:2]:
        drawing.say(12, y, f"hurts {harm.arch}: {harm.text}", "small")
        y += 18
    return drawing.text


def counterexample() -> str:
    """The lanes of a counterexample, as its page has them."""
    answer = _searched()
    run, verdict = next(pair for pair in answer.done if pair[1].violations)
    broken = verdict.violations[0]
    steps = shown_steps(broken)
    told = told_scenarios([run])[SCENARIO]
    drawing = Drawing(f"A counterexample: {SCENARIO} breaks {broken.rule}")
    drawing.say(12, 26, f"{SCENARIO}: {broken.rule} is broken", "bold")
    left, wide, y = 170, 66, 44
    for step in range(len(steps) + 1):
        drawing.say(left + wide * step + wide / 2, y, str(step), "mono mid small quiet")
    y += 10
    for group in lanes(steps, told.initial, culprit=True):
        drawing.line((12, y), (left + wide * (len(steps) + 1), y))
        drawing.say(12, y + 15, group.heading, "small quiet")
        y += 20
        for lane in group.lanes:
            high = 40 if group.heading == "Who runs" else 18
            drawing.say(20, y + 13, lane.name, "mono small")
            x = left
            for bar in lane.bars:
                if bar.kind:
                    _bar(drawing, x, y, wide * bar.span, high, bar.kind, bar.text)
                x += wide * bar.span
            y += high + 3
        y += 3
    return drawing.text


def _bar(
    drawing: Drawing, x: float, y: float, width: float, high: float, kind: str, text: str
) -> None:
    words = {"pending": "late", "entry": "cell", "entry late": "late", "variable": "cell"}
    kind = words.get(kind, kind).replace("breaks", "culprit").replace("task ", "")
    drawing.box(x + 1, y, width - 2, high, kind)
    most = int(width / 6.2)
    whole, room = _wrapped(text, most), int(high // 13) or 1
    lines = whole[:room]
    if len(whole) > room:
        lines[-1] = f"{lines[-1][: most - 1]}…"
    for at, line in enumerate(lines):
        cut = line if len(line) <= most else f"{line[: most - 1]}…"
        drawing.say(x + 5, y + 13 + 12 * at, cut, "small")
