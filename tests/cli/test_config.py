# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration of a tree: found, told, beneath the command line, and harmless."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from lazymmu.verbs import configuration
from tests.cli.test_hostile_names import EVIL, harmless

EXAMPLES = Path(__file__).parents[2] / "examples"
SUPPRESS = '[[suppress]]\nrule = "nested-section"\nfile = "mm/*"\nreason = "never set here"\n'


@pytest.fixture
def tree(tmp_path, checked, make_result, make_finding):
    """A directory that is checked as if it were a kernel tree, with one finding that hurts."""
    checked(make_result(make_finding()))
    folder = tmp_path / "above" / "linux"
    folder.mkdir(parents=True)
    return folder


def test_a_suppression_of_the_tree_counts_and_is_told_even_to_who_wants_quiet(run, tree):
    """What a tree's own file leaves out does not go unsaid: exit code 0, and two sentences."""
    (tree / ".lazymmu.toml").write_text(SUPPRESS)
    ran = run("check", tree)
    assert ran.code == 0
    assert "not counted: 1 suppressed by the configuration" in ran.err
    ran = run("check", tree, "--quiet")
    assert ran.code == 0
    assert ran.err == (
        f"lazymmu: {tree}/.lazymmu.toml asks for 1 suppression (--no-config goes without it)\n"
    )


def test_no_config_goes_without(run, tree):
    """A robot that reads strangers' trees takes nothing from them."""
    (tree / ".lazymmu.toml").write_text("this is no TOML at all")
    assert run("check", tree, "--no-config").code == 1
    assert run("check", tree).code == 2


