# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever a stranger calls his files, functions and tasks, and whatever he says: nothing acts.

A walk over every verb, with names and messages that would colour, erase, turn round and forge.
"""

from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lazymmu.cli.command import VERBS
from lazymmu.machine.arch import template
from lazymmu.report.common.formats import VERBS as VERBS_FORMATS
from lazymmu.witness.finding import (
    Confidence,
    Coverage,
    Harm,
    Lost,
    Place,
    SectionRow,
    Sections,
    Severity,
    Standing,
    Step,
)
from lazymmu.witness.source import check as source

FORGED = "mm/forged.c:1:1: error: f(): a line of its own [nested-section]"
# A newline that begins a finding; escapes, also of 8 bits; backspaces; the other way round; unseen.
EVIL = f"e\x1b[31m\x1b]0;t\a\x9b2J\b\r\u202e\u2066\u200b\u00ad\u2028\U000e0041\x7f\n{FORGED}\n"
BYTES = b"\xff\xfe"
"""No UTF-8: Python has it as surrogates."""

EXAMPLES = Path(__file__).parents[2] / "examples"
NAME = os.fsdecode(EVIL.replace("/", "_").encode() + BYTES)
"""As a file's name may be: without a slash."""


def harmless(ran):
    """Assert that nothing in the output of a command acts, and no line of it is the stranger's."""
    for text in (ran.out, ran.err):
        acts = {c for c in text if not c.isprintable() and c not in "\n\t"}
        assert not acts, sorted(acts)
        assert not any(line.startswith(("mm/forged", "mm_forged")) for line in text.splitlines())
    assert "internal error" not in ran.err
    return ran


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A directory with a hostile name, in which one stands."""
    folder = tmp_path / NAME
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def evil(make_finding):
    """A finding in which everything that a tree can name is hostile."""
    return make_finding(
        file=EVIL,
        function=EVIL,
        message=f"calls {EVIL}",
        path=(Step(EVIL, 1, 1, EVIL, EVIL), Step(EVIL, 41, 2, EVIL, "here")),
        harms=(Harm("x86", EVIL, EVIL),),
        costs=(Harm("sparc", EVIL, EVIL),),
        conditions=(EVIL,),
        also=(EVIL,),
        implied=True,
        fingerprint=EVIL,
    )


CHECKS = [
    ("--format", "text"),
    ("--format", "mail"),
    ("--format", "json"),
    ("--format", "html"),
    ("--format", "sarif"),
    ("--format", "junit"),
    ("--format", "github"),
    ("--format", "gitlab"),
    ("--format", "markdown"),
    ("--format", "ktap"),
    ("--format", "csv"),
    ("--format", "gcc"),
    ("--quiet",),
]


@pytest.mark.parametrize("options", CHECKS, ids=" ".join)
def test_check_of_a_hostile_tree(run, checked, make_result, evil, options):
    """Each format, with everything that can be lost as well."""
    result = make_result(evil, replace(evil, severity=Severity.INFORMATION))
    lost = (Lost(EVIL, 3, EVIL, EVIL),)
    coverage = replace(result.coverage, unparsed=lost, unresolved=lost)
    checked(
        replace(result, tree=replace(result.tree, release=EVIL, dialect=EVIL), coverage=coverage)
    )
    assert harmless(run("check", NAME, *options)).code == 1


@pytest.mark.parametrize("form", ["text", "json", "markdown", "csv"])
def test_check_of_several_hostile_trees(run, checked, make_result, evil, form):
    """Their own names are shown as well."""
    checked(make_result(evil), make_result())
    for options in ((), ("--compare",)):
        harmless(run("check", NAME, f"{NAME}2", "--format", form, *options))


def test_a_real_tree_with_hostile_names_in_it(run, place):
    """An included file, its functions' comments, and the folder that all of it is in."""
    shutil.copytree(EXAMPLES / "linux-old", place / "tree")
    header = NAME.replace("\n", "").replace('"', "")
    (place / "tree" / "mm" / header).write_text(
        (EXAMPLES / "linux-old" / "mm" / "wrong_nesting.c")
        .read_text()
        .replace("age_pair", "pair_2")
    )
    with (place / "tree" / "mm" / "wrong_free.c").open("a", errors="surrogateescape") as file:
        file.write(f'\n#include "{header}"\n')
    (place / "tree" / "mm" / NAME).write_text("int x;\n")
    for form in VERBS_FORMATS["check"]:
        assert harmless(run("check", place / "tree", "--no-cache", "--format", form)).code == 1
    for form in VERBS_FORMATS["sections"]:
        assert harmless(run("sections", place / "tree", "--no-cache", "--format", form)).code == 0


