# SPDX-License-Identifier: GPL-2.0-or-later
"""What waits of an entry that was changed at once: what each rule says of it, and of whom."""

from __future__ import annotations

import pytest

from lazymmu.contract import vocabulary
from lazymmu.contract.deferral import invalidates_late
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.eventlist import judge, parse
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES


def said(text: str) -> list[tuple[str, str]]:
    """The rules that a list of events breaks, and the details, in every dialect the same."""
    answers = []
    for dialect in DIALECTS.values():
        found = judge(parse(text), Runtime(tuple(RULES.values()), dialect))
        answers.append([(one.rule, one.detail) for _, one in found])
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


BEGIN = "take ptl cls=ptl\nenable\nwrite e space=user how=immediate put_off\n"
END = "disable\ndrop ptl cls=ptl\n"


@pytest.mark.parametrize(
    ("event", "rules"),
    [
        ("free e", [("free-before-flush", "frees the page that TLBs hold")]),
        ("free e what=table", [("free-before-flush", "frees the page table that TLBs hold")]),
        ("free other", []),
        ("use e", []),
        ("read e", []),
        ("write e space=user how=immediate", []),
        ("tlb_flush space=user", [("tlb-flush-in-section", "invalidation")]),
        ("tlb_flush space=kernel", []),
        ("tlb_flush space=user how=noop", []),
        ("tlb_flush space=user batch", []),
        ("tlb_flush scope=entry space=user entry=e", []),
        ("tlb_flush space=user batch\nfree e", []),
        ("flush\nfree e", []),
    ],
)
def test_what_waits_is_an_invalidation_and_no_write(event: str, rules: list[str]) -> None:
    """Memory is right, so reads and writes are; what TLBs hold may not be given back."""
    assert said(BEGIN + event + "\n" + END) == rules


def test_the_lock_is_dropped_too_early_for_the_invalidation() -> None:
    """Of two that wait, the write is the graver, and speaks."""
    late = BEGIN + "drop ptl cls=ptl\ndisable\n"
    assert ("unlock-before-flush", "invalidation") in said(late)
    both = late.replace("drop", "write other space=user\ndrop", 1)
    assert ("unlock-before-flush", "write") in said(both)
    assert ("unlock-before-flush", "invalidation") not in said(both)


def test_outside_of_a_section_nothing_waits() -> None:
    """The same events without the section are nobody's concern."""
    text = (BEGIN + "free e\n" + END).replace("enable\n", "").replace("disable\n", "")
    assert said(text) == []


@pytest.mark.parametrize(
    ("arch", "space", "late"),
    [
        ("powerpc", "user", True),
        ("powerpc", "kernel", True),
        ("sparc", "user", True),
        ("sparc", "kernel", False),
        ("sparc", "unknown", True),
        ("x86", "user", False),
        ("arm64", "kernel", False),
        ("riscv", "user", False),
    ],
)
def test_who_puts_off_an_invalidation_of_what_is_stored_at_once(
    arch: str, space: str, late: bool
) -> None:
    """As the rows of the deferral table have it."""
    assert invalidates_late(arch, space) is late


def test_only_what_is_stored_at_once_leaves_an_invalidation_behind() -> None:
    """A store that is deferred waits itself, and a read changes nothing."""
    for name, accessor in vocabulary.load().entries.items():
        if accessor.put_off:
            assert (accessor.operation, accessor.how) == ("modify", "immediate"), name
