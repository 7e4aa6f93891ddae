# SPDX-License-Identifier: GPL-2.0-or-later
"""The worst cases: what each text lets an implementation do, and what it does not."""

from __future__ import annotations

import pytest

from lazymmu.contract.deferral import WORST_CASE
from lazymmu.contract.events import Undone, Use
from lazymmu.machine import EntrySpec
from lazymmu.machine.arch.worst import WORST
from lazymmu.machine.releases import RELEASES
from lazymmu.machine.workbench import CannotError, Workbench

from .conftest import happened

PTL_HELD, NO_NESTING, COUNTED, COUNTED_TASK = "6.1.176", "6.19.6", "7.1.13", "7.3.4"
ALL = (PTL_HELD, NO_NESTING, COUNTED, COUNTED_TASK)
BOTH = ("worst-case", "worst-case-pinned")
ENTRIES = ("p = A", "k kernel", "d pmd")


def bench(arch, release, *entries, **more):
    """A workbench with a user entry, a kernel entry and one of the level above."""
    return Workbench(arch, release, *(entries or ENTRIES), **more)


def test_each_dialect_has_the_two_that_the_deferral_table_names():
    """Rows and classes go by the same names."""
    rows = {name: tuple(row.name for row in pair) for name, pair in WORST_CASE.items()}
    assert rows == {name: tuple(one.row for one in pair) for name, pair in WORST.items()}
    for release in RELEASES.values():
        rows = [release.arches[arch].row for arch in BOTH]
        assert rows == [one.row for one in WORST[release.dialect]]


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_every_store_that_may_wait_waits_until_the_end(arch, release):
    """Of user and kernel entries, of any level; memory and walks have the old ones."""
    on = bench(arch, release)
    on.do("lazy_mmu_mode_enable; set_pte p B; set_pte k C; set_pmd d A")
    assert on.pending == (("d", "set A"), ("k", "set C"), ("p", "set B"))
    assert [on.stored(name) for name in "pkd"] == ["A", None, None]
    on.do("lazy_mmu_mode_disable")
    assert on.pending == ()
    assert [on.effective(name) for name in "pkd"] == ["B", "C", "A"]


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_of_two_stores_to_an_entry_the_last_one_wins(arch, release):
    """The first is never seen, and nothing is lost by that."""
    on = bench(arch, release)
    on.do("lazy_mmu_mode_enable; set_pte p B; set_pte p C; lazy_mmu_mode_disable")
    assert on.stored("p") == "C"
    assert on.tlb("p") == {"A"}
    assert not any(isinstance(event, Undone) for event in on.events)


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_atomic_accessors_work_on_memory_and_the_store_that_waits_undoes_them(arch, release):
    """The write permission comes back: what the texts leave to the caller."""
    on = bench(arch, release)
    on.do("lazy_mmu_mode_enable; set_pte p B; ptep_set_wrprotect p")
    assert on.stored("p") == "A:ro"
    on.do("lazy_mmu_mode_disable")
    assert on.stored("p") == "B"
    assert any(isinstance(event, Undone) and event.entry == "p" for event in on.events)


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_a_flush_of_what_waits_is_done_at_once_and_in_vain(arch, release):
    """The TLB may have cached the old entry again before the store is made."""
    on = bench(arch, release)
    on.do("lazy_mmu_mode_enable; pte_clear p; flush_tlb_range p; lazy_mmu_mode_disable")
    assert (on.stored("p"), on.tlb("p"), on.costs["invalidation"]) == (None, {"A"}, 1)
    on.do("flush_tlb_range p")
    assert on.tlb("p") == frozenset()


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_a_flush_of_what_was_changed_at_once_waits_for_the_end(arch, release):
    """As on powerpc hash and sparc64, where the batch invalidates."""
    on = bench(arch, release)
    on.do("lazy_mmu_mode_enable; ptep_get_and_clear p; tlb_flush p")
    assert (on.stored("p"), on.tlb("p"), on.pending) == (None, {"A"}, (("p", "flush"),))
    on.do("lazy_mmu_mode_disable")
    assert (on.tlb("p"), on.costs["invalidation"]) == (frozenset(), 1)


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_an_update_in_an_interrupt_takes_effect_at_once(arch, release):
    """It does not join what waits, and does not push it out either."""
    on = bench(arch, release)
    on.do("lazy_mmu_mode_enable; set_pte p B")
    on.interrupt("set_pte k C; set_pte p C")
    assert (on.effective("k"), on.effective("p")) == ("C", "C")
    assert on.pending == (("p", "set B"),)


