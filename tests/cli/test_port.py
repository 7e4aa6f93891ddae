# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu verify --port FILE`: every scenario on an implementation of one's own."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

from lazymmu.machine.arch import template
from lazymmu.machine.releases import PORTS
from lazymmu.problem import Problem

SEARCH = ("--engine", "python", "--jobs", "1", "--quiet")


@pytest.fixture
def mine(tmp_path):
    """The template, copied to a file of one's own."""
    path = tmp_path / "mine.py"
    path.write_text(inspect.getsource(template))
    return path


def test_a_port_is_what_scenarios_are_run_on(run, mine):
    """Without --arch on nothing else, although no scenario expects anything of it."""
    done = run(
        "verify",
        "--port",
        mine,
        "--scenario",
        "leave-before-unlock",
        "--format",
        "json",
        *SEARCH,
    )
    (one,) = json.loads(done.out)["results"]
    assert (done.code, one["arch"], one["verdict"]) == (0, "port", "holds")


def test_another_architecture_can_be_put_beside_it(run, mine):
    """By --arch, with the port by its own name."""
    done = run(
        *("verify", "--port", mine, "--arch", "port,powerpc", "--release", "7.3.4"),
        *("--scenario", "sleep-inside-section", "--format", "json", *SEARCH),
    )
    arches = [one["arch"] for one in json.loads(done.out)["results"]]
    assert (done.code, sorted(arches)) == (1, ["port", "powerpc"])


def test_a_counterexample_names_the_functions_of_the_file(run, mine):
    """And where its author says that they are."""
    done = run("verify", "--port", mine, "--scenario", "sleep-inside-section", *SEARCH)
    assert done.code == 1
    assert "arch_enter_lazy_mmu_mode()" in done.out
    assert template.TLB_C in done.out


def test_a_port_is_gone_after_the_command(run, mine):
    """The next one in the same process does not know it."""
    assert run("verify", "--port", mine, "--list").code == 0
    assert PORTS == {}
    assert run("verify", "--arch", "port", "--list").code == 2


def test_a_file_that_is_no_port_is_one_sentence(run, tmp_path):
    """Exit code 2, with the file and the line."""
    path = tmp_path / "broken.py"
    path.write_text("import lazymmu\nlazymmu.none\n")
    done = run("verify", "--port", path)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith(f"lazymmu: {path}:2: AttributeError: ")
    assert done.err.count("\n") == 1


RAISED = {
    "raise SystemExit(0)": "SystemExit: 0",
    "raise SystemExit": "SystemExit",
    "import sys; sys.exit('over')": "SystemExit: over",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise MemoryError": "MemoryError",
    "raise GeneratorExit": "GeneratorExit",
    "raise type('Own', (BaseException,), {})('one\\n  two')": "Own: one two",
    "raise Mute": "Mute: its message cannot be had (SystemExit)",
    "endless()": "RecursionError: maximum recursion depth exceeded",
    "import lazymmu.nothing": "ModuleNotFoundError: No module named 'lazymmu.nothing'",
}
HELPERS = """\
class Mute(Exception):
    def __str__(self):
        raise SystemExit(0)


def endless():
    return endless()


"""


@pytest.mark.parametrize("raised", RAISED)
def test_whatever_a_file_raises_is_one_sentence(run, tmp_path, raised):
    """Exit code 2, also for SystemExit(0): nothing was checked."""
    path = tmp_path / "raises.py"
    path.write_text(f"{HELPERS}{raised}\n")
    done = run("verify", "--port", path)
    line = 7 if raised == "endless()" else 10
    assert (done.code, done.out) == (2, "")
    assert done.err == f"lazymmu: {path}:{line}: {RAISED[raised]}\n"
    assert PORTS == {}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("raised", RAISED)
def test_whatever_a_port_raises_in_a_search_is_one_sentence(run, mine, raised, jobs):
    """In a step, and in another process."""
    text = mine.read_text()
    step = "        yield self._pin()\n"
    assert step in text
    at = text[: text.index(step)].count("\n") + 1
    # In a column far right, so that lines stay where they are.
    once = f"        {HELPER_LINE}; {raised}\n"
    mine.write_text(text.replace(step, once + step, 1))
    done = run("verify", "--port", mine, "--engine", "python", "--jobs", jobs, "--quiet")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    if "KeyboardInterrupt" in raised:
        assert (
            done.err == f"lazymmu: {mine}: KeyboardInterrupt, raised by its own code in a search\n"
        )
    elif raised != "endless()":
        assert done.err == f"lazymmu: {mine}:{at}: {RAISED[raised]}\n"
    else:
        assert "RecursionError" in done.err


