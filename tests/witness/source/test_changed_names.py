# SPDX-License-Identifier: GPL-2.0-or-later
"""Where functions come, go or are called otherwise, what has read none of their names stays."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.witness.source.edits import checked, sub, text
from tests.witness.source.watched import Watched

SLEEP = "mm/wrong_sleep.c"
HEADER = "include/linux/mm.h"
WINDOW = "drivers/misc/window.c"
CLEAN = "fs/proc/task_clean.c"


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(sub(SLEEP, rb"\brelax\b", b"take_a_rest"), id="renamed"),
        pytest.param(sub(SLEEP, rb"static void relax\b", b"static void take_a_rest"), id="gone"),
        pytest.param(
            sub(SLEEP, rb"relax\(unsigned long addr\)", b"relax(unsigned long addr, int x)"),
            id="with another parameter",
        ),
        pytest.param(
            sub(HEADER, rb"\n#endif[^\n]*\n\Z", rb"\nvoid *kfree_rest(void) { }\n\g<0>")
            | sub(SLEEP, rb"\brest\b", b"kfree_rest"),
            id="in a header instead",
        ),
    ],
)
def test_a_function_that_comes_or_goes_has_walked_again_whom_its_name_concerns(
    store: Path, tmp_path: Path, watched: Watched, files: dict[str, bytes]
) -> None:
    """All others are taken over, and the whole comes to what it comes to."""
    cold = checked(files, None)
    assert not watched.own
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == cold
    assert watched.own[True] > 5 * watched.own[False]
    assert watched.roots[True] > watched.roots[False] > 0


def test_a_name_in_a_table_that_was_looked_at_has_walked_again_who_calls_by_the_table(
    store: Path, tmp_path: Path, watched: Watched
) -> None:
    """Who calls by the table has read no text that has the name, and all others are as before."""
    callback = re.search(rb"\.pmd_entry\s*=\s*(\w+)", text(CLEAN))
    assert callback is not None
    old = rb"static int " + callback[1] + rb"\("
    files = sub(CLEAN, old, b"static int none_of_it(")
    cold = checked(files, None)
    assert cold != checked({}, None)
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == cold
    assert watched.own[True]
    assert watched.roots[True] > watched.roots[False] > 0


@pytest.mark.parametrize(
    "files",
    [
        # Who calls it back has the name of its parameter, and no other.
        sub(WINDOW, rb"\bplace_slot\b", b"place_a_slot"),
        sub(WINDOW, rb"static int place_slot\(", b"static int place_a_slot("),
        sub(WINDOW, rb"static int place_slot\(pte_t", b"static int place_slot(int x, pte_t"),
        # The functions of a guard are looked up under names that stand nowhere.
        sub("mm/right_guard.c", rb"DEFINE_LOCK_GUARD_0\(batch,", b"DEFINE_LOCK_GUARD_0(bunch,"),
        sub(
            HEADER,
            rb"\n#endif[^\n]*\n\Z",
            rb"\nvoid class_batch_destructor(void *_T) { msleep(1); }\n\g<0>",
        ),
        # A macro's text has the name, and that of who uses it has not.
        sub("mm/slab.c", rb"\bkfree\b", b"kfree_it"),
    ],
)
def test_whom_a_name_concerns_without_standing_in_his_text_is_told_as_without_a_store(
    store: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    """A callback, a guard's functions, what a macro calls: the answer is that of a cold run."""
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == checked(files, None)


ASKS = b"#ifdef EARLY\n\tmsleep(1);\n#endif\n"
DEFINES = b"#define EARLY\n"


@pytest.mark.parametrize("header", [SLEEP, HEADER, "mm/wrong_sleep.h"])
def test_a_macro_that_a_condition_in_a_body_asks_for_may_be_defined_elsewhere(
    tmp_path: Path, header: str
) -> None:
    """Before it, behind it, in what the file includes, and nowhere: as without a store."""
    source = text(SLEEP).replace(b"cond_resched();", ASKS + b"\tbarrier();")
    at = source.index(b"static void rest")
    includes = b'#include "wrong_sleep.h"\n'
    for where in (0, 1, 2, 0, 3, 1):
        files: dict[str, bytes | None] = {"mm/wrong_sleep.h": b"\n"}
        before = DEFINES if header == SLEEP and where == 1 else b""
        files[SLEEP] = includes + source[:at] + before + source[at:]
        if header == SLEEP:
            files[SLEEP] = (files[SLEEP] or b"") + (DEFINES if where == 2 else b"")
        elif where in (1, 3):
            files[header] = (b"\n" if header.startswith("mm/") else text(header)) + DEFINES
        if where == 3:
            files[SLEEP] = b"#undef EARLY\n" + (files[SLEEP] or b"")
        assert checked(files, tmp_path) == checked(files, None)


