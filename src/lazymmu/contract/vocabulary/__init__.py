# SPDX-License-Identifier: GPL-2.0-or-later
"""The vocabulary: names of the kernel whose meaning is written down, not derived.

One cited data file per kind of word.  Everything else a reader must derive from the tree: that
split_folio() sleeps, that set_pte_at() becomes set_ptes().  The names are the kernel's, from v6.1
to v7.3 and of x86, powerpc, sparc and arm64; a name that a tree lacks does no harm there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lazymmu.contract.vocabulary.read import (
    VocabularyError,
    calls,
    fields,
    gfp,
    parse,
    phrases,
    unknown_tables,
)
from lazymmu.contract.vocabulary.words import (
    Accessor,
    Cited,
    ContextQuestion,
    CounterCall,
    FeatureName,
    FreeCall,
    LockCall,
    LockField,
    ModeCall,
    PerCpuCall,
    Phrase,
    PinCall,
    QueueCall,
    Registration,
    Sleep,
    Taker,
    TlbCall,
)

__all__ = [
    "Accessor",
    "Cited",
    "ContextQuestion",
    "CounterCall",
    "FeatureName",
    "FreeCall",
    "LockCall",
    "LockField",
    "ModeCall",
    "PerCpuCall",
    "Phrase",
    "PinCall",
    "QueueCall",
    "Registration",
    "Sleep",
    "Taker",
    "TlbCall",
    "Vocabulary",
    "VocabularyError",
    "load",
    "read",
]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words, by the name of the call that they are.

    mode, entries, locks, pins, sleeps, any_context, callbacks, percpu, counters, tlb, frees,
    handlers, queues: see
    the class of their values.  One name may be in several (get_cpu_var() pins and accesses).
    lock_fields: what each member of that name is, most special first.  gfp_blocking and
    gfp_nonblocking: names of flags by whether they allow to block; gfp_type: their type.
    features: flags and questions that mean nothing where the architecture lacks something.
    references: calls that take a reference to a page.
    nonpresent: calls that read what an entry holds while it maps nothing.
    context_questions: calls that ask for the context that the task runs in.
    asks: calls that ask for what their argument points to, and change nothing.
    context_phrases: (regular expression on the lower-cased text, what it states), first match wins.
    """

    mode: dict[str, ModeCall]
    entries: dict[str, Accessor]
    locks: dict[str, LockCall]
    lock_fields: dict[str, tuple[LockField, ...]]
    pins: dict[str, PinCall]
    sleeps: dict[str, Sleep]
    any_context: dict[str, Cited]
    context_phrases: tuple[tuple[str, Phrase], ...]
    gfp_blocking: frozenset[str]
    gfp_nonblocking: frozenset[str]
    gfp_type: str
    callbacks: dict[str, Taker]
    percpu: dict[str, PerCpuCall]
    counters: dict[str, CounterCall]
    tlb: dict[str, TlbCall]
    frees: dict[str, FreeCall]
    handlers: dict[str, Registration]
    queues: dict[str, QueueCall]
    features: dict[str, FeatureName]
    asks: dict[str, Cited]
    references: dict[str, Cited]
    nonpresent: dict[str, Cited]
    context_questions: dict[str, ContextQuestion]

    @property
    def names(self) -> frozenset[str]:
        """Every call name of the vocabulary: what a tree may not rename and keep its meaning."""
        return frozenset().union(
            self.mode,
            self.entries,
            self.locks,
            self.pins,
            self.sleeps,
            self.any_context,
            self.callbacks,
            self.percpu,
            self.counters,
            self.tlb,
            self.frees,
            self.handlers,
            self.context_questions,
        )


@cache
def load() -> Vocabulary:
    """The vocabulary that comes with the project, read once.

    :raises VocabularyError: a data file is not as it must be.
    """
    return read(Path(__file__).parent)


def read(directory: Path) -> Vocabulary:
    """Read and check the data files in `directory`.

    :raises VocabularyError: one sentence with file and name, for a missing file, broken TOML, an
        unknown or missing key, a value of the wrong type or range, a name twice, or a missing
        source.
    """
    tables = {
        name: parse(directory / f"{name}.toml")
        for name in (
            "mode",
            "entries",
            "locks",
            "lock_fields",
            "pins",
            "sleeps",
            "contexts",
            "callbacks",
            "percpu",
            "counters",
            "tlb",
            "frees",
            "handlers",
            "queues",
            "features",
            "asks",
            "references",
            "nonpresent",
            "context_questions",
        )
    }
    for name, table in tables.items():
        unknown_tables(name, table)
    flags = gfp("sleeps", tables["sleeps"])
    return Vocabulary(
        mode=calls("mode", tables["mode"], ModeCall),
        entries=calls("entries", tables["entries"], Accessor),
        locks=calls("locks", tables["locks"], LockCall),
        lock_fields=fields("lock_fields", tables["lock_fields"]),
        pins=calls("pins", tables["pins"], PinCall),
        sleeps=calls("sleeps", tables["sleeps"], Sleep),
        any_context=calls("contexts", tables["contexts"], Cited),
        context_phrases=phrases("contexts", tables["contexts"]),
        gfp_blocking=flags.blocking,
        gfp_nonblocking=flags.nonblocking,
        gfp_type=flags.type,
        callbacks=calls("callbacks", tables["callbacks"], Taker),
        percpu=calls("percpu", tables["percpu"], PerCpuCall),
        counters=calls("counters", tables["counters"], CounterCall),
        tlb=calls("tlb", tables["tlb"], TlbCall),
        frees=calls("frees", tables["frees"], FreeCall),
        handlers=calls("handlers", tables["handlers"], Registration),
        queues=calls("queues", tables["queues"], QueueCall),
        features=calls("features", tables["features"], FeatureName),
        asks=calls("asks", tables["asks"], Cited),
        references=calls("references", tables["references"], Cited),
        nonpresent=calls("nonpresent", tables["nonpresent"], Cited),
        context_questions=calls("context_questions", tables["context_questions"], ContextQuestion),
    )
