# SPDX-License-Identifier: GPL-2.0-or-later
"""What `CalleeSummaries` found below a call, as events at that call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from lazymmu.contract.event_words import Layer
from lazymmu.contract.events import Disable, Enable, Flush, MaySleep, Pause, Resume, TlbFlush
from lazymmu.contract.section import Pending, TaskState
from lazymmu.contract.site import Site
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import AddressOf, Value
from lazymmu.kernelc.ir.expr import AnyCall, Name
from lazymmu.kernelc.ir.nodes import strip_casts
from lazymmu.witness.finding import Step
from lazymmu.witness.source.effects.context_answers import ContextAnswers
from lazymmu.witness.source.effects.effect import Effect
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.interproc.call_chains import CallChain, Summary
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.context_needs import is_need
from lazymmu.witness.source.interproc.summaries import CalleeSummaries

_FLUSH_CALLS = 2
"""Calls below a section through which TLB maintenance still counts as the section's own."""

_MAPPINGS = ("struct vm_area_struct *", "struct mm_struct *")


class SummaryEffects:
    """Turns effects of callees into events."""

    def __init__(
        self, facts: ConstantEvaluator, summaries: CalleeSummaries, words: Vocabulary
    ) -> None:
        self.facts = facts
        self.summaries = summaries
        self.words = words
        self.context = ContextAnswers(words)

    def sleep_and_mode(
        self,
        effects: Summary,
        site: Site,
        name: str,
        ambiguous: bool,
        task: TaskState,
    ) -> list[Effect]:
        """Sleeping and mode calls that a callee may come to, called in a state of the task."""
        notes: list[Effect] = []
        sleeps = effects.possible("sleep", self.context.impossible(task))
        if sleeps:
            sleep = sleeps[0]
            conditions = self._conditions(sleep)
            event = MaySleep(sleep.what, False, condition=" ".join(sorted(conditions)), site=site)
            notes.append(
                Effect(
                    event,
                    "sleep",
                    f"calls {name}()",
                    sleep.steps,
                    conditions,
                    sleep.ambiguous or ambiguous,
                    sleep.tests,
                )
            )
        notes.extend(self.mode(effects, site, name, task))
        return notes

    def _conditions(self, chain: CallChain) -> frozenset[str]:
        """What of the configuration a chain needs."""
        return frozenset(c for c in chain.conditions if not is_need(c, self.words))

    def mode(self, effects: Summary, site: Site, name: str, task: TaskState) -> list[Effect]:
        """Sections and pauses of a callee, each balanced in itself, and its flushes."""
        impossible = self.context.impossible(task)
        notes: list[Effect] = []
        for chain in effects.possible("enable", impossible):
            last = chain.steps[-1]
            inner = Site(last.file, last.line, last.column, last.function)
            layer = _layer(chain)
            first = Step(site.file, site.line, site.column, site.function, f"calls {name}()")
            maybe = bool(chain.tests or chain.conditions or chain.ambiguous)
            begin = Effect(
                Enable(layer=layer, site=inner),
                "",
                f"calls {chain.what}()",
                (first, *chain.steps),
                self._conditions(chain),
                chain.ambiguous,
                chain.tests,
                maybe,
            )
            notes.append(begin)
            if not maybe:
                notes.append(Effect(Disable(layer=layer, site=inner)))
        if not notes:
            for chain in effects.possible("pause", impossible)[:1]:
                if not (chain.tests or chain.conditions or chain.ambiguous):
                    notes.append(Effect(Pause(layer=_layer(chain), site=site)))
                    notes.append(Effect(Resume(layer=_layer(chain), site=site)))
        for chain in effects.possible("flush", impossible):
            if not (chain.tests or chain.conditions or chain.ambiguous):
                # Whether the callee may call the hook is judged where it does.
                notes.append(Effect(Flush("api", site=site), "flush", f"calls {name}()"))
                break
        return notes

    def flushes(
        self,
        frame: Frame,
        call: AnyCall,
        effects: Summary,
        site: Site,
        name: str,
        pending: Collection[Pending],
    ) -> list[Effect]:
        """TLB maintenance by a near callee that is given the mapping: a vma or an mm.

        That of kernel addresses needs none: it is for the kernel entries whose writes are pending.
        """
        types = frame.graph.types
        given = map(strip_casts, call.args)
        mapping = any(
            isinstance(arg, Name) and types.get(arg.spelling) in _MAPPINGS for arg in given
        )
        kernel = any(item.space == "kernel" for item in pending)
        if not mapping and not kernel:
            return []
        notes = []
        for chain in effects.chains.get("tlb", ()):
            if len(chain.steps) <= _FLUSH_CALLS:
                scope, space, how, batch = chain.detail
                if not mapping and space != "kernel":
                    continue
                event = TlbFlush(
                    scope,  # type: ignore[arg-type]
                    space,  # type: ignore[arg-type]
                    how,  # type: ignore[arg-type]
                    batch=bool(batch),
                    site=site,
                )
                notes.append(
                    Effect(
                        event,
                        "tlb",
                        f"calls {name}()",
                        chain.steps,
                        self._conditions(chain),
                        chain.ambiguous,
                    )
                )
        return notes[:1]

    def table(
        self,
        frame: Frame,
        call: AnyCall,
        name: str,
        env: Mapping[str, Value],
        site: Site,
        task: TaskState,
    ) -> list[Effect]:
        """What the functions of an operations table may do that a call hands to a walker."""
        taker = self.words.callbacks.get(name)
        table = call.arg(taker.ops) if taker is not None and taker.ops is not None else None
        if table is None:
            return []
        value = self.facts.within(frame.graph, env).value(table)
        if not isinstance(value, AddressOf):
            return []
        notes = []
        functions = self.facts.tables.handed(value.variable)
        if value.file:
            held = self.facts.tables.functions(value.variable, value.file)
            functions = [function for function in functions if function in held]
        for function in functions:
            target = self.summaries.program.resolve(function, value.file or frame.graph.file)
            if target is not None:
                effects = self.summaries.of(target.definition, ())
                step = Step(
                    target.definition.file, target.definition.line, 1, function, "called back"
                )
                down = {
                    kind: tuple(replace(c, steps=(step, *c.steps)) for c in chains)
                    for kind, chains in effects.chains.items()
                }
                below = Summary(down)
                notes.extend(self.sleep_and_mode(below, site, name, target.ambiguous, task))
                notes.extend(self.flushes(frame, call, below, site, name, task.pending))
        return notes


def _layer(chain: CallChain) -> Layer:
    return "arch" if chain.detail[0] == "arch" else "generic"