@pytest.mark.parametrize(
    "line",
    [
        b"#define barrier() msleep(1)\n",
        b"#define cond_resched() do { } while (0)\n",
        b"#define relax rest\n",
        b"#define relax(x) do { } while (0)\n",
        b"#undef cond_resched\n",
        b"#include <linux/pagewalk.h>\n",
        b'#include "memory.c"\n',
    ],
)
@pytest.mark.parametrize("name", [SLEEP, "mm/memory.c", "mm/slab.c"])
def test_a_directive_more_in_a_file_is_told_as_without_a_store(
    store: Path, tmp_path: Path, name: str, line: bytes
) -> None:
    """A macro of its own changes what a file means, an include what it sees."""
    head = text(name).index(b"#include")
    files = {name: text(name)[:head] + line + text(name)[head:]}
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == checked(files, None)


def test_a_word_that_was_searched_for_is_searched_for_again_after_parts_were_taken_over(
    tmp_path: Path, watched: Watched
) -> None:
    """The key of a static call may come to be updated in a file that nobody had looked at."""
    calls = (
        b"\n#include <linux/static_call.h>\nstatic void step_on(void) { }\n"
        b"DEFINE_STATIC_CALL(step, step_on);\n"
        b"void step_by_step(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)\n{\n"
        b"\tspinlock_t *ptl;\n\tpte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);\n\n"
        b"\tlazy_mmu_mode_enable();\n\tstatic_call(step)();\n\tlazy_mmu_mode_disable();\n"
        b"\tpte_unmap_unlock(pte, ptl);\n}\n"
    )
    updates = (
        b"\nvoid step_slowly(void) { msleep(1); }\n"
        b"void change_steps(void)\n{\n\tstatic_call_update(step, step_slowly);\n}\n"
    )
    base = {"mm/wrong_free.c": text("mm/wrong_free.c") + calls}
    first = base | sub(SLEEP, rb"cond_resched\(\);", b"msleep(1);")
    second = first | {"mm/rmap.c": text("mm/rmap.c") + updates}
    cold = [checked(files, None) for files in (base, first, second)]
    assert "step_by_step" in repr(cold[2])
    assert not watched.own
    assert [checked(files, tmp_path) for files in (base, first, second)] == cold
    assert watched.own[True]


def test_a_name_that_a_macro_pastes_together_concerns_who_uses_the_macro(
    tmp_path: Path, watched: Watched
) -> None:
    """It stands in no text; the call that it comes to has been looked up."""
    uses = (
        b"#define STEP_OR_LEAVE(x) do { if (!step_##x()) goto out; } while (0)\n"
        b"void step_by_name(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)\n{\n"
        b"\tspinlock_t *ptl;\n\tpte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);\n\n"
        b"\tlazy_mmu_mode_enable();\n\tSTEP_OR_LEAVE(once);\nout:\n\tlazy_mmu_mode_disable();\n"
        b"\tpte_unmap_unlock(pte, ptl);\n}\n"
    )
    sleeps = b"int step_once(void) { msleep(1); return 1; }\n"
    base = {SLEEP: text(SLEEP) + uses}
    there = base | {"mm/rmap.c": text("mm/rmap.c") + sleeps}
    here = there | {SLEEP: text(SLEEP) + b"static int step_once(void) { return 1; }\n" + uses}
    cold = [checked(files, None) for files in (base, there, here)]
    assert ["step_by_name" in repr(each) for each in cold] != [False] * 3
    assert cold[0] != cold[1] != cold[2]
    assert not watched.own
    assert [checked(files, tmp_path) for files in (base, there, here)] == cold
    assert watched.own[True] > 5 * watched.own[False] > 0
