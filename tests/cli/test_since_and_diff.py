# SPDX-License-Identifier: GPL-2.0-or-later
"""`check --since` and `check --diff`: only what is new since the tree as it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

PATCH = b"""\
--- /dev/null
+++ b/mm/new.c
@@ -0,0 +1 @@
+int new;
"""


def test_since_reports_the_findings_that_were_not_there(
    run, checked, make_finding, make_result, repository
):
    """What the code had before the change is counted, not reported, even where lines moved."""
    old = make_finding(fingerprint="old", line=7)
    moved = make_finding(fingerprint="old", line=9)
    new = make_finding(fingerprint="new", line=50)
    calls = checked(make_result(moved, new), make_result(old))
    ran = run("check", repository, "--since", "HEAD")
    assert ran.code == 1
    assert ran.out.startswith("mm/inner.c:50:")
    assert ", HEAD: 1 new, 0 fixed, 0 moved, 1 unchanged" in ran.err
    assert [call["tree"] == str(repository) for call in calls] == [True, False]


def test_diff_reports_the_findings_that_the_patch_brings(
    run, checked, make_finding, make_result, tree, tmp_path
):
    """The same for a tree without git and a patch from a file."""
    (tree / "mm" / "new.c").write_text("int new;\n")
    file = tmp_path / "p.patch"
    file.write_bytes(PATCH)
    checked(make_result(make_finding()), make_result())
    assert run("check", tree, "--diff", file).code == 1
    checked(make_result(make_finding()), make_result(make_finding()))
    assert run("check", tree, "--diff", file).code == 0


def test_a_revision_that_does_not_exist_is_said_before_the_tree_is_checked(
    run, checked, make_result, repository
):
    """Nobody waits for a check to learn of a typing error."""
    calls = checked(make_result())
    assert run("check", repository, "--since", "nowhere").code == 2
    assert calls == []


def test_deleting_the_end_of_a_section_is_new_and_moved_lines_are_not(run, tmp_path, git):
    """Nothing is wrong on the changed line, but the return is now reached inside the section."""
    tree = tmp_path / "linux"
    shutil.copytree(Path(__file__).parents[2] / "examples" / "linux-new", tree)
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "first")
    file = tree / "mm" / "wrong_sleep.c"
    file.write_text("\n\n\n" + file.read_text())
    file = tree / "mm" / "right_order.c"
    before_it, _, after = file.read_text().partition("\tlazy_mmu_mode_disable();\n")
    file.write_text(before_it + after)
    ran = run("check", tree, "--since", "HEAD", "--arch", "x86", "--format", "json")
    assert ran.code == 1
    value = json.loads(ran.out)
    assert {finding["file"] for finding in value["findings"]} == {"mm/right_order.c"}
    assert "unbalanced-section" in {finding["rule"] for finding in value["findings"]}
    assert value["withheld"][0]["reason"] == "not new"
