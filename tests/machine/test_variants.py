# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine shows does not depend on how finely it is cut, or on who fills the TLBs."""

from __future__ import annotations

import pytest

from lazymmu.machine import EntrySpec, IrqSpec

from .conftest import program

KERNEL = (EntrySpec("p", space="kernel", value="A"), EntrySpec("q", space="kernel"))
SECTION = (
    "lazy_mmu_mode_enable; set_pte p B; flush_tlb_range p; set_pte q B; settle q; access q; "
    "lazy_mmu_mode_disable; settle p"
)
IRQ = (IrqSpec("I", program("set_pte q C"), cpu=0),)

MACHINES = [
    ("arm64", "6.16-rc1"),
    ("arm64", "6.19.6"),
    ("arm64", "7.3"),
    ("worst-case", "6.1.176"),
    ("worst-case", "6.19.6"),
    ("worst-case", "7.3"),
    ("worst-case-pinned", "6.19.6"),
    ("worst-case-pinned", "7.3"),
    ("s390", "7.3"),
]


def shown(found):
    """Everything that happened in some step of some run, without when and in which order."""
    return {
        (type(event).__name__, event.task, *parts(event))
        for _, _, events, _ in found.transitions
        for event in events
    }


def parts(event):
    """The fields of an event that say what it is."""
    names = ("entry", "what", "condition", "by", "at", "mode", "pending", "why", "how")
    return tuple((name, getattr(event, name)) for name in names if hasattr(event, name))


@pytest.mark.parametrize(("arch", "release"), MACHINES)
def test_local_steps_hide_nothing(run, arch, release):
    """With every local step a step of its own, the same things happen."""
    coarse, fine = (
        run(
            arch, release, SECTION, "set_pte q A", entries=KERNEL, interrupts=IRQ, merge_steps=merge
        )
        for merge in (True, False)
    )
    assert shown(coarse) == shown(fine)
    assert len(fine.states) > len(coarse.states)


@pytest.mark.parametrize(("arch", "release"), MACHINES)
def test_walks_find_no_more_than_what_a_tlb_is_taken_to_hold(run, arch, release):
    """Fills as steps of their own lead to the same uses of translations."""
    programs = (
        "lazy_mmu_mode_enable; set_pte p B; flush_tlb_range p; lazy_mmu_mode_disable; settle p",
        "access p; access p",
    )
    taken, walked = (
        run(arch, release, *programs, entries=KERNEL[:1], cpus=2, walks=walks)
        for walks in (False, True)
    )
    uses = [{item for item in shown(one) if item[0] == "Use"} for one in (taken, walked)]
    assert uses[0] == uses[1]
