# SPDX-License-Identifier: GPL-2.0-or-later
"""Where paths begin: every function that uses the mode, and every callback that runs in it.

A function whose own balance is off may be half of a pair (see halves.py), or may only ever be run
inside a section; then its callers answer for it.  If it is neither, it is wrong, and whoever calls
it is walked as if it were not: a mistake is told once, where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from lazymmu.contract.rules import RULES
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import FunctionValue, Value
from lazymmu.kernelc.ir.scopes import class_word
from lazymmu.kernelc.program import Program
from lazymmu.witness.finding import Step
from lazymmu.witness.source import leaks
from lazymmu.witness.source.callers_locks import OUTSIDE, outside, without_lock
from lazymmu.witness.source.declared_handlers import DeclaredHandler
from lazymmu.witness.source.halves import BALANCE, BEGINS, Halves, Suspect
from lazymmu.witness.source.handed_functions import handed
from lazymmu.witness.source.interproc.call_targets import Binding, callee
from lazymmu.witness.source.interproc.summaries import CalleeSummaries
from lazymmu.witness.source.interrupt_handlers import declared_one, handing, registered
from lazymmu.witness.source.path.inliner import above
from lazymmu.witness.source.path.path_state import RawReport, WalkOutcome
from lazymmu.witness.source.path.walker import Walker
from lazymmu.witness.source.users import Callers, Elsewhere, Users, calls

_OF_CALLERS = frozenset({"preempted-in-section"})
"""Rules that what is walked in its callers' place is held to there."""


@dataclass(frozen=True, slots=True)
class Root:
    """One beginning of paths and what came of it."""

    definition: Definition
    binding: Binding
    outcome: WalkOutcome
    excused: frozenset[str] = frozenset()
    """Rules that are not held against it."""
    unsure: frozenset[str] = frozenset()
    """Rules that are held against it without confidence."""

    via: Step | None = None
    """The call that hands a function to be called back, where the path begins below it."""
    causes: leaks.Causes = field(default_factory=dict)
    """For reports that come of one mistake, also of another root, the one that speaks for it."""

    @property
    def raw_reports(self) -> Iterable[RawReport]:
        """What is held against this root; without confidence if not all of it was read."""
        for key, raw in self.outcome.raw_reports.items():
            if raw.violation.rule not in self.excused:
                unsure = raw.ambiguous or self.outcome.blurred or raw.violation.rule in self.unsure
                cause = self.causes.get(key) or self.causes.get(("", *key[1:]))
                yield replace(raw, ambiguous=unsure, via=self.via, cause=cause)

    @property
    def step(self) -> Step:
        """The root as a step of a path."""
        d = self.definition
        return Step(d.file, d.line, 1, d.name, f"in {d.name}()")


