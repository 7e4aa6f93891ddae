# SPDX-License-Identifier: GPL-2.0-or-later
"""Any text as a patch for `check --diff`."""

from __future__ import annotations

import contextlib
import shutil
import tempfile

from lazymmu.problem import Problem
from lazymmu.snapshot.former_tree import with_patch
from lazymmu.snapshot.tree import Tree

from .mutated import EXAMPLES, fuzz, mutated

PATCHES = [
    b"diff --git a/mm/rmap.c b/mm/rmap.c\n--- a/mm/rmap.c\n+++ b/mm/rmap.c\n@@ -1,1 +1,1 @@\n"
    b"-// SPDX\n+// SPDX-License-Identifier: GPL-2.0-or-later\n",
    b"--- /dev/null\n+++ b/mm/new.c\n@@ -0,0 +1 @@\n+int x;\n",
    b"diff --git a/mm/a.c b/mm/b.c\nsimilarity index 100%\nrename from mm/a.c\nrename to mm/b.c\n",
    b"diff --git a/mm/link b/mm/link\nnew file mode 120000\n--- /dev/null\n+++ b/mm/link\n"
    b"@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n",
]


@fuzz(
    5,
    text=mutated(
        PATCHES,
        (b"GIT binary patch\n", b"@@ -1 +1 @@\n", b"a/" + b"x" * 300, b"b/../../", b".git/"),
    ),
)
def test_any_patch(text: bytes) -> None:
    """It is undone or laid on, or Problem says why not."""
    with tempfile.TemporaryDirectory() as root, contextlib.suppress(Problem):
        shutil.copytree(EXAMPLES / "linux-old", root, dirs_exist_ok=True)
        former = with_patch(root, text, "p.patch").changes
        tree = Tree.open(root).over(former)
        for rel, content in former.items():
            assert content is None or tree.read(rel) == content
