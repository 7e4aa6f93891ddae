# SPDX-License-Identifier: GPL-2.0-or-later
"""The skeleton of a reproducer, made of a scenario: operations become system calls.

Each task is a thread, pinned to its CPU; where tasks share one, or the scenario preempts, a process
that only computes takes turns with them there. What no system call does alone is left to do, in
words. The program is Python, for the guest of `lazymmu lab`.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu import lab
from lazymmu.lab.reproducer import known_reproducers
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.litmus.scenario import EntryDeclaration, OperationLine, Scenario, TaskDeclaration

__all__ = ["skeleton"]

_DATA: Final = Path(lab.__file__).with_name("system_calls.toml")

_PROGRAM: Final = '''\
# SPDX-License-Identifier: GPL-2.0-or-later
"""Skeleton of a reproducer: {name}.

{sentence}

Run it by: lazymmu lab KERNEL --xen -- {file}.py
and for control without --xen. Lines with "to do" are yours.
"""

import ctypes
import mmap
import os
import threading

PAGE = mmap.PAGESIZE
SIZE = {pages} * PAGE
ROUNDS = 1000

LIBC = ctypes.CDLL(None, use_errno=True)
file = os.memfd_create("{file}")
os.ftruncate(file, SIZE)
memory = {memory}
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
barrier = threading.Barrier({tasks})


def protect(at, protection):
    LIBC.mprotect(ctypes.c_void_p(start + at), ctypes.c_size_t(PAGE), protection)


def move(at):
    """There and back, entry by entry."""
    other = mmap.mmap(-1, PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    there = ctypes.addressof(ctypes.c_char.from_buffer(other))
    for source, target in ((start + at, there), (there, start + at)):
        LIBC.mremap(ctypes.c_void_p(source), ctypes.c_size_t(PAGE), ctypes.c_size_t(PAGE), 3,
                    ctypes.c_void_p(target))


def fork():
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def load(cpu):
    """A process that takes turns on a CPU with what runs there, and is killed at the end."""
    child = os.fork()
    if not child:
        os.sched_setaffinity(0, {{cpu}})
        while True:
            pass
    return child


def begin():
    """The entries as the scenario has them."""
{begin}

{threads}

def main():
    loads = [load(cpu) for cpu in {loads}]
    for _ in range(ROUNDS):
        begin()
        tasks = [threading.Thread(target=one) for one in ({names},)]
        for one in tasks:
            one.start()
        for one in tasks:
            one.join()
    for one in loads:
        os.kill(one, 9)
    print("{file}: done")


if __name__ == "__main__":
    main()

# What goes beside it, as {file}.toml of src/lazymmu/lab/reproducers:
#
# summary = "{sentence}"
# page = "to do: the release on whose page of docs/findings it is"
# program = "{file}.py"
# xen = true
# first = "to do"
# last = "to do"
# rules = [{rules}]
# control = "the same without Xen"
# done = "{file}: done"
'''


@cache
def _calls() -> dict[str, dict[str, str]]:
    found: dict[str, Any] = tomllib.loads(_DATA.read_text("utf-8"))
    return found


def skeleton(scenario: Scenario) -> str:
    """A program for the guest that goes the way of a scenario, as far as system calls go.

    :raises Problem: it would be a program that is withheld, or there is nothing to run.
    """
    _allowed(scenario)
    if not scenario.tasks:
        raise Problem(f"{scenario.name}: there is no task in it to make a program of")
    pages = {one.name: number for number, one in enumerate(scenario.entries)}
    shared = Counter(one.cpu for one in scenario.tasks if one.cpu is not None)
    loads = sorted(
        cpu for cpu, number in shared.items() if number > 1 or scenario.machine.bound != 0
    )
    of_file = any(
        line.name == "unmap_mapping_range" for task in scenario.tasks for line in _lines(task)
    )
    private = "mmap.mmap({}, SIZE, mmap.MAP_PRIVATE{})"
    return _PROGRAM.format(
        name=scenario.name,
        file=re.sub(r"\W+", "_", scenario.name),
        sentence=scenario.sentence.replace('"', "'").replace("\\", "/"),
        pages=max(len(pages), 1),
        memory=private.format("file", "") if of_file
        else private.format("-1", " | mmap.MAP_ANONYMOUS"),
        tasks=len(scenario.tasks),
        begin=_indented(_beginning(scenario.entries, pages)),
        threads="\n".join(_thread(task, pages) for task in scenario.tasks),
        loads=loads,
        names=", ".join(f"task_{one.name}" for one in scenario.tasks),
        rules=", ".join(f'"{rule}"' for rule in scenario.rules),
    )  # fmt: skip


def _allowed(scenario: Scenario) -> None:
    """Raise for what would be a program that is not handed around."""
    there = Counter(line.name for task in scenario.tasks for line in _lines(task))
    for one in known_reproducers():
        for operations in one.withheld_operations if one.withheld else ():
            if Counter(operations) <= there:
                raise Problem(
                    f"{scenario.name}: a program of it would be {one.name}: {one.withheld}"
                )


def _lines(task: TaskDeclaration) -> Iterator[OperationLine]:
    """The operations of a task, with those inside of others."""
    todo = list(task.operations)
    while todo:
        line = todo.pop(0)
        yield line
        todo[:0] = line.body


def _beginning(entries: tuple[EntryDeclaration, ...], pages: dict[str, int]) -> Iterator[str]:
    for one in entries:
        at = f"{pages[one.name]} * PAGE"
        base = one.value.base
        if one.space != "user" or one.level != "pte":
            yield f"# to do: {one.name}, an entry of level {one.level} for the {one.space}"
        elif base == "none":
            yield f"memory.madvise(mmap.MADV_DONTNEED, {at}, PAGE)"
        elif base in _calls()["value"]:
            yield _calls()["value"][base].format(at=at)
        elif base.isupper() and not one.value.flags:
            yield _calls()["value"]["page"].format(at=at)
        else:
            flags = f" ({', '.join(one.value.flags)})" if one.value.flags else ""
            yield f"memory[{at}] = 1  # to do: make {one.name} {base}{flags}"


def _thread(task: TaskDeclaration, pages: dict[str, int]) -> str:
    pin = (
        "# it may run anywhere" if task.cpu is None else f"os.sched_setaffinity(0, {{{task.cpu}}})"
    )
    body = [pin, "barrier.wait()"]
    for line in _lines(task):
        call = _calls()["operation"].get(line.name)
        places = [f"{pages[arg]} * PAGE" for arg in line.args if arg in pages]
        if call is None or ("{at}" in call and not places):
            told = " ".join((line.name, *line.args))
            body.append(f"# to do: {told}, which no system call does alone")
        else:
            body += [call.format(at=at) for at in places or [""]][: None if "{at}" in call else 1]
    return f"\ndef task_{task.name}():\n{_indented(body)}\n"


def _indented(lines: list[str] | Iterator[str]) -> str:
    found = [f"    {part}" for line in lines for part in line.split("\n")]
    return "\n".join([*found, "    pass"] if all("#" in one[:5] for one in found) else found)
