# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu record --calibrate`, with measurements that are made up."""

from __future__ import annotations

import re

from lazymmu.cli import record as cli
from lazymmu.verbs import calibrate as verb
from tests.timing.made_up import MADE_UP, always, nothing


def test_cost_tells_times_by_what_record_measured(run, tmp_path, monkeypatch):
    """From the command line: 7 hypercalls of 800 ns are 5.6 us, 200 are 160 us."""
    monkeypatch.setattr(verb, "pairs_of", lambda *_: MADE_UP)
    monkeypatch.setattr(cli.platform, "uname", lambda: _Uname("x86_64", "7.3.4"))
    file = tmp_path / "times.json"
    done = run("record", "--calibrate", "--output", file)
    assert done.code == 0
    assert "hypercall: 800 ns" in done.err
    assert "barrier: not measured: there is none here" in done.err
    text = run(
        "cost", "change_pte_range", "--arch", "x86,powerpc", "--entries", 200, "--calibrate", file
    ).out
    assert "160 us" in text
    assert "5.6 us" in text
    assert "times: as measured on x86, Linux 7.3.4" in text


def test_what_was_not_measured_has_no_time_and_cost_says_why(run, tmp_path, monkeypatch):
    """Never invented: the counts stand alone, below them the reason."""
    monkeypatch.setattr(verb, "pairs_of", lambda *_: {"hypercall": nothing, "barrier": always(200)})
    monkeypatch.setattr(cli.platform, "uname", lambda: _Uname("x86_64", "7.3.4"))
    file = tmp_path / "times.json"
    assert run("record", "--calibrate", "--output", file).code == 0
    done = run("cost", "change_pte_range", "--arch", "x86", "--calibrate", file)
    assert "no time of any hypercall (there is none here)" in " ".join(done.out.split())
    assert not re.search(r"\d [mun]s", done.out)


def test_nothing_measured_is_inconclusive_and_says_so(run, tmp_path, monkeypatch):
    """Exit status 3; and --calibrate with a command, or a place that cannot be written, 2."""
    monkeypatch.setattr(verb, "pairs_of", lambda *_: {"hypercall": nothing})
    monkeypatch.setattr(cli.platform, "uname", lambda: _Uname("x86_64", "7.3.4"))
    assert run("record", "--calibrate", "--output", tmp_path / "t").code == 3
    assert run("record", "--calibrate", "--output", tmp_path).code == 2
    assert run("record", "--calibrate", "--", "true").code == 2
    assert run("record", "--calibrate", "--clean").code == 2


class _Uname:
    def __init__(self, machine, release):
        self.machine, self.release = machine, release
