# SPDX-License-Identifier: GPL-2.0-or-later
"""Structures that begin as zeros, and are handed to helpers that ask for their members.

struct batch b = { };

begin(&b);          /* if (b->on) return; */
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir.expr import Address, AnyCall
from lazymmu.kernelc.ir.nodes import Function, spell
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.function.counter_tests import counted, zeroed

__all__ = ["Helpers", "zeroed_members"]


class Helpers(Protocol):
    """Who knows the helpers of a program, and what they ask for."""

    @property
    def program(self) -> Program:
        """The program."""

    @property
    def words(self) -> Vocabulary:
        """The vocabulary."""

    def in_place(self, call: AnyCall) -> bool:
        """Whether a call is one of a helper."""

    def asked(self, graph: Function) -> frozenset[str]:
        """What a helper is handed that decides whether it begins or ends a section."""


def zeroed_members(graph: Function, helpers: Helpers) -> frozenset[str]:
    """Members that helpers ask for of structures which a function sets to zeros, by spelling."""
    names = zeroed(graph)
    return frozenset(_members(graph, names, helpers)) if names else frozenset()


def _members(graph: Function, names: frozenset[str], helpers: Helpers) -> Iterator[str]:
    for _, call in graph.calls():
        target = helpers.program.resolve(call.name or "", graph.file)
        if target is None or not helpers.in_place(call):
            continue
        inner = helpers.program.function(target.definition)
        asks = helpers.asked(inner) | counted(inner, helpers.words)
        for param, arg in zip(inner.params, call.args, strict=False):
            given = spell(arg.operand) if isinstance(arg, Address) else ""
            if given in names:
                yield from (given + a[len(param) :] for a in asks if a.startswith(f"{param}->"))