@pytest.mark.parametrize(
    ("name", "head"), [(".lazymmu.toml", ""), ("pyproject.toml", "[tool.lazymmu]\n")]
)
def test_it_is_found_above_the_tree_and_the_nearest_is_taken(run, tree, name, head):
    """Wherever one stands, a check of a tree says the same."""
    (tree.parent / name).write_text(f'{head}fail-on = "hurts"\n')
    assert f"{tree.parent}/{name} asks for fail-on hurts" in run("check", tree).err
    (tree / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert f"{tree.parent}/{name} asks for fail-on hurts" in run("check", tree).err
    (tree / ".lazymmu.toml").write_text('min-confidence = "high"\n')
    assert f"{tree}/.lazymmu.toml asks for min-confidence high (" in run("check", tree).err


def test_the_command_line_wins_and_is_not_told_as_the_configuration_s(run, tree):
    """What somebody says now is meant now."""
    (tree / ".lazymmu.toml").write_text(
        'arches = ["arm64"]\nfail-on = "information"\nformat = "json"\nmin-confidence = "high"\n'
    )
    ran = run("check", tree, "--arch", "x86", "--fail-on", "hurts", "--format", "gcc",
              "--min-confidence", "low")  # fmt: skip
    assert "asks for" not in ran.err
    assert ran.out.startswith(f"{tree}/mm/inner.c:41:2: error:")


def test_what_it_says_is_done_where_the_user_says_nothing(run, tree, checked, make_result):
    """Architectures and a format are taken from it."""
    calls = checked(make_result())
    (tree / ".lazymmu.toml").write_text('arches = ["arm64"]\nformat = "json"\n')
    assert json.loads(run("check", tree).out)["findings"] == []
    assert calls[0]["arches"] == ("arm64",)


def test_a_file_that_is_named_is_taken_instead(run, tree, tmp_path):
    """Also one that is called otherwise."""
    (tree / ".lazymmu.toml").write_text(SUPPRESS)
    mine = tmp_path / "mine.toml"
    mine.write_text('fail-on = "costs"\n')
    ran = run("check", tree, "--config", mine)
    assert ran.code == 1
    assert f"{mine} asks for fail-on costs" in ran.err
    assert run("check", tree, "--config", tmp_path / "none").code == 2
    assert run("check", tree, "--config", mine, "--no-config").code == 2


WRONG = {
    'fail_on = "hurts"': "unknown key `fail_on`; did you mean fail-on?",
    "baselin = 'x'": "unknown key `baselin`; did you mean baseline?",
    "xyzzy = 1": "unknown key `xyzzy`; there are arches, baseline,",
    "fail-on = 'hurt'": "there is no `fail-on` 'hurt'; did you mean hurts?",
    "fail-on = 3": "`fail-on` is not a text with something in it",
    "min-confidence = 'sure'": "there is no `min-confidence` 'sure'",
    "arches = 'x86'": "`arches` is not a list of names",
    "arches = ['x68']": "there is no architecture 'x68'; did you mean x86?",
    "format = 'jsn'": "there is no format 'jsn'; did you mean json?",
    "format = 'json=out.json'": "`format` names a file; a configuration writes nothing",
    "output = 'x'": "unknown key `output`",
    "suppress = 3": "`suppress` is not a list",
    "[[suppress]]\nrule = 'nested-section'": "suppression 1 gives no `reason`",
    "baseline = '/etc/passwd'": "`baseline` leads out of the directory of this file",
    "baseline = '../b.json'": "`baseline` leads out of the directory of this file",
    "baseline = 'a/../../b'": "`baseline` leads out of the directory of this file",
    "suppressions = '/dev/zero'": "`suppressions` leads out of the directory of this file",
    "baseline = 'link'": "`baseline`: cannot read link: a link that leads out of the tree",
    "baseline = 'pipe'": "`baseline`: cannot read pipe: not a regular file",
    "baseline = 'none'": "`baseline`: cannot read none: No such file or directory",
    "baseline = ''": "`baseline` is not a text with something in it",
    "[tool.lazymmu]": "unknown key `tool`",
    "a" * 9: "not TOML",
    "a." * 200 + "b = 1": "not TOML: a key of 100 parts",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_configuration_is_one_sentence_and_2(run, tree, tmp_path, text):
    """A key that is misread could hide findings, so each gets its file, and the nearest name."""
    (tree / "link").symlink_to("/etc/passwd")
    os.mkfifo(tree / "pipe")
    (tree / ".lazymmu.toml").write_text(text)
    ran = run("check", tree)
    assert (ran.code, ran.err.count("\n"), ran.out) == (2, 1, "")
    assert f"{tree}/.lazymmu.toml" in ran.err
    assert WRONG[text] in ran.err


@pytest.mark.parametrize("kind", ["link", "pipe", "device", "loop"])
def test_a_configuration_that_is_no_file_of_the_tree_is_refused(run, tree, tmp_path, kind):
    """A link out of a stranger's tree would read something of mine, a pipe would wait for ever."""
    path = tree / ".lazymmu.toml"
    match kind:
        case "link":
            (tmp_path / "mine.toml").write_text(SUPPRESS)
            path.symlink_to(tmp_path / "mine.toml")
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path)
    ran = run("check", tree)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert run("check", tree, "--no-config").code == 1


def test_a_file_of_somebody_else_above_the_tree_is_none(run, tree, monkeypatch):
    """Anybody can put a file into /tmp, above a tree of mine."""
    (tree.parent / ".lazymmu.toml").write_text(SUPPRESS)
    assert run("check", tree).code == 0
    real = Path.lstat

    def lstat(path):
        status = real(path)
        if path.name != ".lazymmu.toml":
            return status
        return os.stat_result((*status[:4], 4711, *status[5:10]))

    monkeypatch.setattr(Path, "lstat", lstat)
    assert run("check", tree).code == 1


def test_nothing_is_written_whatever_it_says(run, tree):
    """The tree is as it was, and so is everything around it."""
    (tree / ".lazymmu.toml").write_text("format = 'csv'\n" + SUPPRESS)
    before = sorted(path for path in tree.parent.rglob("*"))
    run("check", tree)
    assert sorted(path for path in tree.parent.rglob("*")) == before


def test_a_hostile_text_of_it_reaches_no_terminal(run, tree):
    """Reasons, file names, unknown keys and values are a stranger's words."""
    text = json.dumps(EVIL.replace("\U000e0041", ""))
    for line in (f"{text} = 1", f"arches = [{text}]", f"format = {text}", f"baseline = {text}"):
        (tree / ".lazymmu.toml").write_text(line)
        assert harmless(run("check", tree)).code == 2
    (tree / ".lazymmu.toml").write_text(
        f'[[suppress]]\nrule = "nested-section"\nfile = {text}\nreason = {text}\n'
    )
    assert harmless(run("check", tree)).code == 1


def test_a_stale_suppression_is_named_with_its_file(run, tree):
    """As one of a file that the user named."""
    (tree / ".lazymmu.toml").write_text(SUPPRESS.replace("mm/*", "fs/*"))
    assert f"{tree}/.lazymmu.toml: suppression 1 (nested-section, fs/*) is stale" in (
        run("check", tree).err
    )


def test_files_that_it_names_lie_beside_it(run, tree):
    """A baseline and a list of suppressions, each in a folder of the tree."""
    (tree / "ci").mkdir()
    assert run("check", tree, "--write-baseline", tree / "ci" / "b.json").code == 0
    (tree / ".lazymmu.toml").write_text('baseline = "ci/b.json"\n')
    ran = run("check", tree)
    assert ran.code == 0
    assert f"asks for baseline {tree}/ci/b.json" in ran.err
    (tree / "ci" / "s.toml").write_text(SUPPRESS)
    (tree / ".lazymmu.toml").write_text('suppressions = "ci/s.toml"\n')
    assert "suppressed by the configuration" in run("check", tree).err


def test_trees_with_different_configurations_are_not_mixed(run, tree, tmp_path):
    """What one of them asks for is not meant for the other."""
    (tmp_path / "other").mkdir()
    (tree / ".lazymmu.toml").write_text(SUPPRESS)
    ran = run("check", tree, tmp_path / "other")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "the trees have different configurations" in ran.err
    assert run("check", tree, tmp_path / "other", "--no-config").code == 1


def test_sections_take_what_concerns_them(run, tmp_path):
    """The architectures; a suppression says nothing of a section."""
    tree = tmp_path / "linux"
    shutil.copytree(EXAMPLES / "linux-old", tree)
    (tree / ".lazymmu.toml").write_text('arches = ["sparc"]\nformat = "gcc"\n' + SUPPRESS)
    ran = run("sections", tree, "--no-cache", "--format", "json")
    assert "asks for arches sparc (--no-config" in ran.err
    rows = json.loads(ran.out)["sections"]
    assert rows
    assert {arch for row in rows for arch in row["arches"]} == {"sparc"}


def test_every_key_of_a_configuration_is_documented():
    """The page of the documentation names what there is."""
    page = (EXAMPLES.parent / "docs" / "configuration.rst").read_text()
    for key in configuration.KEYS:
        assert f"``{key}``" in page
