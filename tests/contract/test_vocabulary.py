# SPDX-License-Identifier: GPL-2.0-or-later
"""The vocabulary: complete, cited, checked when it is read, and true of real trees."""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lazymmu.contract import vocabulary
from lazymmu.contract.vocabulary import VocabularyError, load, read

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the data files that a test may spoil."""
    home = files(vocabulary)
    assert isinstance(home, Path)
    for file in home.glob("*.toml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def spoil(data: Path, file: str, old: str, new: str) -> str:
    """Replace `old` by `new` in one data file and return what reading it says."""
    text = (data / file).read_text(encoding="utf-8")
    assert old in text
    (data / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(VocabularyError) as caught:
        read(data)
    message = str(caught.value)
    assert file in message
    assert "\n" not in message
    return message


def test_it_is_read_once() -> None:
    """The vocabulary is read once, so that loading it again costs nothing."""
    assert load() is load()


def test_every_era_of_the_mode_is_there() -> None:
    """arch_*, lazy_mmu_mode_* and the calls that name a task."""
    mode = load().mode
    assert (mode["arch_enter_lazy_mmu_mode"].action, mode["arch_enter_lazy_mmu_mode"].layer) == (
        "enable",
        "arch",
    )
    assert mode["lazy_mmu_mode_pause"].layer == "generic"
    assert mode["__task_lazy_mmu_mode_resume"].whose == 0


def test_what_xen_queues_is_deferred_and_what_is_atomic_is_not() -> None:
    """R12: set_pte() and modify_prot_commit() are queued, exchange and compare are not."""
    entries = load().entries
    for name in ("set_pte", "set_ptes", "pte_clear", "set_pmd_at", "ptep_modify_prot_commit"):
        assert entries[name].how == "deferred"
    for name in ("ptep_get_and_clear", "ptep_set_wrprotect", "ptep_try_set", "pmdp_establish"):
        assert entries[name].how == "immediate"
    assert entries["ptep_get"].operation == "read"
    assert entries["ptep_clear_flush"].flushes_tlb


def test_the_special_lock_comes_before_the_general_one() -> None:
    """`init_mm.page_table_lock` is looked for before any mm's."""
    first, *rest = load().lock_fields["page_table_lock"]
    assert (first.object, first.cls) == ("init_mm", "kernel-pt")
    assert [field.cls for field in rest] == ["mm"]


def test_a_lock_call_tells_where_the_lock_is() -> None:
    """By argument, by value, by an argument that receives it, or by a member."""
    locks = load().locks
    assert locks["pte_offset_map_lock"].out == 3
    assert locks["pte_unmap_unlock"].lock == 1
    assert locks["pmd_lock"].returns == "lock"
    assert locks["page_vma_mapped_walk"].field == "ptl"
    assert locks["double_pt_lock"].also == (1,)
    assert locks["spin_lock_bh"].pin == "bh"


def test_flags_of_allocations_either_block_or_do_not() -> None:
    """The two sets are apart, and the usual names are in them."""
    words = load()
    assert not words.gfp_blocking & words.gfp_nonblocking
    assert {"GFP_KERNEL", "__GFP_DIRECT_RECLAIM"} <= words.gfp_blocking
    assert {"GFP_ATOMIC", "GFP_NOWAIT"} <= words.gfp_nonblocking


@pytest.mark.parametrize(
    ("context", "states"),
    [
        ("any context.", "no"),
        ("any context. takes and releases the rcu lock.", "no"),
        ("may sleep.", "yes"),
        ("can sleep", "yes"),
        ("process context. may sleep.", "yes"),
        ("process context. @folio must be locked. will not sleep.", "no"),
        ("may only be called from process context. does not sleep.", "no"),
        ("user context only. this function may sleep if pagefaults are enabled.", "yes"),
        ("softirq or process context.", "no"),
        ("the caller holds the page table lock.", "no"),
        ("the caller must hold the inode's lock.", ""),
        ("process context.", ""),
    ],
)
def test_what_kernel_doc_says_of_a_context_is_understood(context: str, states: str) -> None:
    """Whether a function sleeps is often written above it."""
    said = next(
        (p.sleeps for pattern, p in load().context_phrases if re.search(pattern, context)), ""
    )
    assert said == states


def test_every_word_has_a_source() -> None:
    """No name without the file of the kernel that defines it."""
    words = load()
    for table in (words.mode, words.entries, words.locks, words.sleeps, words.tlb, words.frees):
        for name, word in table.items():
            assert word.source, name


