# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu cache`: what is kept between runs is shown, pruned and cleared."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazymmu.snapshot.cache import Cache

EXAMPLE = Path(__file__).parents[2] / "examples/linux-new"


@pytest.fixture
def folder(tmp_path):
    """A cache with two values."""
    folder = tmp_path / "store"
    with Cache(folder) as cache:
        cache.put("walk:value", "a", "x" * 3_000_000)
        cache.put("result", "a", "x")
    return folder


def test_a_check_fills_what_cache_shows(run, tmp_path):
    """Every kind is said in words, with what it takes."""
    store = tmp_path / "store"
    run("check", str(EXAMPLE), "--arch", "x86", "--cache-dir", str(store))
    ran = run("cache", "--cache-dir", str(store))
    assert (ran.code, ran.err) == (0, "")
    first, *kinds = ran.out.splitlines()
    assert first.startswith(f"{store}: ")
    assert "at most 1024.0 MiB" in first
    assert {line.split()[3] for line in kinds} >= {"result", "walk", "names"}
    assert all(len(line.split()) > 4 for line in kinds)


def test_what_was_pruned_is_counted(run, folder):
    """What is left fits into what was asked for."""
    ran = run("cache", "prune", "--most", "1", "--cache-dir", str(folder))
    assert ran.code == 0
    assert ran.out.startswith("1 value let go\n")
    assert "walk" not in ran.out
    assert run("cache", "prune", "--cache-dir", str(folder)).out.startswith("0 values let go\n")


def test_a_cleared_cache_is_empty_and_may_be_used(run, folder):
    """The folder stays, because it may be anything of the user's."""
    ran = run("cache", "clear", "--cache-dir", str(folder))
    assert ran.code == 0
    assert ran.out.startswith("2 values let go\n")
    assert list(folder.iterdir()) == []
    assert "0.0 MiB" in run("cache", "--cache-dir", str(folder)).out


def test_without_a_home_nothing_is_kept(run, monkeypatch, tmp_path):
    """That is said, and nothing is made."""
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    ran = run("cache")
    assert (ran.code, ran.out) == (0, "nothing is kept: there is no home directory\n")
    assert not (tmp_path / "none").exists()


def test_a_folder_that_is_not_there_is_not_made(run, tmp_path):
    """Looking leaves no trace, whatever is asked."""
    for action in ("show", "prune", "clear"):
        assert run("cache", action, "--cache-dir", str(tmp_path / "none")).code == 0
    assert not (tmp_path / "none").exists()


def test_a_folder_that_others_can_write_is_refused(run, folder):
    """Nobody else's files are counted, or deleted."""
    folder.chmod(0o777)
    ran = run("cache", "clear", "--cache-dir", str(folder))
    assert ran.code == 2
    assert "can be written by other users" in ran.err
    assert list(folder.iterdir())


@pytest.mark.parametrize(
    "words", [["show", "--most", "1"], ["prune", "--most", "-1"], ["prune", "--most", "x"], ["no"]]
)
def test_what_cannot_be_meant_is_refused(run, folder, words):
    """One sentence, and nothing is done."""
    ran = run("cache", *words, "--cache-dir", str(folder))
    assert ran.code == 2
    assert "Traceback" not in ran.err
    with Cache(folder) as cache:
        assert cache.get("result", "a") == "x"