class EntryPoints:
    """Finds and walks the roots of one program."""

    def __init__(
        self,
        program: Program,
        summaries: CalleeSummaries,
        walker: Walker,
        words: Vocabulary,
        implementation: frozenset[tuple[str, int]],
    ) -> None:
        self.program = program
        self.summaries = summaries
        self.walker = walker
        self.words = words
        self.implementation = implementation
        self._inside: set[tuple[str, int, str]] = set()
        """Halves of pairs, and who runs what its callers hand it, by file, line and name."""

    def walk(
        self,
        users: Iterable[Definition],
        takers: Iterable[Definition],
        registering: Iterable[Definition],
        callers: Callers,
        elsewhere: Elsewhere = lambda _name, _file: True,
        declared: Iterable[DeclaredHandler] = (),
    ) -> list[Root]:
        """Walk everything that uses the mode.

        :param users: definitions whose text names the mode.
        :param takers: definitions whose text names a function that calls back.
        :param registering: definitions whose text names a function that registers a handler.
        :param callers: finds who may call a function.
        :param elsewhere: tells whether a file names a function outside of its definition.
        :param declared: handlers that files declare outside of functions.
        """
        users_of = Users(self.program, callers, self.walker.bounded, elsewhere)
        using = [d for d in users if self._uses_mode(d)]
        classes = self._classes(using)
        users = self._with_expanded(using, callers)
        roots = {(d.file, d.line, d.name): self._root(d) for d in users}
        excused = self._excuse_halves(roots, users, users_of)
        wrong = self._blame(roots, excused, lambda root: self._details(root) <= BEGINS)
        bound = [root for d in takers for root in self._callbacks(d)]
        handlers = self._interrupts(registering, declared)
        excused |= {p for p, root in roots.items() if p not in wrong and self._only_inside(root)}
        late = self._blame(roots, excused, lambda _: True)
        if late:
            bound = [root for d in takers for root in self._callbacks(d)]
        bound += self._run_inside(roots.values(), callers)
        held, unlocked = self._held_by_callers(roots, users_of)
        settled = [
            self._settled_root(root, place in excused, place in held)
            for place, root in roots.items()
        ]
        every = settled + classes + bound + handlers + unlocked
        causes = {key: cause for root in settled for key, cause in root.causes.items()}
        return [replace(root, causes=causes) for root in every] if causes else every

    def _root(self, definition: Definition) -> Root:
        return Root(definition, (), self.walker.root(self.program.to_walk(definition)))

    def _held_by_callers(
        self, roots: Mapping[tuple[str, int, str], Root], users: Users
    ) -> tuple[set[tuple[str, int, str]], list[Root]]:
        """The roots whose callers answer for the lock, by place, and the callers without it."""
        held: set[tuple[str, int, str]] = set()
        unlocked: list[Root] = []
        others = frozenset(RULES) - {OUTSIDE}
        for place, root in roots.items():
            if not outside(root.outcome):
                continue
            wrong = without_lock(self.program, self.walker, users, root.definition, root.outcome)
            if wrong is not None:
                held.add(place)
                unlocked += [Root(user, (), outcome, others) for user, outcome in wrong]
            elif users.unused(root.definition):
                # The lock of a helper that nothing names yet is for those to take who will.
                unlocked.append(replace(root, unsure=frozenset({OUTSIDE}), excused=others))
                held.add(place)
        return held, unlocked

    def _with_expanded(self, users: list[Definition], callers: Callers) -> list[Definition]:
        """Users of the mode, and who expands those of them that are macros and leave it changed.

        Such a macro is text of whoever expands it, and is judged nowhere else; likewise the
        functions of a guard's class are the text of whoever takes it.
        """
        out: list[Definition] = []
        done = {(d.file, d.line, d.name) for d in users}
        work = users
        while work:
            definition = work.pop(0)
            if (word := class_word(definition.name)) != definition.name:
                static = definition.static and definition.file.endswith(".c")
                for user in callers(word, static, definition.file):
                    place = (user.file, user.line, user.name)
                    if place not in done and calls(self.program, user, definition.name):
                        done.add(place)
                        work.append(user)
                continue
            root = Root(definition, (), self.walker.root(self.program.to_walk(definition)))
            if definition.kind == "function" or not self._details(root):
                out.append(definition)
                continue
            self.walker.helper(self.program.to_walk(definition))
            for user in callers(definition.name, definition.static, definition.file):
                place = (user.file, user.line, user.name)
                if place not in done and calls(self.program, user, definition.name):
                    done.add(place)
                    work.append(user)
        return out

    def _classes(self, users: Iterable[Definition]) -> list[Root]:
        """What is wrong with a guard as such: it is taken, and dropped at once.

        Its functions are halves that only the compiler calls, and always in pairs.
        """
        words = {
            class_word(d.name): d for d in users if class_word(d.name) != d.name and d.params == ()
        }
        roots = []
        for word, definition in words.items():
            graph = self.program.scope(word, definition.file, definition.line)
            if graph is not None:
                roots.append(Root(definition, (), self.walker.root(graph)))
        return [root for root in roots if self._details(root)]

    def _uses_mode(self, definition: Definition) -> bool:
        """Whether a definition makes a mode call of its own, as a caller of the mode."""
        if self.summaries.api.has(definition.name, definition.file):
            return False
        if (definition.file, definition.line) in self.implementation:
            return False
        return uses_mode(self.program, self.summaries, definition)

    def _callbacks(self, definition: Definition) -> list[Root]:
        """One root for each call that hands a function to one that calls back in a section."""
        if definition.name in self.words.callbacks:
            return []
        roots = []
        for target, binding, via in callbacks(self.program, self.summaries, self.words, definition):
            outcome = self.walker.root(self.program.to_walk(target), binding)
            roots.append(Root(definition, binding, outcome, via=via))
        return roots

    def _run_inside(self, found: Iterable[Root], callers: Callers) -> list[Root]:
        """Who hands a function to a user of the mode that runs it in its section, in its place."""
        users = [root.definition for root in found]
        given = handed(self.program, users, callers, self.words.callbacks.keys())
        for taker in given.takers:
            self._inside.add((taker.file, taker.line, taker.name))
            self.walker.helper(self.program.to_walk(taker))
        return [Root(d, (), self.walker.root(self.program.to_walk(d))) for d in given.givers]

    def _settled_root(self, root: Root, excused: bool, held: bool) -> Root:
        """A root without what its callers answer for, and what is left sorted by mistakes."""
        rules = set(BALANCE if excused else ())
        if held:
            rules.add(OUTSIDE)
        place = (root.definition.file, root.definition.line, root.definition.name)
        if root.definition.name in self.words.entries or place in self._inside:
            # It runs under its callers' locks and pins, whatever those are.
            rules |= _OF_CALLERS
        root = replace(root, excused=frozenset(rules))
        off = [raw for raw in root.raw_reports if raw.violation.rule in BALANCE]
        recording = self.walker.record(self.program.function(root.definition)) if off else None
        if recording is None or recording.cut:
            return root
        return replace(root, causes=leaks.causes(recording, off, self.words))

    def _interrupts(
        self, registering: Iterable[Definition], declared: Iterable[DeclaredHandler]
    ) -> list[Root]:
        """One root for each function that is registered or declared to run in an interrupt."""
        found = [h for d in registering for h in registered(self.program, self.summaries, d)]
        found += [h for one in declared for h in declared_one(self.program, one)]
        return [
            Root(at, (), self.walker.root(self.program.to_walk(at), (), task), via=via)
            for at, task, via in found
        ]

    # -- whose balance is off ------------------------------------------------------------------

    def _details(self, root: Root) -> frozenset[str]:
        """How the balance of a root is off; nothing where it is not."""
        raws = root.outcome.raw_reports.values()
        return frozenset(r.violation.detail for r in raws if r.violation.rule in BALANCE)

    def _only_inside(self, root: Root) -> bool:
        """Whether a function only runs inside a section and leaves that as it was."""
        place = self._place(root)
        depths = self.walker.entered.get(place, set())
        return bool(depths) and min(depths) > 0 and place not in self.walker.shifted

    def _place(self, root: Root) -> tuple[str, int, str]:
        return self.program.place(root.definition)

    def _excuse_halves(
        self, roots: dict[tuple[str, int, str], Root], users: Iterable[Definition], users_of: Users
    ) -> set[tuple[str, int, str]]:
        """Roots that are halves of pairs, by place; who calls one becomes a root that answers."""
        places: set[tuple[str, int, str]] = set()
        asked: Iterable[Root] = list(roots.values())
        halves: Halves | None = None
        while suspects := [
            Suspect(root.definition, self.program.function(root.definition), details)
            for root in asked
            if (details := self._details(root))
        ]:
            halves = halves or Halves(self.program, self.walker, users_of)
            known = halves.find(suspects, users)
            found = [s.definition for s in suspects if (s.graph.file, s.graph.name) in known]
            places |= {(d.file, d.line, d.name) for d in found}
            # Who answers may be half of a pair itself: get() and put() around begin() and end().
            answering = halves.answering(found)
            fresh = [p for d in answering if (p := (d.file, d.line, d.name)) not in roots]
            for user in answering:
                roots[user.file, user.line, user.name] = self._root(user)
            asked = [root for place, root in roots.items() if fresh and place not in places]
        self._inside |= places
        return places

    def _blame(
        self,
        roots: dict[tuple[str, int, str], Root],
        excused: Collection[tuple[str, int, str]],
        kind: Callable[[Root], bool],
    ) -> set[tuple[str, int, str]]:
        """Settle who is wrong: callees before their callers, which are walked again without it.

        :param roots: all roots by their place; those that are walked again are replaced.
        :param excused: halves, whose callers answer.
        :param kind: whether a root whose balance is off is to be settled now.
        :returns: the places of those that are wrong.
        """
        wrong: set[tuple[str, int, str]] = set()
        while True:
            off = {
                self._place(root): place
                for place, root in roots.items()
                if place not in wrong and place not in excused
                if self._details(root) and kind(root)
            }
            if not off:
                return wrong
            upper = above(off, self.walker.shifted)
            ready = [place for place in off if place not in upper] or list(off)
            self.walker.blame(ready)
            wrong.update(off[place] for place in ready)
            again = above(ready, self.walker.shifted) - set(ready)
            for place, root in roots.items():
                if self._place(root) in again:
                    roots[place] = self._root(root.definition)


