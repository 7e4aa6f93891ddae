# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line as a whole: help, version, completion, and ends that are no result."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lazymmu
from lazymmu.cli.command import VERBS, build_parser
from lazymmu.cli.completion import SHELLS
from lazymmu.witness.source import check as source


def command(*arguments: str, **given) -> subprocess.CompletedProcess[bytes]:
    """Run lazymmu as a user does, in a process of its own."""
    streams = {"capture_output": True} | given
    return subprocess.run([sys.executable, "-m", "lazymmu", *arguments], check=False, **streams)


def test_the_version_is_printed_on_standard_output(run):
    """The first line of every bug report."""
    ran = run("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"lazymmu {lazymmu.__version__}\n", "")


def test_help_names_every_verb_and_exit_code(run):
    """The help is enough to begin."""
    ran = run("--help")
    assert ran.code == 0
    for verb in VERBS:
        assert f"\n    {verb.NAME}" in ran.out
    for code in ("0", "1", "2", "3", "130"):
        assert re.search(rf"^  {code} +\w", ran.out, re.M)


@pytest.mark.parametrize("verb", [verb.NAME for verb in VERBS])
def test_every_verb_has_help_that_fits_a_terminal(run, verb, monkeypatch):
    """No line is wider than 80 columns, and each option says what it does."""
    monkeypatch.setenv("COLUMNS", "80")
    ran = run(verb, "--help")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    for action in build_parser()._subparsers._group_actions[0].choices[verb]._actions:
        assert action.help


@pytest.mark.parametrize("arguments", [["chekc"], ["check"], ["check", "a", "--jobs", "0"]])
def test_a_usage_error_ends_with_2(run, arguments):
    """A verb without what it needs ends with 2, and argparse says what is missing."""
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "usage: lazymmu" in ran.err


@pytest.mark.parametrize("arguments", [[], ["--debug"]])
def test_without_a_verb_an_overview_says_what_there_is(run, arguments):
    """A dozen lines that fit a terminal name every verb, and nothing was checked: 2."""
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 60
    for verb in VERBS:
        assert re.search(rf"\b{verb.NAME}\b", ran.err)


@pytest.mark.parametrize(
    ("arguments", "verb", "says"),
    [
        (["chek"], "", "'chek' is not one of them; did you mean check?"),
        (["help"], "", "did you mean --help?"),
        (["zzz"], "", "'zzz' is not one of them; there are check, "),
        (["check", "a", "--confidence", "low"], "check", "did you mean --min-confidence?"),
        (["verify", "--scenaro=x"], "verify", "no option --scenaro; did you mean --scenario?"),
        (["trace", "a", "--zzz"], "trace", "there is no option --zzz\n"),
        (["check", "a", "--min-confidence", "xyz"], "check", "there are low, medium, high"),
        (["explain", "a", "b", "c"], "explain", "one argument too many: b c"),
    ],
)
def test_a_word_that_is_none_gets_the_usage_of_its_verb_and_the_nearest(run, arguments, verb, says):
    """Who mistyped reads what the verb takes, and last what was probably meant."""
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"usage: {' '.join(['lazymmu', verb]).rstrip()} ")
    assert says in ran.err.splitlines(keepends=True)[-1]
    assert len(ran.err.splitlines()) == 2


def test_an_error_of_lazymmu_itself_is_a_sentence_that_asks_for_a_report(run, monkeypatch):
    """A bug of ours is told apart from a finding, and without a traceback unless asked for."""

    def broken(*_args, **_kwargs):
        raise RuntimeError("the sky fell")

    monkeypatch.setattr(source, "check", broken)
    ran = run("check", "linux")
    assert ran.code == 2
    assert "internal error, RuntimeError: the sky fell; please report it" in ran.err
    assert ran.err.count("\n") == 1


def test_an_interrupt_ends_with_130(run, monkeypatch):
    """Ctrl-C is no finding and no failure."""

    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(source, "check", interrupted)
    ran = run("check", "linux")
    assert (ran.code, ran.err) == (130, "lazymmu: interrupted\n")


def test_an_interrupt_while_a_class_is_made_ends_with_130_as_well(run, monkeypatch):
    """As while a module is imported: Python 3.11 wraps what comes up there, and it is no bug."""

    class Named:
        def __set_name__(self, *_args):
            raise KeyboardInterrupt

    monkeypatch.setattr(source, "check", lambda *_a, **_k: type("Made", (), {"field": Named()}))
    ran = run("check", "linux")
    assert (ran.code, ran.err) == (130, "lazymmu: interrupted\n")


