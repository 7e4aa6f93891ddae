# SPDX-License-Identifier: GPL-2.0-or-later
"""What is printed of rules, architectures and dialects: whole, in a hundred columns, and true."""

from __future__ import annotations

import re

import pytest

from lazymmu.contract.deferral import ROWS
from lazymmu.contract.dialects import COUNTED, DIALECTS, NO_NESTING, PTL_HELD
from lazymmu.contract.explain import (
    UnknownNameError,
    explain_arch,
    explain_contract,
    explain_rule,
    explain_rules,
)
from lazymmu.contract.pgtable_comment import contract_text
from lazymmu.contract.rules import RULES


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_explained_whole(name: str) -> None:
    """Sentence, reason, source, dialects, harm, both examples in both forms."""
    text = explain_rule(name)
    words = " ".join(text.split())
    rule = RULES[name]
    for part in (rule.sentence, rule.why, rule.citation):
        assert " ".join(part.split()) in words
    for title in ("Why", "In each dialect", "Who is hurt"):
        assert title in text
    shown = (
        ("Wrong, in", "Right, in", "as events:") if rule.of_source else ("Wrong, as", "Right, as")
    )
    assert all(title in text for title in shown)
    assert f"expect: {name}" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_rule_can_be_explained_for_one_dialect() -> None:
    """Then only that dialect's standing is printed."""
    assert "no-nesting: documented" in explain_rule("nested-section", NO_NESTING)
    assert "ptl-held: " not in explain_rule("nested-section", NO_NESTING)


def test_a_rule_that_hurts_nobody_says_so() -> None:
    """To ask who is hurt has an answer for every rule."""
    assert "Nobody in the tree" in explain_rule("tlb-flush-in-section")


def test_all_rules_have_a_line() -> None:
    """The list that `explain` without a name prints."""
    text = explain_rules(COUNTED)
    assert all(f"{name} [" in text for name in RULES)
    assert "nested-section [off]" in text


@pytest.mark.parametrize("arch", ROWS)
def test_an_architecture_is_explained_row_by_row(arch: str) -> None:
    """Every feature state that releases have had."""
    text = explain_arch(arch)
    for row in ROWS[arch]:
        assert f"({row.name})" in text
        assert row.seen in text
    assert max(map(len, text.splitlines())) <= 100
    assert explain_arch(arch, ROWS[arch][0]).count("source:") == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: explain_rule("stale-reed"), "there is no rule `stale-reed`; did you mean"),
        (lambda: explain_rule("x"), "there is no rule `x`; known are unbalanced-section,"),
        (lambda: explain_arch("riscv"), "there is no architecture `riscv`; known are x86,"),
        (lambda: explain_contract("7.0"), "there is no dialect `7.0`; known are ptl-held,"),
    ],
)
def test_an_unknown_name_is_one_sentence(call: object, message: str) -> None:
    """With the nearest name, or all of them."""
    assert callable(call)
    with pytest.raises(UnknownNameError) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_the_contract_is_a_kernel_comment(dialect: object) -> None:
    """Opened, closed, starred, and within the kernel's eighty columns."""
    text = explain_contract(dialect.name)  # type: ignore[attr-defined]
    lines = text.splitlines()
    assert (lines[0], lines[-1]) == ("/*", " */")
    assert all(line.startswith(" *") for line in lines[1:])
    assert all(line == line.rstrip() and len(line) <= 80 for line in lines)
    assert text == explain_contract(dialect)  # type: ignore[arg-type]


def _flat(text: str) -> str:
    return " ".join(re.sub(r"^ \*", "", text, flags=re.M).split())


def test_the_contract_says_what_the_dialect_says() -> None:
    """Nesting, locks, sleeping, interrupts, pausing: each in the words of its feature."""
    old, middle, new = (_flat(contract_text(d)) for d in (PTL_HELD, NO_NESTING, COUNTED))
    assert "Sections do not nest, not through calls either (implied)." in old
    assert "Sections do not nest, not through calls either. -" in middle
    assert "Sections may nest." in new
    assert "while holding the page table locks" in old
    assert "lazy_mmu_mode_pause()" in new
    assert "lazy_mmu_mode_pause()" not in middle
    assert "arch_enter_lazy_mmu_mode()" in middle
    assert "disabled preemption (implied)." in middle
    assert "disabled preemption." in new
