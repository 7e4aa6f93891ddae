# SPDX-License-Identifier: GPL-2.0-or-later
"""Workers of a real Dask scheduler, of which some are killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import lazymmu
from lazymmu.verbs.store import StoreRequest, store

pytest.importorskip("distributed", reason="dask.distributed is not installed (extra cluster)")

RANGE = "v6.12.0..v7.1.0"
DASK = {**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "20"}


@contextlib.contextmanager
def started(module, *arguments):
    """A process of Dask, ended when the context ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=DASK,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler, and the file that has its address."""
    place = tmp_path / "scheduler.json"
    with started(
        "dask_scheduler", "--port", 0, "--host", "127.0.0.1", "--no-dashboard",
        "--scheduler-file", place,
    ) as process:  # fmt: skip
        for _ in range(600):
            if place.exists() and place.read_text().strip().endswith("}"):
                break
            time.sleep(0.1)
        yield place, process


def worker(place):
    """A worker of a scheduler, which is not begun again when it dies."""
    return started(
        "dask_worker", "--scheduler-file", place, "--nthreads", 1, "--no-nanny", "--no-dashboard",
        "--death-timeout", 60,
    )  # fmt: skip


def history(repository, folder, *more):
    """A history on x86, begun as a user would."""
    return subprocess.Popen(
        [
            sys.executable, "-m", "lazymmu", "history", "--git", repository, "--range", RANGE,
            "--every", "commit", "--arch", "x86", "--cache-dir", folder, "--format", "json",
            "--jobs", "1", *map(str, more),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def wait_for_looks(folder, number):
    """Wait until so many looks are in a store."""
    for _ in range(3000):
        if folder.is_dir():
            kinds = store(StoreRequest(directory=folder)).kinds
            if sum(count for kind, count, _ in kinds if kind == "look") >= number:
                return
        time.sleep(0.1)
    raise AssertionError("nothing was looked at")


def told(process):
    """What a history came to, without how much of it was recalled."""
    out, err = process.communicate(timeout=600)
    assert process.returncode == 1, err
    value = json.loads(out)
    return value, value["looked_at"]


def test_a_worker_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    made_repository, tmp_path, scheduler
):
    """Two workers, one of which dies, come to what one process comes to, each look made once."""
    place, _ = scheduler
    alone, counted = told(history(made_repository, tmp_path / "one"))
    with worker(place) as first, worker(place):
        many = history(made_repository, tmp_path / "two", "--scheduler", place)
        wait_for_looks(tmp_path / "two", 3)
        first.send_signal(signal.SIGKILL)
        value, looks = told(many)
    assert looks == counted
    assert value == alone


def test_a_scheduler_that_goes_away_leaves_what_had_come_for_the_next_run(
    made_repository, tmp_path, scheduler
):
    """It is said, the code is 2 or 3, and a run without it goes on from the store."""
    place, process = scheduler
    with worker(place):
        many = history(made_repository, tmp_path, "--scheduler", place)
        wait_for_looks(tmp_path, 3)
        process.kill()
        out, err = many.communicate(timeout=600)
    assert many.returncode in (2, 3)
    assert "has gone away" in err
    alone, looks = told(history(made_repository, tmp_path))
    made = sum(looks.values())
    kept = json.loads(out)["looked_at"]["now"] if out else 0
    assert looks["before"] >= kept
    assert made == looks["now"] + looks["before"]
    assert alone["interrupted"] is False


def test_an_address_at_which_nobody_is_is_one_sentence(monkeypatch):
    """Nothing is looked at, it is said where nobody was, and no thread goes on asking."""
    before = threading.enumerate()
    monkeypatch.setattr("lazymmu.verbs.past.dask_workers._SECONDS", 1)
    with pytest.raises(lazymmu.Problem, match="no Dask scheduler at tcp"):
        lazymmu.history(lazymmu.HistoryRequest(trees=["linux"], scheduler="tcp://127.0.0.1:1"))
    assert set(threading.enumerate()) <= set(before)