def test_a_reader_that_goes_away_ends_it_quietly():
    """`lazymmu completion bash | head -1` shows no error."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = command("completion", "bash", stdout=write, capture_output=False, stderr=-1)
    finally:
        os.close(write)
    assert done.stderr == b""
    assert done.returncode == 2


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_verbs_options_rules_and_architectures(run, shell):
    """What one can type can be completed."""
    script = run("completion", shell).out
    for word in ("check", "min-confidence", "nested-section", "powerpc", "counted"):
        assert word in script


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_the_bash_script_completes_a_rule(run, tmp_path):
    """The script does not only contain the words, bash finds them."""
    script = tmp_path / "lazymmu.bash"
    script.write_text(run("completion", "bash").out)
    ask = (
        f". {script}; COMP_WORDS=(lazymmu check --rule nes); COMP_CWORD=3;"
        ' $(complete -p lazymmu | sed "s/.*-F \\([^ ]*\\).*/\\1/"); echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "nested-section", done.stderr


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_the_fish_script_completes_a_rule(run, tmp_path):
    """fish finds the word in the script, also behind another option with a value."""
    script = tmp_path / "lazymmu.fish"
    script.write_text(run("completion", "fish").out)
    ask = f"source {script}; complete -C 'lazymmu check --since HEAD --rule nes'"
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(["fish", "-c", ask], capture_output=True, text=True, env=env, check=False)
    assert done.stdout.split("\t")[0] == "nested-section", done.stderr


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_zsh_reads_its_script(run, tmp_path):
    """The script for zsh is one that zsh parses, whatever the help texts hold."""
    script = tmp_path / "_lazymmu"
    script.write_text(run("completion", "zsh").out)
    done = subprocess.run(["zsh", "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def on_terminal(tmp_path):
    """Runs code with standard output and error on a terminal; returns what was written to it."""

    def ran(code: str, **environment: str) -> str:
        leader, follower = pty.openpty()
        kept = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR"}}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=follower,
            stderr=follower,
            env=kept | {"TERM": "xterm-256color"} | environment,
        )
        os.close(follower)
        seen = b""
        while True:
            try:
                chunk = os.read(leader, 4096)
            except OSError:  # Linux: the last writer is gone
                break
            if not chunk:
                break
            seen += chunk
        os.close(leader)
        process.wait()
        return seen.decode()

    return ran


EMIT = """
from lazymmu.cli.console import emit
emit("mm/a.c:1:2: hurts: f(): says [it] [nested-section]\\n", colour=True)
"""


def test_a_terminal_gets_colour_and_the_same_words(on_terminal):
    """Nothing depends on colour: without it the text is what a pipe gets."""
    seen = on_terminal(EMIT)
    assert "\x1b[" in seen
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen)
    assert plain == "mm/a.c:1:2: hurts: f(): says [it] [nested-section]\r\n"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_for_who_does_not_want_or_cannot_show_it(on_terminal, environment):
    """NO_COLOR (no-color.org) and a terminal that cannot are obeyed."""
    assert "\x1b[3" not in on_terminal(EMIT, **environment)
    assert "[nested-section]" in on_terminal(EMIT, **environment)


PROGRESS = """
from lazymmu.cli.console import progress
with progress() as show:
    if show is None:
        print("no progress")
    else:
        show("reading", 1, 2)
        show("reading", 2, 2)
"""


def test_progress_is_drawn_on_a_terminal_only(on_terminal):
    """Progress goes to a terminal only, so that a log never holds any."""
    assert "reading" in on_terminal(PROGRESS)
    done = subprocess.run([sys.executable, "-c", PROGRESS], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"no progress\n", b"")


def test_python_m_lazymmu_is_the_command():
    """It works from a checkout, too."""
    done = command("--version")
    assert done.stdout.startswith(b"lazymmu ")


def test_help_is_quick_because_nothing_heavy_is_imported():
    """Completion asks for a parser at every Tab; trees, rules and rich are not needed for it."""
    code = "import sys; from lazymmu.cli.command import build_parser; build_parser(); "
    code += "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "rich",
        "shtab",
        "tree_sitter",
        "lazymmu.contract.rules",
        "lazymmu.witness.source.check",
    }
    assert not heavy & set(done.stdout.split())


def test_the_makefile_names_only_targets_that_exist():
    """The list at its top is what people read first."""
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    named = re.findall(r"^#   make (\w+)", makefile, re.M)
    assert named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.M)
