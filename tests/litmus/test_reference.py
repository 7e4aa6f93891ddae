# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of operations and events: complete, and the page that is made of it."""

from __future__ import annotations

from lazymmu.contract.events import EVENTS
from lazymmu.litmus.operations import signatures
from lazymmu.litmus.reference import events, operation_table
from tools import operations_page


def test_every_operation_that_a_scenario_may_use_is_listed():
    """But constructs of the format, and a name that no kernel has."""
    constructs = {"repeat", "loop", "maybe", "choose", "either"}
    known = {one for one in signatures() if one.split()[0] not in {"if", "while"}} - constructs
    assert {one.name for one in operation_table()} == known - {"lazy_mmu_mode_flush"}
    assert all(one.summary for one in operation_table())


def test_every_event_is_listed_with_its_own_fields():
    """And what each may be, where that is a few words."""
    listed = {name: fields for name, _, fields in events()}
    assert set(listed) == set(EVENTS)
    assert "check (BUG_ON, BUG, WARN, VM_WARN)" in listed["bug"]


def test_the_page_is_made_of_the_list():
    """`python -m tools.operations_page --write` makes it anew."""
    assert operations_page.main([]) == 0