@pytest.mark.parametrize("release", [PTL_HELD, NO_NESTING])
@pytest.mark.parametrize("arch", BOTH)
def test_before_the_counters_a_section_inside_a_section_is_a_bug(arch, release):
    """So is an end without a beginning."""
    on = bench(arch, release)
    on.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable")
    assert on.bugs == ("lazy MMU mode entered twice",)
    on = bench(arch, release)
    on.do("lazy_mmu_mode_disable")
    assert on.bugs == ("lazy MMU mode left without entering it",)


@pytest.mark.parametrize("arch", BOTH)
def test_the_mode_in_an_interrupt_is_a_bug_where_the_text_forbids_it(arch):
    """The older text says nothing, the newer one makes it do nothing."""
    for release in ALL:
        on = bench(arch, release)
        on.interrupt("lazy_mmu_mode_enable; set_pte p B; lazy_mmu_mode_disable")
        forbidden = release == NO_NESTING
        assert on.bugs == (("lazy MMU mode entered in interrupt context",) if forbidden else ())
        assert forbidden or on.stored("p") == "B"


@pytest.mark.parametrize("release", [COUNTED, COUNTED_TASK])
@pytest.mark.parametrize("arch", BOTH)
def test_with_counters_an_inner_end_flushes_and_a_pause_leaves(arch, release):
    """With counters an inner end flushes and a pause leaves, so that nothing waits while paused."""
    on = bench(arch, release)
    on.do("lazy_mmu_mode_enable; lazy_mmu_mode_enable; set_pte p B; lazy_mmu_mode_disable")
    assert (on.stored("p"), on.mode()) == ("B", "on")
    on.do("set_pte p C; lazy_mmu_mode_pause; set_pte k A")
    assert (on.stored("p"), on.stored("k"), on.mode()) == ("C", "A", "off")
    on.do("lazy_mmu_mode_resume; set_pte k B; lazy_mmu_mode_disable")
    assert (on.stored("k"), on.bugs) == ("B", ())


@pytest.mark.parametrize("release", ALL)
def test_the_flush_hook_does_something_only_where_sections_nest(release):
    """No text before said what it is for."""
    on = bench("worst-case", release)
    on.do("lazy_mmu_mode_enable; set_pte p B; arch_flush_lazy_mmu_mode")
    assert on.stored("p") == ("B" if release in (COUNTED, COUNTED_TASK) else "A")


@pytest.mark.parametrize("release", [NO_NESTING, COUNTED, COUNTED_TASK])
def test_mode_and_batch_go_with_the_task_where_no_lock_is_promised(release):
    """A switch neither stores what waits nor shows the mode to somebody else."""
    on = bench("worst-case", release, tasks=2)
    on.do("lazy_mmu_mode_enable; set_pte k A")
    on.switch("T1")
    assert (on.mode(), on.pending, on.stored("k")) == ("off", (), None)
    on.do("set_pte p B")
    assert on.stored("p") == "B"
    on.switch("T0")
    assert (on.mode(), on.pending) == ("on", (("k", "set A"),))


def test_mode_and_batch_stay_with_the_cpu_where_a_lock_is_promised():
    """Who breaks that promise leaves them to the next task, as sparc64 did."""
    on = bench("worst-case", PTL_HELD, tasks=2)
    on.do("lazy_mmu_mode_enable; set_pte k A")
    on.switch("T1")
    assert (on.mode(), on.pending) == ("on", (("k", "set A"),))
    on.do("set_pte p B")
    assert on.stored("p") == "A"


