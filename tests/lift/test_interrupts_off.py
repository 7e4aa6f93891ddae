# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks that put interrupts off: a flag, which the first that lets them in sets back."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.verbs.given import Input
from tests.lift.test_guards import BUG, PREEMPTIBLE, told
from tests.lift.test_xen import MMU


def flushing(body):
    """A flush of this body, which must not be preempted."""

    def change(text):
        begin = text.index("static void xen_flush_lazy_mmu(void)\n")
        end = text.index("}\n", begin) + 2
        lines = "".join(f"\t{one};\n" for one in body.split("; "))
        made = f"static void xen_flush_lazy_mmu(void)\n{{\n\tunsigned long flags;\n\n{lines}}}\n"
        return text[:begin] + made + text[end:]

    return change


def ask(asked, body):
    """The rules that a task breaks which flushes by that, and may be preempted."""
    files = [Input(PREEMPTIBLE.encode(), "preemptible.litmus")]
    tree = asked.tree({MMU: flushing(body)})
    return told(
        lazymmu.verify(lazymmu.VerifyRequest(files=files, arches=["x86"], tree=tree, jobs=1))
    )


OFF, ON = "local_irq_disable()", "local_irq_enable()"
SAVE, RESTORE = "local_irq_save(flags)", "local_irq_restore(flags)"
FLUSH = "xen_mc_flush()"


@pytest.mark.parametrize(
    "body",
    [
        (OFF, FLUSH, ON),
        (OFF, OFF, FLUSH, ON),
        (OFF, SAVE, RESTORE, FLUSH, ON),
        (SAVE, SAVE, FLUSH, ON),
        (SAVE, ON, OFF, FLUSH, RESTORE),
        (OFF, FLUSH, ON, ON),
    ],
)
def test_a_flush_with_interrupts_off_is_a_flush_that_nobody_preempts(asked, body):
    """However often they were put off; what was kept is as it was, and on twice is no error."""
    assert BUG not in ask(asked, "; ".join(body))[0][2]


@pytest.mark.parametrize(
    "body",
    [
        (OFF, OFF, ON, FLUSH, ON),
        (SAVE, OFF, ON, FLUSH, RESTORE),
        (OFF, SAVE, ON, FLUSH, RESTORE),
        (SAVE, RESTORE, FLUSH),
        (OFF, ON, FLUSH, OFF, ON),
    ],
)
def test_interrupts_that_are_on_too_early_are_seen(asked, body):
    """The first that lets them in does, whoever put them off before: the flush is preempted."""
    assert BUG in ask(asked, "; ".join(body))[0][2]


def test_what_is_kept_while_they_are_off_puts_them_off_again(asked):
    """off, save, on, restore: they are off from then on, and a task leaves its section so."""
    body = "; ".join((OFF, SAVE, ON, RESTORE, FLUSH, ON))
    assert BUG not in ask(asked, body)[0][2]
