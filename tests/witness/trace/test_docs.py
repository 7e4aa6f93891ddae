# SPDX-License-Identifier: GPL-2.0-or-later
"""The documentation's table of cases is the one that is held to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
CASES = tomllib.loads((Path(__file__).parent / "data" / "v612.toml").read_text("utf-8"))["case"]


def documented():
    """Case and what is found, from the last table of docs/trace.rst."""
    lines = (ROOT / "docs" / "trace.rst").read_text("utf-8").splitlines()
    rules = [number for number, line in enumerate(lines) if re.match(r"=+ +=+ +=+$", line)]
    widths = [len(part) for part in lines[rules[-1]].split()]
    rows = {}
    for line in lines[rules[-2] + 1 : rules[-1]]:
        name = line[: widths[0]].strip()
        if name:
            rows[name] = line[widths[0] + 1 : widths[0] + 1 + widths[1]].strip()
    return rows


def test_the_documented_cases_are_those_of_the_table():
    """In the same order, each with what is found in most runs."""
    wanted = {}
    for case in CASES:
        finds = case["finds"]
        if not finds:
            wanted[case["name"]] = "nothing"
        elif len(finds) == 2 and finds[0] == finds[1]:
            wanted[case["name"]] = f"{finds[0]}, twice"
        else:
            wanted[case["name"]] = ", ".join(finds)
    assert list(documented().items()) == list(wanted.items())
