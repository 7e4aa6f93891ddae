# SPDX-License-Identifier: GPL-2.0-or-later
"""Signatures: what fits an operation, and what is said of what does not."""

from __future__ import annotations

import pytest

from lazymmu.litmus import operations, signature

NAMES = {"entry": {"p", "q"}, "lock": {"L"}, "task": {"T0"}}


@pytest.mark.parametrize(
    ("text", "args", "body"),
    [
        ("", (), False),
        ("entry value", ("p", "A:ro"), False),
        ("entry", ("ptep",), False),
        ("entry number?", ("p",), False),
        ("entry number?", ("p", "3"), False),
        ("entry*", (), False),
        ("entry+ :", ("p", "q", "p"), True),
        ("lock task page word", ("L", "T0", "A", "anything"), False),
    ],
)
def test_what_fits_is_not_objected_to(text, args, body):
    """Missing and repeated arguments are where the signature allows them."""
    assert signature.misfit(text, args, NAMES, body=body) is None


@pytest.mark.parametrize(
    ("text", "args", "body", "says"),
    [
        ("", ("p",), False, "takes nothing"),
        ("entry value", ("p",), False, "takes an entry and a value"),
        ("entry+", (), False, "takes an entry, at least once"),
        ("entry number?", ("p", "x"), False, "takes a number, not `x`"),
        ("entry", ("r",), False, "names an entry `r` that is not declared"),
        ("entry value", ("p", "a"), False, "takes a value, but `a` is no value: none"),
        ("page", ("A:ro",), False, "takes a page, not `A:ro`"),
        ("entry :", ("p",), False, "needs indented lines below it"),
        ("entry", ("p",), True, "takes no lines below it"),
    ],
)
def test_what_does_not_fit_is_said_in_words(text, args, body, says):
    """The sentence goes on after the operation's name."""
    assert signature.misfit(text, args, NAMES, body=body).startswith(says)


def test_a_signature_of_unknown_kinds_is_a_mistake_of_the_program():
    """It is no user's, who cannot mend it."""
    with pytest.raises(ValueError, match="`thing` is no kind of argument"):
        signature.misfit("thing", ("p",), NAMES, body=False)


def test_every_operation_of_every_machine_has_a_signature_that_can_be_read():
    """A new operation whose parameters nobody can name is found here."""
    known = operations.signatures()
    assert {"set_pte", "lazy_mmu_mode_enable", "if pte_none"} <= set(known)
    for text in known.values():
        assert signature.describe(text)
    assert known["set_pte"] == "entry value"