def test_hostile_options_of_check(run, place, tree, checked, make_result, evil):
    """Patches, suppressions, baselines, revisions, paths, rules: all are repeated to the user."""
    Path(NAME).write_text(EVIL)
    toml = f"t{NAME}"
    # A JSON string is a TOML string, but for letters beyond the first plane.
    text = json.dumps(EVIL.replace("\U000e0041", ""))
    Path(toml).write_text(
        f'[[suppress]]\nrule = "nested-section"\nfile = {text}\nfunction = {text}\n'
        f"reason = {text}\n"
    )
    checked(make_result(evil))
    for option in ("--diff", "--baseline", "--suppress", "--since", "--path", "--rule", "--arch"):
        assert harmless(run("check", tree, option, NAME)).code == 2
    for option in ("--dialect", "--jobs", "--format", "--min-confidence"):
        assert harmless(run("check", tree, option, NAME)).code == 2
    stale = harmless(run("check", tree, "--suppress", toml))
    assert "is stale" in stale.err
    assert harmless(run("check", tree, "--write-baseline", f"b{NAME}")).code == 0
    assert harmless(run("check", tree, "--baseline", f"b{NAME}")).code == 0
    assert harmless(run("check", tree, "--output", f"o{NAME}")).code == 1
    assert harmless(run("check", NAME, "--output", f"{NAME}/x")).code == 2
    written = Path(f"o{NAME}").read_text()
    assert written.replace("\n", "").isprintable()
    assert not any(line.startswith("mm/forged") for line in written.splitlines())


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_messages_of_git(run, place, tree):
    """A patch makes git say its names; so does a repository's configuration."""
    Path("p").write_text(
        f"--- a/{NAME}\n+++ b/{NAME}\n@@ -1 +1 @@\n-{EVIL}\n+x\n", errors="replace"
    )
    assert harmless(run("check", tree, "--diff", "p")).code == 2
    subprocess.run(["git", "init", "-q", tree], check=True)
    (tree / ".git" / "config").write_text(f"[core\x1b[31m\u202e]\n{EVIL}\n")
    assert harmless(run("check", tree, "--since", "HEAD")).code == 2


def test_hostile_sections(run, monkeypatch):
    """The table and what is below it."""
    chain = (f"x86: {EVIL}",)
    one = SectionRow(
        file=EVIL, line=1, function=EVIL, arches=("x86",), space=EVIL, locks_begin=(EVIL,),
        locks_end=(), pinned=(EVIL,), actions=((1, EVIL),),
        sleeps=chain, nests=chain, flushes=chain,
    )  # fmt: skip
    places = (Place(EVIL, 1, EVIL, Standing.LOST, EVIL, EVIL),)
    blind = (Lost(EVIL, 1, EVIL, EVIL), Lost(EVIL, 0, EVIL, EVIL))
    found = Sections((one,), Coverage(1, 1, places=places, blind=blind))
    monkeypatch.setattr(source, "sections", lambda *_args, **_given: found)
    for form in VERBS_FORMATS["sections"]:
        assert harmless(run("sections", NAME, f"{NAME}2", "--format", form)).code == 0


@pytest.mark.parametrize(
    "raised",
    [
        "raise ValueError(EVIL)",
        "raise SystemExit(EVIL)",
        "raise KeyboardInterrupt(EVIL)",
        "raise type(EVIL, (BaseException,), {})(EVIL)",
        "exec(EVIL)",
        "print(EVIL); raise SyntaxError(EVIL)",
        "import sys; sys.stdout.write(EVIL); raise OSError(5, EVIL)",
    ],
)
def test_a_hostile_port(run, place, raised):
    """What it raises, what it prints, and what it is called."""
    Path(NAME).write_text(f"EVIL = {EVIL!a}\n{raised}\n")
    ran = harmless(run("verify", "--port", NAME))
    assert (ran.code, ran.out) == (2, "")


def test_a_port_that_names_itself_so(run, place):
    """A name is for a column of a table."""
    text = inspect.getsource(template)
    Path("p.py").write_text(text.replace('row = "', f'row = {EVIL!a}; _row = "', 1))
    assert harmless(run("verify", "--port", "p.py", "--list")).code == 2


