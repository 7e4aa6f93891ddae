# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes planted in a tree's hooks: what is stored, and a few tried here and now."""

from __future__ import annotations

import pytest

from lazymmu.litmus.run import named
from lazymmu.snapshot.tree import Tree
from tests.lift.conftest import EXAMPLES
from tools import hook_mutants
from tools.mutants import judged

SCENARIOS = ("vmap-pfn-preempted", "flush-then-use", "section-inside-section")


@pytest.fixture(scope="module")
def campaign() -> hook_mutants.HookCampaign:
    """The example's hooks on Xen, as they are."""
    tree = Tree.open(EXAMPLES / "linux-new")
    return hook_mutants.HookCampaign(tree, "x86", [named(name) for name in SCENARIOS])


def test_the_page_is_made_of_what_is_stored():
    """Who tries mutants anew has the table made anew as well."""
    tried = hook_mutants.read(hook_mutants.FILE.read_text(encoding="utf-8"))
    made = hook_mutants.table(tried, judged.reasons(hook_mutants.JUDGED))
    assert made in hook_mutants.DOCUMENT.read_text(encoding="utf-8")


def test_a_mutant_is_named_once_and_changes_its_file(campaign):
    """No two have one name, and none leaves the file as it is."""
    names = [one.name for one in campaign.mutants]
    assert len(set(names)) == len(names) > 50
    for one in campaign.mutants:
        assert one.changed != campaign.tree.read(one.file), one.name


def test_a_hook_without_its_flush_is_caught(campaign):
    """The first scenario that comes to something else is named, and what that is."""
    wanted = "xen_leave_lazy_mmu: without `leave_lazy(XEN_LAZY_MMU);`"
    (mutant,) = [one for one in campaign.mutants if one.name == wanted]
    caught = campaign.catch(mutant)
    assert caught.by in SCENARIOS
    assert caught.how


def test_the_tree_as_it_is_is_caught_by_nobody(campaign):
    """A change that changes nothing is no mistake."""
    mutant = campaign.mutants[0]
    same = hook_mutants.HookMutant(
        mutant.function, mutant.file, mutant.line, "without", "", campaign.tree.read(mutant.file)
    )
    assert campaign.catch(same).by == ""


def test_a_mutant_that_was_tried_is_stored_whatever_becomes_of_the_next(
    campaign, monkeypatch, tmp_path, capsys
):
    """A run takes hours, and may be broken off in one that takes long."""
    asked = []

    def catch(mutant, _likely):
        if asked:
            raise KeyboardInterrupt
        asked.append(mutant.name)
        return hook_mutants.Caught("x86", campaign.tree.release, mutant.name)

    monkeypatch.setattr(campaign, "catch", catch)
    monkeypatch.setattr(hook_mutants, "HookCampaign", lambda *_: campaign)
    monkeypatch.setattr(hook_mutants, "FILE", tmp_path / "tried.json")
    with pytest.raises(KeyboardInterrupt):
        hook_mutants.main(["--write", "--arch", "x86", str(EXAMPLES / "linux-new")])
    stored = hook_mutants.read((tmp_path / "tried.json").read_text(encoding="utf-8"))
    assert [one.name for one in stored] == asked
    assert asked[0] in capsys.readouterr().out