def test_a_missing_file_is_named(data: Path) -> None:
    """The vocabulary is whole or it is not there."""
    (data / "tlb.toml").unlink()
    with pytest.raises(VocabularyError, match=r"tlb\.toml: cannot be read"):
        read(data)


def test_broken_toml_is_named_with_its_place(data: Path) -> None:
    """A slip of the keyboard is found by its line."""
    assert "line" in spoil(data, "mode.toml", "[[group]]", "[[group]")


def test_a_wrong_value_is_named(data: Path) -> None:
    """An action that is none of the possible ones."""
    said = spoil(data, "mode.toml", 'action = "enable"', 'action = "enter"')
    assert said == ("mode.toml: `arch_enter_lazy_mmu_mode` has a wrong value for `action`: 'enter'")


def test_a_number_that_is_no_argument_is_named(data: Path) -> None:
    """Arguments are counted from 0, and from the end with a minus."""
    assert "wrong value for `entry`: 99" in spoil(data, "entries.toml", "entry = 2", "entry = 99")
    assert "wrong value" in spoil(data, "entries.toml", "entry = 99", "entry = true")


def test_an_unknown_key_is_named(data: Path) -> None:
    """A misspelt key would otherwise be a default."""
    assert "unknown key `entri`" in spoil(data, "entries.toml", "entry = 2", "entri = 2")


def test_a_missing_key_is_named(data: Path) -> None:
    """What has no default must be there."""
    assert "has no `kind`" in spoil(data, "pins.toml", 'kind = "preempt"\n', "")


def test_a_missing_source_is_named(data: Path) -> None:
    """A word without a source is named, because every word is cited."""
    assert "has no source" in spoil(data, "frees.toml", "source = ", "why = ")


def test_a_name_twice_is_named(data: Path) -> None:
    """Two meanings for one name in one file are a mistake."""
    said = spoil(data, "frees.toml", "call.folio_put =", "call.free_page =")
    assert "`free_page` is there twice" in said


def test_a_name_that_is_no_identifier_is_named(data: Path) -> None:
    """A name that is no identifier of C is named, because names are matched against C."""
    assert "no C identifier" in spoil(data, "tlb.toml", "call.tlb_flush", 'call."tlb flush"')


def test_a_broken_expression_is_named(data: Path) -> None:
    """Phrases are compiled when they are read."""
    assert "contexts.toml" in spoil(data, "contexts.toml", 'pattern = "', 'pattern = "(')


def test_flags_of_both_kinds_are_named(data: Path) -> None:
    """A flag cannot block and not block."""
    said = spoil(data, "sleeps.toml", '"GFP_ATOMIC"', '"GFP_KERNEL"')
    assert said == "sleeps.toml: [gfp] `GFP_KERNEL` is both blocking and not"


def test_an_unknown_table_is_named(data: Path) -> None:
    """A table that nobody reads would be lost silently."""
    assert "no table `groups`" in spoil(data, "tlb.toml", "[[group]]", "[[groups]]")


TYPES = {"pte": "pte_t", "pmd": "pmd_t", "pud": "pud_t", "p4d": "p4d_t", "pgd": "pgd_t"}


@pytest.mark.parametrize("version", ["6.1.176", "6.12.8", "6.17.8", "7.3"])
def test_accessors_take_an_entry_where_the_vocabulary_says(
    kernel_tree: Callable[[str], Path], version: str
) -> None:
    """The prototypes in the headers of real trees agree with the argument numbers."""
    root = kernel_tree(version) / "include"
    entries = load().entries
    seen = 0
    for file in ("linux/pgtable.h", "asm-generic/hugetlb.h", "linux/hugetlb.h"):
        text = (root / file).read_text(encoding="utf-8")
        heads = re.finditer(r"^[\w*][\w\s*]*?[\s*](\w+)\(([^;{}()]*)\)", text, re.M)
        for name, arguments in (head.groups() for head in heads):
            word = entries.get(name)
            if word is None or "_t *" not in arguments:
                continue
            seen += 1
            given = [argument.strip() for argument in arguments.split(",")]
            kind = "pte_t" if "huge_pte" in name else TYPES[word.level]
            assert f"{kind} *" in given[word.entry], name
            if word.mm is not None:
                assert "mm_struct" in given[word.mm], name
            if word.vma is not None:
                assert "vm_area_struct" in given[word.vma], name
    assert seen > 30
