# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of docs/lift.rst: what is lifted from trees beside what was written by hand."""

from __future__ import annotations

import json

import pytest

from lazymmu.litmus.run import library, named
from tests.lift.conftest import EXAMPLES
from tests.lift.test_static_keys import SCENARIO, SETUP, keyed
from tools import agreement

SAMPLE = ("vmap-pfn-preempted", "fork-inside-section", "section-inside-section", "use-before-leave")


@pytest.fixture(scope="module")
def rows() -> list[agreement.Agreement]:
    """What is stored."""
    return agreement.read(agreement.FILE.read_text(encoding="utf-8"))


def test_the_table_is_made_of_what_is_stored(rows):
    """Who measures anew has the page made anew as well."""
    assert agreement.table(rows) in agreement.DOCUMENT.read_text(encoding="utf-8")


def test_all_scenarios_that_ship_were_asked():
    """A scenario that is added later is to be measured, too."""
    stored = json.loads(agreement.FILE.read_text(encoding="utf-8"))
    assert stored["asked"] == sorted(scenario.name for scenario in library())


OTHER_CODE = {("x86", "5.10.262"): 2, ("sparc", "5.10.262"): 22, ("powerpc", "5.10.262"): 1}
"""Trees that are not what the machine was written for, and in how many scenarios that shows: why,
docs/lift.rst says of each."""


def test_what_is_lifted_says_what_the_machine_says(rows):
    """Xen state for state, each architecture by verdict; each way can be taken on the other."""
    measured = [row for row in rows if not row.refused and (row.arch, row.tree) not in OTHER_CODE]
    assert measured
    for row in measured:
        assert row.fine == row.scenarios, row
        assert row.taken == row.ways, row
        if row.arch == "x86":
            assert (row.states, row.differs) == (row.scenarios, ()), row


def test_trees_that_differ_are_named_with_their_scenarios(rows):
    """What differs is listed, and nothing that agrees is set aside."""
    differing = {
        (row.arch, row.tree): row.scenarios - row.fine for row in rows if row.fine != row.scenarios
    }
    assert differing == OTHER_CODE
    for row in rows:
        if (row.arch, row.tree) in OTHER_CODE:
            assert len(row.differs) >= row.scenarios - row.fine, row


def test_a_sample_is_measured_here_and_now():
    """The example's hooks are those of 7.1, state for state, and ways are taken on either."""
    (one,) = agreement.measure(EXAMPLES / "linux-new", "x86", [named(name) for name in SAMPLE])
    assert (one.states, one.coarse, one.fine) == (len(SAMPLE),) * 3
    assert one.taken == one.ways > 0


def test_an_architecture_that_a_release_lacks_is_refused():
    """arm64 had no such mode before v6.16."""
    (one,) = agreement.measure(EXAMPLES / "linux-old", "arm64", [])
    assert "arm64" in one.refused


def test_a_key_that_may_be_either_has_a_row_for_each_of_its_values(asked):
    """Each is held against the machine that was written, and the table says which it is."""
    tree = keyed(asked, before=f"DEFINE_STATIC_KEY_FALSE(xen_key);{SETUP}")
    several = agreement.measure(tree, "x86", [named(SCENARIO)])
    assert [one.keys for one in several] == ["xen_key off", "xen_key on"]
    assert [(one.states, one.coarse, one.fine) for one in several] == [(1, 1, 1), (0, 0, 0)]
    assert [one.differs for one in several] == [(), (SCENARIO,)]
    release = several[0].tree
    table = agreement.table(several)
    assert f"     - {release} with xen_key off\n" in table
    assert f"- x86, Xen PV, {release} with xen_key on differs in {SCENARIO}." in table
    assert agreement.read(agreement.render(several)) == several


def test_more_keys_than_there_are_machines_for_are_refused_in_the_table(asked):
    """What `verify` says of such a tree is told, and it is no error of the tool."""
    names = ("a_key", "b_key", "c_key")
    setup = "DEFINE_STATIC_KEY_FALSE({0});\nvoid {0}_up(void)\n{{\n\tswitch_key(&{0});\n}}\n"
    before = "".join(setup.format(name) for name in names)
    flushes = " || ".join(f"!static_branch_unlikely(&{name})" for name in names)
    (one,) = agreement.measure(keyed(asked, flushes=flushes, before=before), "x86", [])
    assert one.refused.startswith("3 static keys that may be either")
    assert one.refused in agreement.table([one])
