# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command and says what it cost, with all the processes that it started."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run: wall and processor seconds, MB of memory at the peak, and what it printed.

    `memory` is the sum over all processes of the run at one moment, of pages of their own and a
    share of those that several hold (PSS); `resident` is the same sum with shared pages counted
    again for each (RSS). They are looked at every 20 ms, so that a shorter peak can be missed.
    """

    wall: float
    processor: float
    memory: float
    resident: float
    status: int
    output: str


def _family(pid: int) -> list[int]:
    """A process and all that came of it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                todo += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
        except OSError:  # it ended while we looked
            continue
    return found


def _pages(pid: int) -> tuple[int, int]:
    """PSS and RSS of one process in bytes; nothing if it is gone."""
    try:
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024, resident
    except (OSError, IndexError, ValueError):
        return 0, 0
    return resident, resident


class _Watch(threading.Thread):
    """Looks at the memory of a run until it is told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.over = threading.Event()
        self.memory = 0
        self.resident = 0

    def run(self) -> None:
        while not self.over.wait(_EVERY):
            pages = [_pages(pid) for pid in _family(self.pid)]
            self.memory = max(self.memory, sum(own for own, _ in pages))
            self.resident = max(self.resident, sum(all_ for _, all_ in pages))


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end; what it says on stderr is dropped."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env={**os.environ, **(env or {})},
    ) as process:
        watch = _Watch(process.pid)
        watch.start()
        output, _ = process.communicate()
        wall = time.perf_counter() - start
        watch.over.set()
        watch.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(
        wall=wall,
        processor=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        memory=watch.memory / 1e6,
        resident=watch.resident / 1e6,
        status=process.returncode,
        output=output,
    )


def read_all(tree: Path) -> None:
    """Read the C of a tree once, so that every run finds it in the machine's page cache."""
    command = [
        "grep",
        "-rlF",
        "--include=*.c",
        "--include=*.h",
        "--include=Kconfig*",
        "no such word",
    ]
    subprocess.run([*command, str(tree)], stdout=subprocess.DEVNULL, check=False)


def machine() -> str:
    """One line about where the figures come from."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} processors, load {load:.1f} before the runs"