def test_hostile_arguments_and_results_of_verify(run, place):
    """Names that are not there, and a file of counterexamples."""
    for option in ("--scenario", "--rule", "--arch", "--release", "--engine", "--cpus", "--replay"):
        assert harmless(run("verify", option, NAME)).code == 2
    broken = {
        "scenario": EVIL, "arch": EVIL, "release": EVIL, "rule": EVIL, "harm": EVIL,
        "trace": [{"action": EVIL}], "also": [],
    }  # fmt: skip
    for changed in ({}, {"scenario": "leave-before-unlock"}):
        value = {"format": 1, "results": [broken | changed]}
        Path(NAME).write_text(json.dumps(value))
        assert harmless(run("verify", "--replay", NAME)).code == 2
        assert harmless(run("verify", "--replay", NAME, "--rule", NAME)).code in {2, 3}


TWO = """\
litmus two
"A section inside a section."
machine: cpus 1, bound 0
entries: p pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    lazy_mmu_mode_enable
    set_pte p A
    lazy_mmu_mode_disable
    lazy_mmu_mode_disable
watch nested-section
expect:
    x86: holds
"""


@pytest.mark.parametrize("form", VERBS_FORMATS["litmus"])
def test_a_hostile_litmus_file(run, place, form):
    """Its name stands before every difference; its text may hold nothing of the kind."""
    Path(NAME).write_text(TWO)
    ran = run("litmus", NAME, "--release", "6.12.8", "--engine", "python", "--format", form)
    assert harmless(ran).code == 1
    for at in range(0, len(TWO), 40):
        Path(NAME).write_text(TWO[:at] + EVIL + TWO[at:])
        assert harmless(run("litmus", NAME, "--jobs", 1, "--format", form)).code == 2


def recording() -> bytes:
    """A nested section of a task with a hostile name, called from a hostile function."""
    task = b"\x1b[31m\xe2\x80\xaea\r\x9bb\x07"
    call = b"%16s-1       [001] .....     1.%06d: xen_%s_lazy_mmu <-f\x1b[31m\xe2\x80\xae\x7f\n"
    acts = [b"enter", b"enter", b"leave", b"leave"] * 3
    return b"# tracer: function\n#\n" + b"".join(
        call % (task, number, act) for number, act in enumerate(acts)
    )


@pytest.mark.parametrize("form", VERBS_FORMATS["trace"])
def test_a_hostile_trace(run, place, form):
    """The kernel prints whatever a task calls itself."""
    Path(NAME).write_bytes(recording())
    assert harmless(run("trace", NAME, "--release", "6.12.8", "--format", form)).code == 1
    if form in {"text", "json"}:
        harmless(run("trace", NAME, "--release", "6.12.8", "--format", form, "--summary"))
    for option in ("--release", "--rule", "--arch", "--task", "--plot"):
        assert harmless(run("trace", NAME, option, NAME)).code == 2