@pytest.mark.parametrize("release", ALL)
def test_the_pinned_one_is_not_preempted_and_must_not_sleep(release):
    """One of the two is what a caller that sleeps meets, the other what one that is preempted."""
    on = bench("worst-case-pinned", release, tasks=2)
    on.do("lazy_mmu_mode_enable")
    with pytest.raises(CannotError, match="cannot switch from T0 to T1"):
        on.switch("T1")
    with pytest.raises(CannotError, match="waits"):
        on.do("schedule")
    on.switch("T1")
    assert on.bugs == ("scheduling while atomic",)


@pytest.mark.parametrize("release", ALL)
def test_the_pinned_one_gives_preemption_back(release):
    """At the end the task can be preempted again."""
    on = bench("worst-case-pinned", release, tasks=2)
    on.do("lazy_mmu_mode_enable; set_pte p B; lazy_mmu_mode_disable")
    on.switch("T1")
    assert on.running() == "T1"


@pytest.mark.parametrize("arch", BOTH)
def test_on_preempt_rt_a_lock_inside_a_section_sleeps(run, arch):
    """kasan's callbacks in small: with preemption off the wait for the lock is a BUG."""
    section = "lazy_mmu_mode_enable; spin_lock L; ptep_get p; spin_unlock L; lazy_mmu_mode_disable"
    found = run(arch, NO_NESTING, section, "spin_lock L; spin_unlock L", cpus=2, rt=True)
    bug = happened(found, "Bug", condition="scheduling while atomic")
    assert bug == (arch == "worst-case-pinned")


LOCKED = (
    "spin_lock L; lazy_mmu_mode_enable; ptep_get_and_clear p; set_pte q A; "
    "lazy_mmu_mode_disable; flush_tlb_range p; spin_unlock L; settle p"
)
READS = "spin_lock L; ptep_get q; spin_unlock L; access p"
PAIR = (EntrySpec("p", value="A"), EntrySpec("q"))


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_code_that_keeps_to_the_text_survives_the_worst(run, arch, release):
    """Locks around the section, TLB flush after it: move_ptes() in small."""
    found = run(arch, release, LOCKED, READS, entries=PAIR, cpus=2)
    assert not happened(found, "Undone")
    assert not happened(found, "Use", what="stale")
    assert not happened(found, "Bug")
    for state in found.ends:
        here = found.machine.here(list(state), 0)
        assert [here.entry(name).stored for name in "pq"] == [None, "A"]


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_a_flush_inside_the_section_does_not_survive_it(run, arch, release):
    """pagemap_scan_pmd_entry() in small: another CPU may use the old translation afterwards."""
    early = LOCKED.replace("set_pte q A; ", "set_pte q A; flush_tlb_range q; ").replace(
        "flush_tlb_range p; spin_unlock L; settle p", "spin_unlock L; settle q"
    )
    entries = (EntrySpec("p", value="A"), EntrySpec("q", value="B"))
    found = run(arch, release, early, "access q", entries=entries, cpus=2)
    assert happened(found, "Use", what="stale", entry="q")


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize("arch", BOTH)
def test_places_remembered_and_run_again_agree(run, arch, release):
    """Cached and uncached threads take the same steps."""
    text = "lazy_mmu_mode_enable; set_pte p B; lazy_mmu_mode_disable"
    one = run(arch, release, text, "set_pte q A", entries=PAIR, cached=True)
    other = run(arch, release, text, "set_pte q A", entries=PAIR, cached=False)
    assert (len(one.states), len(one.transitions)) == (len(other.states), len(other.transitions))


def test_what_was_used_is_told_as_the_page_it_is():
    """A use of a translation that nothing changed is no stale one."""
    on = bench("worst-case", COUNTED)
    on.do("access p")
    assert [event.what for event in on.events if isinstance(event, Use)] == ["page"]
