# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipe for a distribution, as it stands in docs/backports.rst, finds what a patch mends."""

from __future__ import annotations

import csv
import json
import re
import textwrap
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "backports.rst").read_text()


def blocks():
    """The page's blocks of shell."""
    found = re.findall(r"\.\. code-block:: sh\n\n((?:    .*\n|\n)+)", PAGE)
    return [textwrap.dedent(block) for block in found]


def test_what_a_backport_mends_is_what_is_gone_by_fingerprint(shell, repository):
    """A mistake is there, a commit that undoes it is picked, and nothing new came with it."""
    shell(repository, "git", "checkout", "-q", "-b", "fix")
    shell(repository, "git", "revert", "--no-edit", "HEAD")
    shell(repository, "git", "checkout", "-q", "main")
    recipe = blocks()[1].replace("COMMIT", "fix")
    done = shell(repository, "sh", "-e", "-c", recipe)
    assert done.returncode == 0, done.stderr
    before = json.loads((repository.parent / "before.json").read_text())["findings"]
    with (repository.parent / "after.csv").open(newline="") as file:
        after = {row["fingerprint"] for row in csv.DictReader(file)}
    gone = [one["function"] for one in before if one["fingerprint"] not in after]
    assert gone == ["twice_range"]


def test_the_matrix_is_a_table_in_each_format(shell, repository):
    """A row for each mistake, a column for each tree."""
    commands = blocks()[0].splitlines()
    for name in ("linux-6.1", "linux-6.12", "mine"):
        (repository.parent / name).symlink_to(repository)
    done = shell(repository.parent, "sh", "-c", f"{commands[1]} --arch x86")
    assert done.returncode == 1, done.stderr
    with (repository.parent / "matrix.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:3] == ["file", "function", "rule"]
    assert len(rows[0]) == 6
    assert (repository.parent / "matrix.md").read_text().count("\n") == len(rows) + 1