def test_an_error_of_a_port_reaches_the_command_also_when_causes_are_sent(run, mine, monkeypatch):
    """Some libraries (tblib) make every exception of a program take its cause along."""

    def with_cause(problem, _protocol):
        return type(problem), problem.args, {"__cause__": problem.__context__}

    monkeypatch.setattr(Problem, "__reduce_ex__", with_cause, raising=False)
    text = mine.read_text()
    step = "        yield self._pin()\n"
    mine.write_text(text.replace(step, f"        {HELPER_LINE}; raise Mute\n{step}", 1))
    done = run("verify", "--port", mine, "--engine", "python", "--jobs", 2, "--quiet")
    assert (done.code, done.out) == (2, "")
    assert "Mute: its message cannot be had" in done.err


@pytest.mark.parametrize("ends", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_port_that_ends_its_process_in_a_search_is_one_sentence(run, mine, ends, jobs):
    """Not 0, whatever it asks for."""
    step = "        yield self._pin()\n"
    mine.write_text(mine.read_text().replace(step, f"        {ends}\n{step}", 1))
    done = run("verify", "--port", mine, "--engine", "python", "--jobs", jobs, "--quiet")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "was ended from outside, or by a port" in done.err


HELPER_LINE = (
    "Mute = type('Mute', (Exception,), {'__str__': lambda self: exec('raise SystemExit(0)')}); "
    "endless = lambda: endless()"
)


def test_what_a_port_prints_is_no_result(mine):
    """JSON stays JSON; its words are on standard error, and cannot be taken for ours."""
    step = "        yield self._pin()\n"
    text = mine.read_text().replace(step, f'        print("in a step")\n{step}', 1)
    mine.write_text(text + '\nprint("lazymmu: all is well\\nhalf", end="")\n')
    asked = ("--port", mine, "--scenario", "leave-before-unlock", "--format", "json")
    # As a process of its own: searches have other processes, which no fixture listens to.
    done = subprocess.run(
        [sys.executable, "-m", "lazymmu", "verify", *asked, *SEARCH],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [one["arch"] for one in json.loads(done.stdout)["results"]] == ["port"]
    lines = done.stderr.splitlines()
    assert lines[:2] == ["port: lazymmu: all is well", "port: half"]
    assert set(lines[2:]) == {"port: in a step"}


def test_debug_shows_where_a_port_failed(run, tmp_path):
    """Its author wants more than a sentence."""
    path = tmp_path / "raises.py"
    path.write_text("def deep():\n    raise ValueError('here')\n\n\ndeep()\n")
    assert run("verify", "--port", path).err == f"lazymmu: {path}:2: ValueError: here\n"
    from lazymmu.cli import main

    assert main(["--debug", "verify", "--port", str(path)]) == 2


@pytest.mark.parametrize(
    "row", ["5", "''", "' '", "['a']", "'a\\nb'", "None", "property(lambda self: 1)"]
)
def test_a_port_must_have_a_name_that_can_be_shown(run, mine, row):
    """A port's name must be a text of one line."""
    text = mine.read_text()
    found = next(line for line in text.splitlines() if line.strip().startswith("row"))
    mine.write_text(text.replace(found, f"    row = {row}", 1))
    done = run("verify", "--port", mine, "--list")
    assert (done.code, done.out) == (2, "")
    assert "must name itself: row = ..." in done.err


def test_a_misspelt_variable_is_one_sentence_with_the_line_and_the_nearest_name(run, mine):
    """It is the file's mistake, and told as that."""
    text = mine.read_text()
    assert text.count("batch = here.this_cpu.batch\n") == 1
    mine.write_text(text.replace("here.this_cpu.batch\n", "here.this_cpu.bacth\n"))
    done = run("verify", "--port", mine, "--scenario", "leave-before-unlock", *SEARCH)
    line = next(n for n, at in enumerate(mine.read_text().split("\n"), 1) if "bacth" in at)
    assert done.code == 2
    assert f"{mine}:{line}: " in done.err
    assert "no variable `bacth` is declared; did you mean `batch`?" in done.err


def test_a_variable_of_no_kind_of_thing_is_refused(run, mine):
    """When the file is read, with the kinds that there are."""
    mine.write_text(mine.read_text().replace('"batch", "cpu"', '"batch", "cpus"'))
    done = run("verify", "--port", mine, "--scenario", "leave-before-unlock", *SEARCH)
    assert done.code == 2
    assert "variable batch is one per `cpus`; there are system, cpu," in done.err
