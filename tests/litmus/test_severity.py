# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom a broken rule hurts: the table that `check` reads is what the scenarios show."""

from __future__ import annotations

import pytest

from lazymmu.contract.deferral import ROW_BY_NAME, severity_table
from lazymmu.contract.rules import RULES
from lazymmu.litmus.run import library, load, named
from lazymmu.litmus.to_config import to_query
from lazymmu.witness.machine.harm_attribution import attribute_harms
from tools.severity_table import measure, render

HEAD = 'litmus example\n"One."\nmachine: cpus 2, bound 0\n'


def _blame(text, rule, arch, release, *also):
    return attribute_harms(
        to_query(load(HEAD + text, "example.litmus"), arch, release), rule, named=also
    )


def test_the_table_is_what_the_scenarios_show():
    """Made anew, it is the file: whoever changes a scenario or a machine makes it again."""
    assert render(measure(library())) == severity_table.FILE.read_text(encoding="utf-8")


def test_the_table_reads_back():
    """What is written is what is read."""
    assert severity_table.read(render(severity_table.table())) == severity_table.table()


def test_every_entry_names_what_exists():
    """A rule that binds somebody, a row, a scenario that names the rule."""
    for key, shown in severity_table.table().items():
        assert key.row in ROW_BY_NAME
        assert key.rule in RULES
        assert key.rule in named(shown.scenario).rules


SLEEP = """
entries: p pte user ptl L = A; q pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    schedule
    lazy_mmu_mode_disable
"""


@pytest.mark.parametrize(
    ("arch", "release", "harms"),
    [
        ("powerpc", "7.1.13", ("kernel-bug", "kernel-warning")),
        ("x86", "7.1.13", ()),
        ("arm64", "7.1.13", ()),
    ],
)
def test_a_sleep_is_blamed_where_it_does_harm(arch, release, harms):
    """powerpc hash disables preemption; Xen PV and arm64 take the mode along."""
    assert _blame(SLEEP, "sleep-in-section", arch, release) == {"": harms}


BOTH = """
entries: p pte user ptl L = A
task T0 on cpu0:
    pte_offset_map_lock L
    lazy_mmu_mode_enable
    pte_clear p
    if pte_present p:
        set_pte p A:ro
    pte_unmap_unlock L
    lazy_mmu_mode_disable
finally: p = none
"""


def test_what_comes_after_another_breach_is_blamed_on_nobody():
    """The read loses an update before the lock is dropped; by itself the drop shows nothing."""
    assert _blame(BOTH, "unlock-before-flush", "x86", "7.1.13", "section-outside-lock") == {}
    assert _blame(BOTH, "stale-read", "x86", "7.1.13") == {"": ("lost-update",)}


EARLY = """
entries: p pte user ptl L = A
task T0 on cpu0:
    pte_offset_map_lock L
    lazy_mmu_mode_enable
    pte_clear p
    free_page A
    lazy_mmu_mode_disable
    pte_unmap_unlock L
task T1 on cpu1:
    access p
"""


def test_a_harm_that_comes_without_the_mode_too_is_not_blamed_on_it():
    """Who frees a page before any TLB flush is wrong with and without a section."""
    assert _blame(EARLY, "free-before-flush", "x86", "7.1.13") == {"frees": ()}
    assert _blame(EARLY, "free-before-flush", "powerpc", "7.1.13") == {
        "frees": ("stale-translation-used",)
    }


def test_a_rule_that_is_not_broken_is_blamed_for_nothing():
    """No way of breaking it is shown."""
    right = SLEEP.replace("    schedule\n", "")
    assert _blame(right, "sleep-in-section", "powerpc", "7.1.13") == {}


def test_a_machine_that_no_kernel_is_shows_nothing():
    """A machine that no kernel is, as powerpc with PREEMPT_RT, shows nothing of who is hurt."""
    text = SLEEP
    scenario = load(HEAD.replace("bound 0", "rt yes") + text, "example.litmus")
    assert attribute_harms(to_query(scenario, "powerpc", "6.1.176"), "sleep-in-section") == {}
