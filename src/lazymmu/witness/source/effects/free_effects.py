# SPDX-License-Identifier: GPL-2.0-or-later
"""What of entries a call gives back: their pages and tables, at once or by what runs later."""

from __future__ import annotations

from collections.abc import Mapping

from lazymmu.contract.events import Free
from lazymmu.contract.section import TaskState
from lazymmu.contract.site import Site
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.abstract_value import Value
from lazymmu.kernelc.ir.expr import AnyCall
from lazymmu.witness.source.effects.effect import Effect
from lazymmu.witness.source.effects.entry_effects import origins
from lazymmu.witness.source.function.frame import Frame
from lazymmu.witness.source.function.state import State, origins_of
from lazymmu.witness.source.interproc.call_targets import callee
from lazymmu.witness.source.interproc.freed_parameters import FreedParameters
from lazymmu.witness.source.interproc.freed_places import handed_place
from lazymmu.witness.source.interproc.summaries import CalleeSummaries


class FreeEffects:
    """Turns calls that free into events, for one program."""

    def __init__(self, summaries: CalleeSummaries, words: Vocabulary) -> None:
        self.words = words
        self.freeing = FreedParameters(summaries, words, summaries.facts.tables)

    def freed(
        self, frame: Frame, call: AnyCall, name: str, state: State, said: str, site: Site
    ) -> list[Effect]:
        """What a call of the vocabulary frees itself.

        One that drops a reference frees what the mapping had, if its function has taken none.
        """
        free = self.words.frees.get(name)
        freed = call.arg(free.arg) if free is not None else None
        entries = origins(freed, state.origins) if freed is not None else ()
        if free is None or not entries:
            return []
        put = not free.certain
        if put and self.freeing.takes_references(frame.graph):
            return []
        return [
            Effect(Free(e, what=free.what, site=site), "free", said, tests=int(put), maybe=put)
            for e in entries
        ]

    def below(
        self, frame: Frame, call: AnyCall, state: State, env: Mapping[str, Value], site: Site
    ) -> list[Effect]:
        """What a callee frees that is handed a page, or a structure with one, or what it queues."""
        task = state.product.task
        if not task.depth or not state.origins:
            return []
        name = callee(call, frame.graph, env)
        found: dict[Free, Effect] = {}
        for freed, arg in self.freeing.by_call(call, frame.graph, env):
            if freed.runs and _waits(freed.runs, task):
                continue
            path = freed.place.path
            spelled = path if arg is None else handed_place(arg, path)
            known = origins_of(spelled, state.origins)
            entries = origins(arg, state.origins) if arg is not None and not path else known
            for entry in entries:
                event = Free(entry, what=freed.what, site=site)
                note = Effect(
                    event,
                    "free",
                    f"calls {name}()",
                    freed.steps,
                    freed.conditions,
                    freed.ambiguous or _hardly(freed.runs, task),
                    freed.tests,
                    maybe=bool(freed.runs) or freed.put,
                )
                found.setdefault(event, note)
        return list(found.values())


def _waits(runs: str, task: TaskState) -> bool:
    """Whether what runs later cannot do so before the task has let go of what it holds."""
    if runs == "grace-period":
        return bool(task.locks or task.pins)
    return runs == "interrupt" and bool({"irq", "bh"}.intersection(task.pins))


def _hardly(runs: str, task: TaskState) -> bool:
    """Whether what runs later is most likely kept back by what the task holds."""
    return runs == "bound-worker" and bool(task.locks or task.pins)
