# SPDX-License-Identifier: GPL-2.0-or-later
"""A history of commits: which are looked at, and which brought what."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.snapshot.repository import view
from lazymmu.snapshot.snapshots import tree_of
from lazymmu.verbs.lineage import key_of
from lazymmu.verbs.past.lines import CommitLine
from lazymmu.witness.source.check import check, check_with_inputs

RANGE = "v6.12.0..v7.1.0"


def asked(repository, store, **more):
    """The history of the made repository on x86."""
    return lazymmu.history(
        lazymmu.HistoryRequest(
            repository=repository,
            arches="x86",
            cache_dir=store,
            jobs=1,
            **{"range": RANGE, **more},
        )
    )


def found(result):
    """What was found, without the lines."""
    return {(key_of(one), one.severity, one.arches) for one in result.findings}


def test_a_commit_that_touches_nothing_a_result_rests_on_changes_no_result(made_repository, store):
    """Each commit that is passed over comes to what its parent came to."""
    with view(str(made_repository)) as seen:
        line = CommitLine(seen, seen.commit("v6.12.0"), seen.commit("v7.1.0"))
        options = {"arches": ["x86"], "cache_dir": store}
        before, inputs = check_with_inputs(tree_of(seen, line.old), **options)
        passed = 0
        for commit in line.commits:
            touches = bool(line.touching(inputs, [commit]))
            now, more = check_with_inputs(tree_of(seen, commit), **options)
            if not touches:
                passed += 1
                assert found(now) == found(before)
            before, inputs = now, inputs | more
        assert 0 < passed < len(line.commits)


def test_what_a_result_rests_on_is_the_same_for_facts_that_are_new_and_kept(
    made_repository, tmp_path
):
    """A second look recalls the facts, and so what they rest on."""
    with view(str(made_repository)) as seen:
        tree = tree_of(seen, seen.commit("v7.1.0"))
        first, inputs = check_with_inputs(tree, arches=["x86"], cache_dir=tmp_path)
        again, kept = check_with_inputs(tree, arches=["x86"], cache_dir=tmp_path)
        plain = check(tree, arches=["x86"], cache_dir=tmp_path)
    assert (found(again), found(plain)) == (found(first), found(first))
    assert kept >= inputs - {""}
    assert "mm/memory.c" in inputs


@pytest.mark.parametrize("every", ["release", "merge"])
def test_bisection_finds_the_commits_that_a_look_at_each_finds(made_repository, store, every):
    """And looks at fewer, where only releases are points."""
    whole = asked(made_repository, store, every="commit")
    some = asked(made_repository, store, every=every)
    known = {one.key: one for one in whole.problems}
    told = [one for one in some.problems if one.introduced and one.introduced.commit]
    assert told
    for one in told:
        assert one.introduced is not None
        other = known[one.key].introduced
        assert other is not None
        assert (one.introduced.commit, one.introduced.subject) == (other.commit, other.subject)


def test_points_of_releases_are_their_tags_and_both_ends(made_repository, store):
    """They are in the order of the history, and called by their tags."""
    answer = asked(made_repository, store)
    assert [point.name for point in answer.points] == ["v6.12.0", "v7.1.0"]
    assert [point.release for point in answer.points] == ["6.12.0-example", "7.1.0-example"]


def test_revisions_and_all_tags_are_points_by_the_order_of_their_releases(made_repository, store):
    """However they are given; without any, all tags of releases are taken."""
    named = asked(made_repository, store, range=None, trees=["v7.1.0", "v6.12.0"])
    every = asked(made_repository, store, range=None)
    assert [point.name for point in named.points] == ["v6.12.0", "v7.1.0"]
    assert named.points == every.points
    assert named.problems == every.problems


def test_a_second_run_recalls_every_look_from_the_store(made_repository, tmp_path):
    """Nothing is looked at twice, and the answer is the same."""
    first = asked(made_repository, tmp_path)
    again = asked(made_repository, tmp_path)
    assert first.made > 0
    assert (again.made, again.recalled) == (0, first.made + first.recalled)
    assert again.problems == first.problems


def test_a_run_that_is_broken_off_tells_what_it_has_and_is_gone_on_with(made_repository, tmp_path):
    """Ctrl-C loses no look that was done, and the next run makes only the others."""
    from lazymmu.verbs.past.workers import LocalWorkers

    done = []

    class Broken(LocalWorkers):
        def run(self, function, items):
            for place, result in super().run(function, items):
                if len(done) == 3:
                    raise KeyboardInterrupt
                done.append(place)
                yield place, result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lazymmu.verbs.history.workers_at", lambda *_: Broken(1))
        partial = asked(made_repository, tmp_path, every="commit")
    assert partial.interrupted
    assert partial.made == 3
    assert partial.exit_code().name == "INTERRUPTED"
    whole = asked(made_repository, tmp_path, every="commit")
    assert whole.recalled == 3
    assert not whole.interrupted


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"range": "v7.1.0..v6.12.0"}, "there is no commit in it"),
        ({"range": "v6.12.0"}, "a range has two ends"),
        ({"range": "nowhere..v7.1.0"}, "no revision 'nowhere'"),
        ({"trees": ["v6.12.0"]}, "cannot be combined"),
        ({"range": None, "every": "commit"}, "need a --range"),
    ],
)
def test_a_range_that_is_none_is_one_sentence(made_repository, store, more, said):
    """It is refused before anything is looked at, and says why."""
    with pytest.raises(lazymmu.Problem, match=said):
        asked(made_repository, store, **more)