def test_a_trace_cmd_that_says_hostile_things(run, place, monkeypatch):
    """Its errors are shown with ours."""
    program = place / "trace-cmd"
    program.write_text("#!/bin/sh\nprintf 'bad \\033[31m\\342\\200\\256 \\233' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    Path(NAME).write_bytes(b"\x17\x08\x44tracing7\x00")
    assert harmless(run("trace", NAME)).code == 2


@pytest.mark.parametrize("form", VERBS_FORMATS["review"])
def test_a_hostile_series(run, place, form):
    """Subjects, names of files and functions are the sender's, in each format of a review."""
    Path("tree").symlink_to(EXAMPLES / "linux-old")
    subject = EVIL.replace("\n", " ").replace("\0", "")
    text = (
        f"From: {subject} <a@b.invalid>\nSubject: [PATCH] {subject}\nMessage-Id: <{subject}>\n\n"
        f"--- /dev/null\n+++ b/mm/{subject}.c\n@@ -0,0 +1 @@\n+/* x */\n"
    )
    Path(NAME).write_text(text, errors="surrogateescape")
    for extra in ((), ("--show", NAME), ("--mail", "1")):
        harmless(run("review", NAME, "--tree", "tree", "--arch", "x86", "--format", form, *extra))


@pytest.mark.parametrize("form", VERBS_FORMATS["history"])
def test_a_hostile_line_of_releases(run, place, tmp_path_factory, form):
    """Releases, folders, tags, subjects and names of files are a stranger's, and so are options."""
    store = tmp_path_factory.getbasetemp() / "hostile-history"
    tree = place / NAME
    shutil.copytree(EXAMPLES / "linux-old", tree)
    makefile = (tree / "Makefile").read_text()
    evil = EVIL.replace("\n", " ")
    (tree / "Makefile").write_text(makefile.replace("= -example", f"= {evil}"), encoding="utf-8")
    (tree / "mm" / "wrong_free.c").rename(tree / "mm" / f"{NAME}.c")
    shutil.copytree(tree, place / "other")
    (place / NAME[:40]).mkdir()
    plain = ("--arch", "x86", "--cache-dir", store, "--format", form)
    assert harmless(run("history", NAME, "other", NAME[:40], *plain)).code == 1
    if form != "text":
        return
    for option in ("--show", "--git", "--range", "--backport", "--to", "--scheduler", "--every"):
        assert harmless(run("history", "other", option, NAME, *plain)).code == 2

    def git(*words, **more):
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", "-C", "other", *who, *words], check=True, **more)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    (place / "other" / "mm" / f"{NAME}.c").unlink()
    git("add", "-A")
    subject = EVIL.replace("\0", "").encode() + BYTES
    git("commit", "-q", "-F", "-", input=subject)
    git("tag", "v6.13-\u202e\u200b")
    line = ("--git", "other", "--range", "HEAD~1..HEAD", "--every", "commit", *plain)
    for more in ((), ("--show", "H1")):
        assert harmless(run("history", *line, *more)).code == 1


@pytest.mark.parametrize("form", VERBS_FORMATS["replay"])
def test_a_hostile_list_of_events(run, place, form):
    """Where an event happened is whatever the list says."""
    text = json.dumps(EVIL.replace("\n", "") + ".c:1:2")
    lines = "T0: enable at={0} in={1}\nT0: enable at={0} in={1}\n".format(text, json.dumps(EVIL))
    Path(NAME).write_text(f"dialect no-nesting\n{lines}")
    assert harmless(run("replay", NAME, "--format", form)).code == 1
    Path(NAME).write_text(EVIL)
    assert harmless(run("replay", NAME, "--format", form)).code == 2
    for option in ("--dialect", "--rule", "--format"):
        assert harmless(run("replay", NAME, option, NAME)).code == 2


def test_what_is_printed_without_reading_anything(run, place):
    """An unknown name, a release in a script, a shell, a verb."""
    assert harmless(run("explain", NAME)).code == 2
    for option in ("--arch", "--dialect", "--format"):
        assert harmless(run("explain", option, NAME)).code == 2
    for option in ("--arch", "--release"):
        assert harmless(run("probes", option, NAME)).code == 2
    # It begins as a release does, and the rest would be a line of the script.
    assert harmless(run("probes", "--arch", "x86", "--release", f"6.12{NAME}")).code == 2
    assert harmless(run("completion", NAME)).code == 2
    assert harmless(run("cache", NAME)).code == 2
    assert harmless(run("cache", "show", "--cache-dir", NAME)).code in (0, 2)
    assert harmless(run("demo", NAME)).code == 2
    assert harmless(run("port", NAME)).code == 2
    assert harmless(run("port", "new", NAME)).code == 2
    assert harmless(run("review", NAME)).code == 2
    assert harmless(run("history", NAME)).code == 2
    assert harmless(run("cost", NAME)).code == 2
    assert harmless(run("lab", NAME)).code == 2
    assert harmless(run("mcp", "--tree", NAME)).code == 2
    assert harmless(run("record", "--tracefs", NAME, "--dry-run")).code == 2
    assert harmless(run(NAME)).code == 2
    assert harmless(run(f"--{NAME}")).code == 2


def test_an_error_of_our_own_repeats_nothing_that_acts(run, monkeypatch):
    """Not with --debug either, whose traceback holds the message."""

    def broken(*_args, **_kwargs):
        raise RuntimeError(EVIL)

    monkeypatch.setattr(source, "check", broken)
    assert "internal error" in run("check", "linux").err
    ran = run("check", "linux")
    assert ran.err.count("\n") == 1
    assert ran.err.replace("\n", "").isprintable()


def test_the_walk_knows_every_verb():
    """A new verb comes to this file."""
    walked = Path(__file__).read_text()
    for verb in VERBS:
        assert f'run("{verb.NAME}"' in walked


def test_confidence_is_no_part_of_the_walk():
    """What a finding says of itself beside names is of fixed sets."""
    assert all(str(one).isprintable() for one in (*Confidence, *Severity))