def uses_mode(program: Program, summaries: CalleeSummaries, definition: Definition) -> bool:
    """Whether a definition makes a mode call, or hands a function of the mode on."""

    def told() -> bool:
        graph = program.function(definition)
        if any(mode.action != "active" for _, mode in summaries.mode_calls(graph)):
            return True
        given = (arg for _, call in graph.calls() for arg in call.args)
        return any(summaries.handed_mode(arg, graph, {}) for arg in given)

    place = (definition.file, definition.line, definition.name)
    return program.reads.unit(("uses", *place), told)


def callbacks(
    program: Program, summaries: CalleeSummaries, words: Vocabulary, definition: Definition
) -> list[tuple[Definition, Binding, Step]]:
    """The calls of a definition that hand a function to one that calls back in a section.

    :returns: who is called, with what, and the call as a step of a path.
    """

    def told() -> list[tuple[Definition, Binding, Step]]:
        graph = program.function(definition)
        found = []
        env: dict[str, Value] = {}
        summaries.settle(graph, env)
        for _, call in graph.calls():
            taker = words.callbacks.get(callee(call, graph, env) or "")
            if taker is None or taker.fn is None or taker.runs != "now":
                continue
            target = summaries.target(call, graph, env)
            if target is None:
                continue
            binding = summaries.bind(target.definition, call, graph, env)
            handed = [value.name for _, value in binding if isinstance(value, FunctionValue)]
            if handed:
                found.append((target.definition, binding, handing(graph, call, handed)))
        return found

    place = (definition.file, definition.line, definition.name)
    return program.reads.unit(("callbacks", *place), told)
