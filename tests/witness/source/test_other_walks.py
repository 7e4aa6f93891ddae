# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the walk of the headers is another one, what has seen nothing of that is taken over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.witness.source.edits import ARCHES, Files, checked, sub, text
from tests.witness.source.watched import Watched

SLEEP = "mm/wrong_sleep.c"
HEADER = "include/linux/mm.h"
BUILD = "mm/Makefile"
CLEAN = "fs/proc/task_clean.c"


def more(name: str, lines: bytes) -> Files:
    """A header with some lines more, within its guard."""
    whole = text(name)
    end = whole.rindex(b"\n#endif")
    return {name: whole[:end] + b"\n" + lines + whole[end:]}


def moved(name: str, other: str, objects: bytes) -> Files:
    """A .c file that has another name, in its Makefile too."""
    new = other.rpartition("/")[2].removesuffix(".c").encode()
    return {name: None, other: text(name), **sub(BUILD, objects, new + b".o")}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(more(HEADER, b"#define NOBODY_SAYS_IT 1\n"), id="a macro more"),
        pytest.param(
            more(HEADER, b"#ifdef CONFIG_NUMA\nstatic inline void nobody(void) { }\n#endif\n"),
            id="a function more, under a condition",
        ),
        pytest.param(
            more(HEADER, b"#include <linux/nobody.h>\n")
            | {"include/linux/nobody.h": b"#define NOBODY_SAYS_IT 1\n"},
            id="a header more",
        ),
        pytest.param(
            {"mm/Kconfig": text("mm/Kconfig") + b'\nconfig NOBODY_HAS_IT\n\tbool "nobody"\n'},
            id="a symbol more",
        ),
        pytest.param(
            {
                "mm/nobody.c": b"void nobody(void) { }\n",
                BUILD: text(BUILD) + b"obj-y += nobody.o\n",
            },
            id="a file more",
        ),
        pytest.param(
            moved("mm/mmu_notifier.c", "mm/notifier.c", rb"mmu_notifier\.o"), id="a file moved"
        ),
        pytest.param(
            {SLEEP: b'#include "nobody.h"\n' + text(SLEEP), "mm/nobody.h": b"#define NOBODY 1\n"},
            id="a local header more",
        ),
    ],
)
def test_a_walk_that_differs_where_nobody_looked_lets_nearly_all_be_taken_over(
    store: Path, tmp_path: Path, watched: Watched, files: Files
) -> None:
    """A macro, a header, a symbol, a file more, or elsewhere: the whole comes to the same."""
    cold = checked(files, None)
    assert not watched.own
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == cold
    assert watched.begun >= len(ARCHES)
    assert watched.own[True] > 5 * watched.own[False]
    assert watched.roots[True] > watched.roots[False]
    # What a file sees may matter to all of it; nothing else is walked again, callbacks neither.
    assert bool(watched.roots[False]) == (SLEEP in files)


ASKS = b"#ifdef NOBODY_SAYS_IT\n\tmsleep(1);\n#endif\n"
TESTS = b"\tif (IS_ENABLED(CONFIG_NOBODY_HAS_IT))\n\t\tmsleep(1);\n"


@pytest.mark.parametrize(
    ("asking", "files"),
    [
        (ASKS, more(HEADER, b"#define NOBODY_SAYS_IT 1\n")),
        (ASKS.replace(b"NOBODY_SAYS_IT", b"CONFIG_NOBODY_HAS_IT"), "symbol"),
        (TESTS, "symbol"),
        (b"\tnobody();\n", more(HEADER, b"#define nobody() msleep(1)\n")),
        (b"\tnobody();\n", more(HEADER, b"void msleep(int x);\nstatic inline void nobody(void)"
         b"\n{\n\tmsleep(1);\n}\n")),
        (b"\tnobody();\n", {"mm/nobody.c": b"#include <linux/mm.h>\nvoid nobody(void)\n{\n"
         b"\tmsleep(1);\n}\n", BUILD: text(BUILD) + b"obj-y += nobody.o\n"}),
        (b"\tnobody(other);\n", more(HEADER, b"#define other msleep(1)\n#define nobody(x) x\n")),
    ],
)  # fmt: skip
def test_who_asked_for_what_is_new_in_a_walk_is_looked_at_again(
    tmp_path: Path, watched: Watched, asking: bytes, files: Files | str
) -> None:
    """By a condition, a value, a call, through a macro: the answer is that of a cold run."""
    base = sub(SLEEP, rb"\tcond_resched\(\);\n", asking)
    if isinstance(files, str):
        symbol = b"\nconfig NOBODY_HAS_IT\n\tdef_bool y\n"
        files = {"mm/Kconfig": text("mm/Kconfig") + symbol}
    cold = [checked(base, None), checked(base | files, None), checked(base, None)]
    assert cold[0] != cold[1]
    assert not watched.own
    assert [checked(each, tmp_path) for each in (base, base | files, base)] == cold
    assert watched.own[True] > watched.own[False] > 0


@pytest.mark.parametrize(
    "files",
    [
        sub(CLEAN, rb"\.pmd_entry = clean_table", b".pud_entry = clean_table"),
        sub(CLEAN, rb"\.pmd_entry = clean_table,", b""),
        {CLEAN: text(CLEAN).replace(b"clean_ops", b"other_ops")},
        moved("mm/pagewalk.c", "mm/walkpage.c", rb"pagewalk\.o"),
        moved(SLEEP, "mm/sleeps.c", rb"wrong_sleep\.o"),
        {SLEEP: None},
        {HEADER: None},
        sub("mm/Makefile", rb"wrong_sleep\.o", b""),
        sub("mm/Makefile", rb"obj-y \+= wrong_balance", b"obj-$(CONFIG_NUMA) += wrong_balance"),
    ],
)
def test_tables_and_files_that_matter_may_be_others(
    store: Path, tmp_path: Path, files: Files
) -> None:
    """A member is gone, a file has moved, or is built no more: as without a store, and back."""
    folder = shutil.copytree(store, tmp_path / "store")
    cold = [checked(files, None), checked({}, None)]
    assert [checked(files, folder), checked({}, folder)] == cold


def test_an_analysis_of_another_walk_is_none_where_that_walk_is_not_kept(
    tmp_path: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing tells what is different, and nothing is taken over."""
    checked({}, tmp_path)
    monkeypatch.setattr("lazymmu.kernelc.facts.Facts.value", lambda *_: None)
    files = more(HEADER, b"#define NOBODY_SAYS_IT 1\n")
    assert checked(files, tmp_path) == checked(files, None)
    assert not watched.own
