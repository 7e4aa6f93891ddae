# SPDX-License-Identifier: GPL-2.0-or-later
"""`verify` and `litmus`: search what machines can do, or take earlier counterexamples again."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Witness
from lazymmu.crosscheck.trace_writer import render_trace
from lazymmu.litmus import shipped
from lazymmu.litmus.judge import judge
from lazymmu.litmus.port import ARCH as PORT
from lazymmu.litmus.read import LitmusError
from lazymmu.litmus.run import (
    Run,
    RunLimits,
    implementations,
    known_as,
    load,
    named,
    runs,
)
from lazymmu.litmus.run import names as there_are
from lazymmu.litmus.to_config import to_query
from lazymmu.litmus.vary import vary
from lazymmu.problem import Problem
from lazymmu.verbs import names, search_pool
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.given import Given, read, several
from lazymmu.verbs.port import ported
from lazymmu.verbs.replays import replayed
from lazymmu.verbs.tree_runs import of_trees, surely_differs
from lazymmu.verbs.verify_named import bases, in_full, known_in
from lazymmu.verbs.what_if import asked_for, each_subset
from lazymmu.witness.machine.verdict import PSEUDO, SearchOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.crosscheck.values import RenderedTrace
    from lazymmu.explore import Engine
    from lazymmu.litmus.judge import Judgement
    from lazymmu.litmus.scenario import Scenario
    from lazymmu.snapshot.snapshots import Snapshot
    from lazymmu.verbs.lifting import LiftedTree
    from lazymmu.verbs.search_pool import Show
    from lazymmu.witness.machine.verdict import Counterexample, Verdict
    from lazymmu.witness.source.check import Where

__all__ = ["VerifyAnswer", "VerifyRequest", "catalogue", "scenarios", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """A question for `verify`: all that `lazymmu verify` and `lazymmu litmus` can be asked.

    Collections may be of any kind, and one alone needs none around it; they are kept as tuples.
    Without anything, it is each small scenario on the implementations that it is most about.

    :param scenarios: names of scenarios that ship.
    :param files: litmus files, instead of those that ship.
    :param rule: only scenarios about this rule, or those named, and no other is watched.
    :param arches: only these architectures of machines; with ``all`` among them, all.
    :param releases: only these releases of the kernel, or releases with these features.
    :param everything: each release, and large scenarios, too.
    :param replay: a JSON result whose counterexamples are taken again, without a search.
    :param port: a Python file with an implementation, which is run.
    :param cpus: another number of CPUs than the scenario's.
    :param tasks: another number of tasks than the scenario's.
    :param preempt: another preemption model than the scenario's.
    :param rt: with PREEMPT_RT; None leaves it to the scenario.
    :param what_if: features of the machines, each `FEATURE=VALUE`, that are to be otherwise; every
        subset of them is a machine of its own, beside the one without any.
    :param bound: at most so many involuntary preemptions in one run.
    :param max_states: after so many states a search ends.
    :param max_bytes: a search whose tables need more ends.
    :param seconds: after so many a search ends.
    :param engine: what searches, one of `explore.search.ENGINES`.
    :param jobs: searches at a time; None for one per processor.
    :param traces: tell counterexamples as traces, too.
    :param tree: top directory of a Linux source tree, an open one, or a snapshot, whose own C the
        machines run.
    :param compare: another tree: only what differs between both is told.
    :param since: a revision of the tree's repository, or a range of two, to compare with: the tree
        as it was there, or in its merge base with that.
    :param exact: compare with that revision, not with the merge base.
    :param diff: a patch, mail or mailbox: the tree without it and with it are compared.
    :param steps: what is one step of the tree's C: each access that others may see or change, or
        with ``coarse`` a whole hook, as in the machines that were written by hand.
    :param core_mm: whether the tree's core-mm code is lifted as well, as far as it is understood.
    :param cache_dir: folder of the tree's cache, None for nowhere.
    """

    scenarios: Sequence[str] = ()
    files: Sequence[Given] = ()
    rule: str | None = None
    arches: Sequence[str] = ()
    releases: Sequence[str] = ()
    everything: bool = False
    replay: Given | None = None
    port: str | os.PathLike[str] | None = None
    cpus: int | None = None
    tasks: int | None = None
    preempt: Literal["none", "voluntary", "full", "lazy"] | None = None
    rt: bool | None = None
    what_if: Sequence[str] = ()
    bound: int | None = None
    max_states: int | None = None
    max_bytes: int | None = None
    seconds: float | None = None
    engine: Engine = "auto"
    jobs: int | None = None
    traces: bool = False
    tree: Where | Snapshot | None = None
    compare: Where | Snapshot | None = None
    since: str | None = None
    exact: bool = False
    diff: Given | None = None
    steps: Literal["coarse", "fine"] = "fine"
    core_mm: Literal["lifted", "by-hand"] = "by-hand"
    cache_dir: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Keep collections as tuples, so that a request cannot change once it is made."""
        for name in ("scenarios", "files", "arches", "releases", "what_if"):
            object.__setattr__(self, name, several(getattr(self, name)))

    @property
    def differs(self) -> bool:
        """Whether only what differs between two trees is told."""
        return not (self.compare is self.since is self.diff is None)

    @property
    def limits(self) -> RunLimits:
        """How far a search goes, and with which engine."""
        return RunLimits(self.engine, self.bound, self.max_states, self.max_bytes, self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAnswer:
    """The results of searches.

    :param request: the question.
    :param done: the runs that were made, each with its verdict.
    :param judged: each verdict beside the expectation of its scenario.
    :param wanted: the number of runs that were to be made.
    :param interrupted: whether the user interrupted the searches.
    :param idle: scenarios of files that were not run, because they expect nothing of the chosen
        implementations.
    :param traces: for each violated run its counterexamples as traces, up to the first that a
        trace can show; only if the request has `traces`.
    :param lifted: what was lifted from the tree of the request, or refused.
    """

    request: VerifyRequest
    done: tuple[tuple[Run, Verdict], ...] = ()
    judged: tuple[Judgement, ...] = ()
    wanted: int = 0
    interrupted: bool = False
    idle: tuple[Scenario, ...] = ()
    traces: tuple[tuple[tuple[Verdict, Counterexample, RenderedTrace], ...], ...] = ()
    lifted: tuple[LiftedTree, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict of each run."""
        return tuple(verdict for _, verdict in self.done)

    @property
    def likened(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Each release that was asked for and not read.

        Its name, the release that was taken for it, and the implementations of that which were run,
        with the releases that have them.
        """
        features = there_are()[2]
        found = []
        for name in self.request.releases:
            taken = known_as(name)
            if name and name not in features and taken != name:
                ran = (known_in(run.feature) for run, _ in self.done if run.release == taken)
                found.append((name, taken, tuple(dict.fromkeys(ran))))
        return tuple(found)

    @property
    def findings(self) -> tuple[Counterexample, ...]:
        """The counterexamples of all runs, one for each rule that can be broken."""
        return tuple(broken for verdict in self.verdicts for broken in verdict.violations)

    @property
    def same_machines(self) -> bool:
        """Whether two trees were compared, and are the same machine on each architecture."""
        found: dict[tuple[str, str], set[str]] = {}
        for one in self.lifted:
            found.setdefault((one.arch, one.keys), set()).add(one.content)
        alike = all(len(every) == 1 and every != {""} for every in found.values())
        return self.request.differs and bool(found) and alike

    def exit_code(self) -> ExitCode:
        """The exit code of the command: files are judged by what they expect.

        Two trees that are the same machine were not compared in anything.
        """
        if self.request.differs and self.wanted and not self.interrupted:
            if self.done:
                return ExitCode.FOUND if surely_differs(self.done) else ExitCode.INCONCLUSIVE
            lost = self.same_machines or any(one.refused for one in self.lifted)
            return ExitCode.INCONCLUSIVE if lost else ExitCode.CLEAN
        if not self.done and not self.interrupted:
            return ExitCode.INCONCLUSIVE
        if self.request.files:
            if any(one.met is False for one in self.judged):
                return ExitCode.FOUND
            unsure = self.interrupted or any(one.met is None for one in self.judged)
            return ExitCode.INCONCLUSIVE if unsure else ExitCode.CLEAN
        answers = {verdict.verdict for verdict in self.verdicts}
        if self.interrupted:
            return ExitCode.INCONCLUSIVE
        if SearchOutcome.VIOLATED in answers:
            return ExitCode.FOUND
        if any(one.refused for one in self.lifted):
            return ExitCode.INCONCLUSIVE
        unsure = bool(answers & {SearchOutcome.INCONCLUSIVE, SearchOutcome.NEVER_OCCURS})
        nothing = answers == {SearchOutcome.NOT_APPLICABLE}
        return ExitCode.INCONCLUSIVE if unsure or nothing else ExitCode.CLEAN


def verify(asked: VerifyRequest, *, progress: Show | None = None) -> VerifyAnswer:
    """Search every interleaving of machines for ways to break the contract.

    After Ctrl-C the answer has the runs that were finished.

    :param asked: the question.
    :param progress: called with a scenario's name, how many runs are made, and of how many.
    :returns: the verdict of each run.
    :raises lazymmu.Problem: the request cannot be met; its text is one sentence for the user.
    """
    port = None if asked.port is None else os.fspath(asked.port)
    asked_for(asked.what_if)  # whatever is wrong with it is said before anything is searched
    if asked.what_if and asked.replay is not None:
        raise Problem("--with makes machines to search, and --replay searches none")
    if asked.tree is not None:
        return _of_tree(asked, asked.tree, progress)
    if asked.differs:
        raise Problem("--compare, --since and --diff need --tree")
    with ported(port, bases(asked)):
        if asked.replay is not None:
            done = replayed(asked, asked.replay)
            return _answer(asked, done, len(done))
        chosen, idle = _chosen(asked)
        if not chosen:
            return VerifyAnswer(request=asked, idle=idle)
        with each_subset(chosen, asked_for(asked.what_if)) as every:
            made, broken_off = search_pool.verdicts(every, asked.limits, asked.jobs, port, progress)
            return _answer(asked, made, len(every), interrupted=broken_off, idle=idle)


def _of_tree(asked: VerifyRequest, tree: Where | Snapshot, progress: Show | None) -> VerifyAnswer:
    """As `verify`, on the machines of a tree's own C, or of two."""
    if asked.port is not None or asked.replay is not None or asked.releases:
        raise Problem("--tree is no release: it goes with neither --release, --port nor --replay")
    found = _read(asked.files) if asked.files else scenarios(asked)
    came = of_trees(tree, found, asked, progress)
    answer = _answer(asked, came.done, came.wanted, interrupted=came.interrupted)
    return dataclasses.replace(answer, lifted=came.lifted)


def _answer(
    asked: VerifyRequest,
    done: Sequence[tuple[Run, Verdict]],
    wanted: int,
    *,
    interrupted: bool = False,
    idle: tuple[Scenario, ...] = (),
) -> VerifyAnswer:
    return VerifyAnswer(
        request=asked,
        done=tuple(done),
        judged=tuple(judge(run.scenario, verdict) for run, verdict in done),
        wanted=wanted,
        interrupted=interrupted,
        idle=idle,
        traces=tuple(_told(run, verdict) for run, verdict in done) if asked.traces else (),
    )


def _told(run: Run, verdict: Verdict) -> tuple[tuple[Verdict, Counterexample, RenderedTrace], ...]:
    """The violations of a run as traces, up to the first that one tells."""
    told = []
    for broken in verdict.violations:
        asked = to_query(run.scenario, verdict.arch, verdict.release)
        told.append((verdict, broken, render_trace(verdict.scenario, asked, broken)))
        if told[-1][2].not_visible is None:
            break
    return tuple(told)


# ---- which runs ----------------------------------------------------------------------------------


def _chosen(asked: VerifyRequest) -> tuple[list[Run], tuple[Scenario, ...]]:
    """The runs that are asked for; and the scenarios of files that have none."""
    found = _read(asked.files) if asked.files else scenarios(asked)
    arches, releases = _selected(asked)
    if asked.port is not None and arches is None:
        arches = {PORT}
    chosen = runs(
        found,
        arches=arches,
        releases=releases,
        # No scenario expects anything of an implementation that came just now.
        # Who names a run in full wants that one, whether anything is expected of it or not.
        everything=asked.everything or asked.port is not None or in_full(asked),
        # Without a choice the table is short: `also` is for who asks for something.
        also=bool(asked.files or asked.scenarios or asked.rule or arches or releases),
    )
    idle = [one for one in found if not any(run.scenario is one for run in chosen)]
    return chosen, tuple(idle) if asked.files else ()


def catalogue(asked: VerifyRequest) -> tuple[list[Scenario], list[tuple[str, str, str]]]:
    """What there is to ask: scenarios, large ones too; and each (architecture, release, feature).

    :raises Problem: as `verify` does, for names that do not exist.
    """
    with ported(None if asked.port is None else os.fspath(asked.port), bases(asked)):
        found = scenarios(asked, large=True)
        _selected(asked)
        return found, list(implementations())


def scenarios(asked: VerifyRequest, *, large: bool = False) -> list[Scenario]:
    """The scenarios that ship and are asked for, on the machines that are.

    :param large: also those that take long, though nothing asks for them.
    :raises Problem: with the reason.
    """
    names.check("scenario", asked.scenarios, shipped.names())
    chosen = asked.scenarios
    found = [named(name) for name in shipped.names() if not chosen or name in chosen]
    if asked.rule is not None:
        shown = [name for name, rule in RULES.items() if Witness.MACHINE in rule.witnesses]
        shown += PSEUDO
        names.check("rule that machines show", [asked.rule], shown)
        if not chosen:
            found = [scenario for scenario in found if _about(scenario, asked.rule)]
    if not chosen and not asked.everything and not large:
        found = [scenario for scenario in found if scenario.machine.size == "small"]
    return [_varied(scenario, asked) for scenario in found]


def _varied(scenario: Scenario, asked: VerifyRequest) -> Scenario:
    return vary(
        scenario,
        cpus=asked.cpus,
        tasks=asked.tasks,
        preempt=asked.preempt,
        rt=asked.rt,
        rule=asked.rule,
    )


def _about(scenario: Scenario, rule: str) -> bool:
    if rule in PSEUDO:
        return bool(getattr(scenario, {"finally": "finally_"}.get(rule, rule), True))
    expected = (breach.rule for expect in scenario.expect for breach in expect.broken)
    return rule in (*scenario.rules, *scenario.watch, *expected)


def _read(files: Sequence[Given]) -> list[Scenario]:
    """The scenarios of litmus files; raises Problem."""
    found: dict[str, Scenario] = {}
    for file in files:
        given = read(file)
        try:
            scenario = load(given.content.decode(), given.name)
        except UnicodeDecodeError:
            raise Problem(f"{given.name}: not text in UTF-8") from None
        except LitmusError as error:
            raise Problem(str(error)) from None
        if scenario.name in found:
            other = found[scenario.name].file
            raise Problem(f"{given.name}: a scenario {scenario.name!r} is in {other}, too")
        found[scenario.name] = scenario
    return list(found.values())


def _selected(asked: VerifyRequest) -> tuple[set[str] | None, set[str] | None]:
    """The architectures and the releases that were asked for, None for all; raises Problem."""
    arches, releases, features = there_are()
    machines = set(asked.arches) - {"", "all"}
    names.check("architecture", machines, arches)
    wanted = {name if name in features else known_as(name) for name in set(asked.releases) - {""}}
    names.check("release or feature", wanted, [*releases, *features])
    return machines or None, wanted or None
