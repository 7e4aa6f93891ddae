# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of the source witness, put together over one program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lazymmu.contract.dialects import Dialect
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules.rule import Rule
from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.program import DefinitionSource, Program
from lazymmu.witness.source import own_api
from lazymmu.witness.source.api_candidates import Candidate
from lazymmu.witness.source.constant_pointers import Pointer
from lazymmu.witness.source.effects.call_effects import CallTransfer
from lazymmu.witness.source.entry_points import EntryPoints
from lazymmu.witness.source.interproc.call_chains import Summary
from lazymmu.witness.source.interproc.call_targets import Binding
from lazymmu.witness.source.interproc.constants import ConstantEvaluator
from lazymmu.witness.source.interproc.mode_api import ModeApi
from lazymmu.witness.source.interproc.summaries import CalleeSummaries
from lazymmu.witness.source.interproc.table_lookup import TableLookup, TableSource
from lazymmu.witness.source.kept_api import KeptApi
from lazymmu.witness.source.path.walker import Walker

__all__ = ["Analysis", "ConfiguredSource"]


class ConfiguredSource(DefinitionSource, TableSource, Protocol):
    """What one profile sees of a tree, its tables, and the values of its object-like macros."""

    def macro(self, name: str) -> bytes | None:
        """Return the value of an object-like macro, None for what is none."""
        ...


@dataclass(frozen=True, slots=True)
class Analysis:
    """One program, what is known of its functions, and the walker of its paths.

    Data flows from the first to the last: graphs, constants in them, what each function may come
    to, what a call does to the state of the mode, and the paths with the monitors beside them.
    """

    program: Program
    facts: ConstantEvaluator
    summaries: CalleeSummaries
    call_transfer: CallTransfer
    walker: Walker
    words: Vocabulary
    api: ModeApi
    has_stub: Callable[[Definition], bool]

    @classmethod
    def build(
        cls,
        source: ConfiguredSource,
        words: Vocabulary,
        rules: Sequence[Rule],
        dialect: Dialect,
        *,
        config: Callable[[str], str],
        constants: Mapping[str, int],
        tables: Mapping[str, Collection[str]],
        names_mode: Callable[[Definition], bool] = lambda _: False,
        arch: str = "",
        has_stub: Callable[[Definition], bool] = lambda _: True,
        candidates: Callable[[], Collection[Candidate]] = tuple,
        pointers: Callable[[], Iterable[Pointer]] = tuple,
        given: Mapping[tuple[str, str, Binding], Summary] | None = None,
        known: KeptApi | None = None,
    ) -> Analysis:
        """Put the parts together; nothing is read before it is asked for.

        :param source: what one profile sees of a tree.
        :param words: the kernel's API vocabulary.
        :param rules: whose monitors walk along the paths.
        :param dialect: the contract's dialect that the tree speaks.
        :param config: the value of a CONFIG symbol: y, m, n, or "free".
        :param constants: calls and names that have one value on the profile's machine.
        :param tables: functions of each operations table, by the table's variable.
        :param names_mode: whether the text of a definition names the mode.
        :param has_stub: whether beside a definition that is there under a condition stands one that
            says no.
        :param arch: the architecture by the name that the deferral table has for it.
        :param candidates: finds definitions that may be a part of the mode's API.
        :param pointers: finds what always points to one of them.
        :param given: what calls come to, where that is known (interproc/summaries.py).
        :param known: the mode's API, where that is known.
        """
        program = Program(source)
        if known is not None:
            api = known.of(program)
        else:
            api = program.reads.unit(
                ("api",), lambda: own_api.derive(program, words, candidates(), pointers())
            )
        lookup = TableLookup(source, program.reads, tables)
        facts = ConstantEvaluator(
            program,
            words,
            config=config,
            constants=constants,
            macro=source.macro,
            tables=lookup,
            api=api,
        )
        summaries = CalleeSummaries(program, facts, words, lookup, api, names_mode, given)
        call_transfer = CallTransfer(program, facts, summaries, words, arch=arch)
        walker = Walker(call_transfer, Runtime(rules, dialect), has_stub)
        return cls(program, facts, summaries, call_transfer, walker, words, api, has_stub)

    def roots(self, implementation: frozenset[tuple[str, int]] = frozenset()) -> EntryPoints:
        """Who finds where paths begin; implementation: places (file, line) of the mode's hooks."""
        return EntryPoints(self.program, self.summaries, self.walker, self.words, implementation)
