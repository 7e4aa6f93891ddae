# SPDX-License-Identifier: GPL-2.0-or-later
"""KTAP is read by the kernel's own reader, tools/testing/kunit/kunit.py, where there is a tree."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


@pytest.fixture
def kunit(kernel_tree):
    """Reads KTAP as the kernel does; returns how many cases passed, failed and were skipped."""
    tree = kernel_tree("7.3")

    def parse(text: str) -> dict[str, int]:
        done = subprocess.run(
            [sys.executable, "-B", "tools/testing/kunit/kunit.py", "parse"],
            cwd=tree,
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        last = done.stdout.splitlines()[-1]
        assert "Testing complete." in last, done.stdout + done.stderr
        return {name: int(number) for name, number in re.findall(r"(\w+): (\d+)", last)}

    return parse


def test_the_kernel_s_reader_counts_as_the_last_line_does(rendered, kunit):
    """Whatever a stranger calls his files: no line of his is a result, a plan or a directive."""
    text = rendered("ktap")
    totals = dict(re.findall(r"(\w+):(\d+)", text.splitlines()[-1]))
    read = kunit(text)
    assert "errors" not in read
    assert read["passed"] == int(totals["pass"])
    assert read["failed"] + read.get("crashed", 0) == int(totals["fail"])
