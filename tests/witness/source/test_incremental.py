# SPDX-License-Identifier: GPL-2.0-or-later
"""A check that uses what earlier checks kept says what one without says, whatever has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.witness.source import analyse_arch
from lazymmu.witness.source.arch_result import ArchResult
from tests.witness.source.edits import ARCHES, TREE, Edits, Files, checked, some_edits


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the facts of the tree as it is: of each key only the last few are kept."""
    folder = tmp_path_factory.mktemp("filled")
    checked({}, folder)
    return folder


EDITS = Edits(TREE)


@given(data=st.data())
@some_edits
def test_an_edited_tree_is_told_as_if_nothing_had_been_kept(
    store: Path, data: st.DataObject
) -> None:
    """After each of a sequence of edits the incremental answer equals the cold one."""
    files: Files = {}
    for _ in range(data.draw(st.integers(1, 4), label="edits")):
        files = EDITS.edited(files, data)
        assert checked(files, store) == checked(files, None)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("mm/memory.c", b"", b"/* a comment\n * of two lines */\n"),
        ("include/linux/pgtable.h", b"", b"/* a comment */\n"),
        ("include/linux/pgtable.h", b"\n#endif", b"\n\n/* another */\n#endif"),
        ("mm/memory.c", b"int err = 0;", b"int err = 0; /* a note */"),
        ("mm/memory.c", b"int err = 0;", b"\n\t/* a note\n\t * of two lines */\n\tint err = 0;"),
        ("mm/memory.c", b"", b"static void nobody_calls(void)\n{\n\tcond_resched();\n}\n"),
        ("Kconfig", b"", b"# a comment\n"),
        ("mm/Makefile", b"", b"obj-$(CONFIG_NOBODY_HAS_IT) += memory.o\n"),
        ("mm/wrong_sleep.c", b"<linux/slab.h>\n", b"<linux/slab.h>\n#include <linux/pagewalk.h>\n"),
        ("mm/wrong_sleep.c", b"#include <linux/slab.h>\n", b"#include <linux/slab.h> /* it */\n"),
        ("mm/memory.c", b"", b"#define NOBODY_SAYS_IT 1\n"),
        ("mm/memory.c", b"", b"#undef NOBODY_SAYS_IT\n"),
    ],
)
def test_what_nobody_asked_for_is_computed_once(
    filled: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: bytes, new: bytes
) -> None:
    """An edit that changes nothing that the analysis asked for does not begin it again."""
    text = EDITS.text({}, name)
    assert old in text
    files: Files = {name: text.replace(old, new, 1)}
    cold = checked(files, None)

    def computed(*_: object) -> None:
        raise AssertionError("an architecture is looked at again")

    monkeypatch.setattr(analyse_arch, "_computed", computed)
    assert checked(files, filled) == cold


def test_a_file_that_was_looked_for_is_an_input_by_what_it_holds(filled: Path) -> None:
    """A file of which it was asked whether it is there, and what it defines, may not change."""
    name = "drivers/misc/window.c"
    # Nobody builds the copy: to say why, it is looked which files there are beside it.
    files: Files = {"mm/right_guard_copy.c": EDITS.text({}, "mm/right_guard.c")}
    checked(files, filled)
    text = EDITS.text({}, name)
    files[name] = text.replace(b"int place_slot(", b"int place_slot_new(", 1)
    assert files[name] != text
    assert checked(files, filled) == checked(files, None)


def test_what_is_used_again_outlives_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many edits are checked, what each of them rests on stays kept."""
    name, plain = "mm/memory.c", analyse_arch._computed
    text = EDITS.text({}, name)
    begun: list[None] = []

    def computed(*given: Any) -> ArchResult | None:
        begun.append(None)
        return plain(*given)

    monkeypatch.setattr(analyse_arch, "_computed", computed)
    checked({}, tmp_path)
    assert len(begun) == len(ARCHES)
    for number in range(8):
        # What a macro comes to is nothing that could be computed again by itself.
        edited = b"#define EDIT_%d int err = 0\n" % number + text.replace(
            b"int err = 0;", b"EDIT_%d;" % number
        )
        checked({name: edited}, tmp_path)
        checked({name: b"/* edit %d */\n" % number + text}, tmp_path)
    assert len(begun) == 9 * len(ARCHES)
