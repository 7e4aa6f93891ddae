# SPDX-License-Identifier: GPL-2.0-or-later
"""A name stands for one thing: whoever reads `Row` in one file need not ask which of them it is."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import lazymmu

SOURCE = Path(lazymmu.__file__).parent


def public_classes() -> dict[str, list[str]]:
    """The files that have a public class of each name, whatever it stands in."""
    found = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(SOURCE)))
    return found


def test_a_public_class_has_its_name_to_itself():
    """No two public classes of the program are called alike."""
    shared = {name: files for name, files in public_classes().items() if len(files) > 1}
    assert shared == {}
