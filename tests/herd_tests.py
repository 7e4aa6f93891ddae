# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads litmus tests for herd7 as strictly as we know their grammar: nobody runs herd7 here.

The grammar is that of the tests in herdtools7, catalogue/aarch64-VMSA.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_INITIAL = re.compile(
    r"(?:pte_[a-z]\w*|(?P<cpu>\d):X(?P<register>\d+))"
    r"=(?:\(valid:0\)|\(oa:phy_[a-z]\w*(?:,(?:db|af):0)*\)|[a-z]\w*);"
)
_INSTRUCTIONS = (
    r"MOV W(?P<to>\d+),#\d+",
    r"(?:STR X|STLR W)(?P<a>\d+),\[X(?P<b>\d+)\]",
    r"(?:(?P<label>L\d+):)?(?:LDR|LDAR) W(?P<to>\d+),\[X(?P<a>\d+)\]",
    r"LSR X(?P<to>\d+),X(?P<a>\d+),#12",
    r"TLBI VAAE1IS,X(?P<a>\d+)",
    r"DSB ISH(?:ST)?",
    r"ISB",
)
_CONDITION = re.compile(
    r"~?fault\(P(?P<cpu>\d):(?P<label>L\d+),[a-z]\w*\)|(?P<of>\d):X(?P<register>\d+)=\d+"
)


class Read(NamedTuple):
    """A test that was read: its name, the instructions of each CPU, the parts of its condition."""

    name: str
    programs: list[list[str]]
    condition: list[str]


def read_herd_test(text: str) -> Read:
    """Read one test: every line is understood, and no register is read before it has a value."""
    title, about, rest = text.split("\n", 2)
    assert re.fullmatch(r"AArch64 [\w-]+", title)
    assert re.fullmatch(r'"[^"\n]+"', about)
    initial, _, rest = rest.removeprefix("{\n").partition("}\n")
    known: set[tuple[int, int]] = set()
    for line in initial.splitlines():
        found = _INITIAL.fullmatch(line)
        assert found is not None, line
        if found["cpu"] is not None:
            known.add((int(found["cpu"]), int(found["register"])))
    table, _, asked = rest.partition("exists (")
    rows = [
        [cell.strip() for cell in line.strip().removesuffix(";").split("|")]
        for line in table.splitlines()
    ]
    assert rows[0] == [f"P{cpu}" for cpu in range(len(rows[0]))]
    assert all(len(row) == len(rows[0]) for row in rows)
    programs = [[row[cpu] for row in rows[1:] if row[cpu]] for cpu in range(len(rows[0]))]
    labels = {
        (cpu, label) for cpu, program in enumerate(programs) for label in _run(cpu, program, known)
    }
    condition = asked.removesuffix(")\n").split(" /\\ ")
    for part in condition:
        found = _CONDITION.fullmatch(part)
        assert found is not None, part
        if found["label"] is not None:
            assert (int(found["cpu"]), found["label"]) in labels
        else:
            assert (int(found["of"]), int(found["register"])) in known
    return Read(title.partition(" ")[2], programs, condition)


def _run(cpu: int, program: list[str], known: set[tuple[int, int]]) -> list[str]:
    """The labels of a program."""
    labels = []
    for one in program:
        found = next(filter(None, (re.fullmatch(form, one) for form in _INSTRUCTIONS)), None)
        assert found is not None, one
        parts = found.groupdict()
        for name in ("a", "b"):
            assert parts.get(name) is None or (cpu, int(parts[name])) in known, one
        if parts.get("to") is not None:
            assert int(parts["to"]) <= 30
            known.add((cpu, int(parts["to"])))
        if parts.get("label") is not None:
            labels.append(parts["label"])
    assert len(labels) == len(set(labels))
    return labels
