# SPDX-License-Identifier: GPL-2.0-or-later
"""Times `lazymmu trace` beside `trace-cmd report` on a large trace.

    python bench/trace.py TRACE DAT [--megabytes 320] [--runs 3] [--write]

TRACE is a real recording in tracefs text, packed or not; DAT one of trace-cmd. Two files are made
in a temporary directory and removed at the end: the recording repeated, with times and pids
shifted, until it is large enough, with so many of the other lines left out that 6 % of the lines
matter, and with all of them left out. Each run is held to one processor. `trace-cmd report` cannot
read text: it prints DAT, as many times over, in the form that `lazymmu trace` reads, to nowhere;
lazymmu reads that text, again with times and pids shifted. --write puts the table into
bench/README.md.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import measure
from check import write

import tools

_TIME = re.compile(
    rb"^(.+?)-(\d+)(\s+(?:\([ \d-]+\) )?(?:\[\d+\] )?\S+ +)(\d+)\.(\d{6}):", re.DOTALL
)
_PIDS = re.compile(rb"\b(prev_pid|next_pid|pid|child_pid)=([1-9]\d*)")
_MATTERS = re.compile(rb"_lazy_mmu|_context_switch|sched_switch:|sched_process_")
_APART = 20_000
"""Between the pids of one repetition and the next; no kernel has more than 2**22 of them."""

LIMITS = {"few": 4.5, "all": 1.7}
"""How many times as many lines a second as trace-cmd prints are asked for."""

SUMMARY_LIMIT = 1.5
"""How many times as long as without it a summary may take."""

MEMORY_LIMIT = 60.0
"""MB at the peak."""


def opened(path: Path) -> Iterator[bytes]:
    """The lines of a recording."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        yield from stream


@dataclass
class Made:
    """A large trace: where it is, its lines, those of them that matter, and bytes."""

    path: Path
    lines: int = 0
    matter: int = 0
    size: int = 0

    @property
    def mix(self) -> str:
        """What it is made of."""
        share = 100 * self.matter / self.lines
        return f"{self.lines} lines, {self.size / 1e6:.0f} MB, {share:.1f} % of the lines matter"


def make(source: Path, target: Path, megabytes: int, share: float = 0.0) -> Made:
    """Repeat a recording until it has so many MB, with times and pids moved on each time.

    share: of the lines that matter in the result, by leaving out others evenly; 0: as it is.
    """
    made = Made(target)
    head: list[bytes] = []
    parts: list[tuple[re.Match[bytes] | None, bytes]] = []
    last = first = others = 0
    for line in opened(source):
        if line.startswith(b"#"):
            head.append(line)
            continue
        matters = _MATTERS.search(line) is not None
        if share and not matters:
            if others >= made.matter * (1 / share - 1):
                continue
            others += 1
        found = _TIME.match(line)
        if found is not None:
            last = int(found[4]) * 1_000_000 + int(found[5])
            first = first or last
        parts.append((found, line))
        made.matter += matters
    span = last - first + 1000
    with target.open("wb") as out:
        # Of the whole: the number of records in the head would say that most were lost.
        out.writelines(re.sub(rb"written: \d+/\d+", b"written: 0/0", line) for line in head)
        times = 0
        while out.tell() < megabytes * 1_000_000:
            out.writelines(_moved(found, line, times, span) for found, line in parts)
            times += 1
        made.size = out.tell()
    made.lines = times * len(parts) + len(head)
    made.matter *= times
    return made


def _moved(found: re.Match[bytes] | None, line: bytes, times: int, span: int) -> bytes:
    if found is None or times == 0:
        return line
    pids = times * _APART
    stamp = int(found[4]) * 1_000_000 + int(found[5]) + times * span
    pid = int(found[2])
    rest = _PIDS.sub(lambda hit: b"%s=%d" % (hit[1], int(hit[2]) + pids), line[found.end() :])
    # Columns stay as wide as they were, as far as numbers fit; a time is " %5lu.%06lu: "
    # (kernel/trace/trace_output.c, trace_print_time()).
    after = found[3].strip()
    column = len(found[2]) + len(found[3]) - len(found[3].lstrip())
    return b"%s-%s%s %5d.%06d:%s" % (
        found[1],
        (b"%d " % (pid + pids if pid else 0)).ljust(column),
        after,
        stamp // 1_000_000,
        stamp % 1_000_000,
        rest,
    )


