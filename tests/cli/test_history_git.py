# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu history --git`: what is no question, and runs that are broken off."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lazymmu.verbs.store import StoreRequest, store
from tools.made_history import make

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """From the older example tree to the newer one, a commit a file of mm/."""
    place = tmp_path_factory.mktemp("history")
    trees = []
    for name in ("linux-old", "linux-new"):
        trees.append(str(place / name))
        shutil.copytree(EXAMPLES / name, place / name)
    make(place / "repository", trees, "mm", 12)
    return place / "repository"


BAD = [
    (("--range", "v6.12.0"), "a range has two ends"),
    (("--range", "v6.12.0..v6.12.0"), "there is no commit in it"),
    (("--range", "v6.12.0..nothing"), "nothing"),
    (("--range", "..."), "range"),
    (("--range", "v7.1.0..v6.12.0"), "there is no commit in it"),
    (("v9.9",), "v9.9"),
    (("v6.12.0", "--range", "v6.12.0..v7.1.0"), "cannot be combined"),
    (("--every", "commit"), "need a --range"),
    (("--backport", "H1"), "go together"),
    (("v6.12.0", "--backport", "H999", "--to", "v7.1.0"), "no problem 'H999'"),
    (("--scheduler", "nowhere:1:2", "v6.12.0"), "no Dask scheduler at nowhere"),
    (("v6.12.0", "--arch", "x68"), "x68"),
    (("v6.12.0", "--format", "pdf"), "pdf"),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=str)
def test_what_is_no_question_is_one_sentence(run, repository, words, said, tmp_path):
    """The code is 2, nothing is on standard output, and there is no traceback."""
    asked = ("--arch", "x86", *words, "--cache-dir", tmp_path)
    ran = run("history", "--git", repository, *asked)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert "internal error" not in ran.err


def test_a_folder_that_is_no_repository_is_one_sentence(run, tmp_path):
    """So is one that is not there, and a file."""
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "gone", tmp_path / "file"):
        ran = run("history", "--git", place)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.count("\n") == 1


def test_a_repository_without_objects_is_one_sentence(run, repository, tmp_path):
    """What was lost of it is named, and nothing is taken for clean."""
    broken = tmp_path / "broken"
    shutil.copytree(repository, broken)
    for pack in (broken / ".git" / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"no pack")
    ran = run("history", "--git", broken, "--arch", "x86", "--cache-dir", tmp_path / "store")
    assert ran.code == 2
    assert "internal error" not in ran.err


def test_ctrl_c_tells_what_was_found_and_the_next_run_goes_on(repository, tmp_path):
    """The answer so far is whole JSON that says so; nothing is looked at twice."""
    words = [
        sys.executable, "-m", "lazymmu", "history", "--git", repository, "--range",
        "v6.12.0..v7.1.0", "--every", "commit", "--arch", "x86", "--cache-dir", tmp_path,
        "--jobs", "1", "--format", "json",
    ]  # fmt: skip
    first = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(1200):
        kinds = store(StoreRequest(directory=tmp_path)).kinds
        if sum(count for kind, count, _ in kinds if kind == "look") >= 3:
            break
        time.sleep(0.1)
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=120)
    assert first.returncode == 130, err
    assert "run it again to go on from there" in err
    told = json.loads(out)
    assert told["interrupted"] is True
    assert told["looked_at"]["now"] >= 2
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    whole = json.loads(done.stdout)
    assert whole["interrupted"] is False
    assert whole["looked_at"]["before"] >= told["looked_at"]["now"]
    assert len(whole["problems"]) >= len(told["problems"]) > 0
