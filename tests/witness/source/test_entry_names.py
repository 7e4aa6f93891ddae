# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of entries and locks: whose they are, and what a call makes of them."""

from __future__ import annotations

import pytest

from lazymmu.contract import events as ev
from lazymmu.contract.dialects import COUNTED
from lazymmu.contract.monitor import Product, Runtime
from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.expr import Address, Call, Expr, Field, Name
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.witness.source.function.names import EntryName, enter, forget, leave

CALLEE = lower(b"void g(pte_t *p, spinlock_t *l)\n{\n}", name="g", file="a.c", line=1)


def pending(name: EntryName) -> Product:
    """The monitors' state after a deferred write of one entry, under a lock of the same name."""
    runtime = Runtime([], COUNTED)
    product = runtime.start()
    for event in (ev.Take(name, "ptl"), ev.Enable(), ev.Write(name)):
        product, _ = runtime.step(product, event)
    return product


def named(product: Product) -> tuple[ev.Identity, ev.Identity]:
    """The name of the one entry that is pending, and of the one lock that is held."""
    (entry,) = product.task.pending
    (lock,) = product.task.locks
    assert entry.locks == {lock.lock}
    return entry.entry, lock.lock


def call(first: Expr, callee: Function = CALLEE) -> Call:
    """A call that hands on one expression, and a lock."""
    return Call(callee.name, (first, Name("ptl")), 1, 1)


@pytest.mark.parametrize(
    ("arg", "outside", "inside"),
    [
        (Name("ptep"), "ptep", "p"),
        (Name("vmf"), "vmf->pte", "p->pte"),
        (Address(Name("slot")), "slot", "*p"),
        (Field(Name("vmf"), "pte"), "vmf->pte", "p"),
    ],
)
def test_a_callee_names_what_it_is_given_and_the_caller_again_after_it(
    arg: Expr, outside: str, inside: str
) -> None:
    """By its parameter, by a member of it, or by what it points to."""
    entered = enter(pending(EntryName(outside)), call(arg), CALLEE)
    assert named(entered) == (EntryName(inside), EntryName(inside))
    left = leave(entered, call(arg), CALLEE, frozenset())
    assert named(left) == (EntryName(outside), EntryName(outside))


def test_what_a_callee_cannot_name_stays_its_callers() -> None:
    """Through any number of calls, whatever the callee calls its own variables."""
    product = pending(EntryName("p"))
    one = enter(product, call(Name("other")), CALLEE)
    two = enter(one, call(Name("other")), CALLEE)
    assert named(two) == (EntryName("p", up=2), EntryName("p", up=2))
    assert named(forget(two, "p")) == named(two)
    back = leave(two, call(Name("other")), CALLEE, frozenset())
    assert named(leave(back, call(Name("other")), CALLEE, frozenset())) == named(product)


def test_what_only_a_callee_could_name_is_nobodys_entry_and_its_own_lock() -> None:
    """No variable of the caller is taken for it, and no assignment there changes it."""
    left = leave(pending(EntryName("own")), call(Name("ptep")), CALLEE, frozenset())
    assert named(left) == (ev.UNKNOWN_ENTRY, EntryName("own", owners=("g",)))
    assert named(forget(left, "own")) == named(left)


def test_a_variable_that_is_assigned_names_nothing_any_more() -> None:
    """Nor does what is spelled with it; a lock stays held under a name that nobody says."""
    assert named(forget(pending(EntryName("vmf->pte")), "vmf")) == (
        ev.UNKNOWN_ENTRY,
        EntryName("vmf->pte", up=1),
    )


def test_a_lock_is_shown_with_whose_it_is() -> None:
    """As the table of sections prints it."""
    assert str(EntryName("ptl")) == "ptl"
    assert str(EntryName("ptl", up=1)) == "^ptl"
    assert str(EntryName("ptl").owned_by("inner").owned_by("outer")) == "outer:inner:ptl"