def read_whole(path: Path) -> None:
    """Read a file once, so that every run finds it in the machine's page cache."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def command(path: Path, *more: str) -> list[str]:
    """`lazymmu trace`, by the interpreter that runs this."""
    return [sys.executable, "-m", "lazymmu", "trace", *more, str(path), "--quiet"]


def report(dat: Path, times: int = 1) -> list[str]:
    """What makes text that `lazymmu trace` can judge, of a trace.dat so many times over."""
    return ["trace-cmd", "report", "-N", "-l", "-O", "parent", *["-i", str(dat)] * times]


def silent(one: list[str]) -> list[str]:
    """A command whose output nobody keeps."""
    return ["sh", "-c", 'exec "$@" > /dev/null', *one[:1], *one]


def repeated(one: list[str], runs: int, ends: set[int]) -> list[measure.Cost]:
    """The costs of a command, run so often, on one processor."""
    costs = []
    for _ in range(runs):
        cost = measure.run(["taskset", "-c", "0", *one], tools.ENVIRONMENT)
        if cost.status not in ends:
            sys.exit(f"ended with {cost.status}: {' '.join(one)}")
        costs.append(cost)
        print(f"{one[0]} {one[-2]}: {cost.wall:.1f} s", file=sys.stderr)
    return costs


def row(name: str, lines: int, costs: list[measure.Cost]) -> tuple[str, float, float]:
    """A line of the table, lines per processor second, and MB."""
    seconds = statistics.median(cost.processor for cost in costs)
    wall = statistics.median(cost.wall for cost in costs)
    memory = statistics.median(cost.memory for cost in costs)
    speed = lines / seconds
    cells = f"| {name} | {lines} | {wall:.1f} | {seconds:.1f} | {speed / 1e6:.2f} | {memory:.0f} |"
    return cells, speed, memory


def table(asked: argparse.Namespace, place: Path) -> list[str]:
    """Everything measured, as lines."""
    lines = [
        "| run | lines | wall s | processor s | million lines/s | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    notes: list[str] = []
    theirs = beside(asked, place, lines, notes)
    peak = 0.0
    for name, share in (("few", 0.06), ("all", 1.0)):
        made = make(asked.trace, place / f"{name}.trace", asked.megabytes, share)
        print(f"{name}: {made.mix}", file=sys.stderr)
        read_whole(made.path)
        speeds = []
        for options in ((), ("--summary",)):
            said = f"lazymmu trace {''.join(options)}".rstrip()
            costs = repeated(command(made.path, *options), asked.runs, {0, 1})
            cells, speed, memory = row(f"{said}, {name} matter", made.lines, costs)
            lines.append(cells)
            speeds.append(speed)
            peak = max(peak, memory)
        made.path.unlink()
        times = speeds[0] / theirs if theirs else 0.0
        verdict = "reached" if times >= LIMITS[name] else "MISSED"
        if theirs:
            notes.append(
                f"- {name} matter: {made.mix}; {times:.2f} times as many lines a second as "
                f"trace-cmd report prints ({LIMITS[name]} asked for: {verdict})"
            )
        longer = speeds[0] / speeds[1]
        verdict = "reached" if longer <= SUMMARY_LIMIT else "MISSED"
        notes.append(
            f"- {name} matter: with --summary {longer:.2f} times as long "
            f"({SUMMARY_LIMIT} asked for: {verdict})"
        )
    verdict = "within" if peak <= MEMORY_LIMIT else "OVER"
    notes.append(f"- peak memory: {peak:.0f} MB ({verdict} {MEMORY_LIMIT:.0f})")
    return [*lines, "", *notes]


def beside(asked: argparse.Namespace, place: Path, lines: list[str], notes: list[str]) -> float:
    """trace-cmd on its own recording, and lazymmu on the text of it; trace-cmd's lines a second."""
    if shutil.which("trace-cmd") is None:
        notes.append("- trace-cmd is not installed: nothing to compare with")
        return 0.0
    text = place / "report.txt"
    with text.open("wb") as out:
        subprocess.run(report(asked.dat), stdout=out, stderr=subprocess.DEVNULL, check=True)
    once = sum(1 for _ in text.open("rb"))
    made = make(text, place / "reports.txt", asked.megabytes)
    read_whole(made.path)
    times = made.lines // once
    cells, their_speed, _ = row(
        f"trace-cmd report, {times} times its recording",
        once * times,
        repeated(silent(report(asked.dat, times)), asked.runs, {0}),
    )
    lines.append(cells)
    cells, our_speed, _ = row(
        "lazymmu trace, the same as text",
        made.lines,
        repeated(command(made.path), asked.runs, {0, 1, 3}),
    )
    lines.append(cells)
    made.path.unlink()
    notes.append(f"- the same as text: {made.mix}")
    verdict = "ahead of" if our_speed > their_speed else "BEHIND"
    notes.append(
        f"- lazymmu is {verdict} trace-cmd report printing the same events: "
        f"{our_speed / their_speed:.2f} times as fast"
    )
    return their_speed


def versions() -> str:
    """What was compared, in one line."""
    line = f"Python {sys.version.split()[0]}"
    if shutil.which("trace-cmd"):
        done = subprocess.run(
            ["trace-cmd", "--version"], capture_output=True, text=True, check=False
        )
        found = re.search(r"version ([\d.]+)", done.stdout + done.stderr)
        line += f", trace-cmd {found[1]}" if found else ", trace-cmd"
    return line


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("trace", type=Path)
    parser.add_argument("dat", type=Path)
    parser.add_argument("--megabytes", type=int, default=320)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    asked = parser.parse_args()
    where = f"{versions()}; {measure.machine()}; one processor, {asked.runs} rounds"
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as place:
        lines = [f"{where}.", "", *table(asked, Path(place))]
    print("\n".join(lines))
    if asked.write:
        write("trace", lines)


if __name__ == "__main__":
    main()
