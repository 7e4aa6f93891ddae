# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu verify --port FILE`: every scenario on an implementation of one's own."""

from __future__ import annotations

import inspect
import json

import pytest

from lazymmu.machine.arch import template
from lazymmu.machine.releases import PORTS

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
