# SPDX-License-Identifier: GPL-2.0-or-later
"""Guards and RCU readers in hooks: what they pin, until their scope is left."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.verbs.given import Input
from tests.lift.test_xen import MMU

GUARDS = """
#define DEFINE_IRQSAVE_GUARD(name, take, drop)				\\
typedef struct {							\\
	void *lock;							\\
	unsigned long flags;						\\
} class_##name##_t;							\\
static inline void class_##name##_destructor(class_##name##_t *_T)	\\
{									\\
	if (_T->lock) {							\\
		drop;							\\
	}								\\
}									\\
static inline class_##name##_t class_##name##_constructor(void)	\\
{									\\
	class_##name##_t guard = { .lock = (void *)1 }, *_T = &guard;	\\
									\\
	take;								\\
	return guard;							\\
}									\\
static inline void *class_##name##_lock_ptr(class_##name##_t *_T)	\\
{									\\
	return _T->lock;						\\
}

DEFINE_LOCK_GUARD_0(preempt, preempt_disable(), preempt_enable())
DEFINE_LOCK_GUARD_0(rcu, rcu_read_lock(), rcu_read_unlock())
DEFINE_LOCK_GUARD_0(rcu_sched, rcu_read_lock_sched(), rcu_read_unlock_sched())
DEFINE_IRQSAVE_GUARD(irqsave, local_irq_save(_T->flags), local_irq_restore(_T->flags))
"""
SCENARIOS = ("flush-then-use", "section-in-hardirq", "page-allocated-in-section")
BUG = "kernel-bug"
PREEMPTIBLE = """
litmus preemptible
"A flush by a task that may be preempted."
machine: cpus 1, preempt full
entries:
    p  pte kernel = none
task T0 on cpu0:
    lazy_mmu_mode_enable
    set_pte p A
    arch_flush_lazy_mmu_mode
    lazy_mmu_mode_disable
watch kernel-bug
finally: p = A
"""


def flushing(body):
    """A flush of this body, with guards defined before it."""

    def change(text):
        begin = text.index("static void xen_flush_lazy_mmu(void)\n")
        end = text.index("}\n", begin) + 2
        made = f"{GUARDS}\nstatic void xen_flush_lazy_mmu(void)\n{{\n{body}}}\n"
        text = text[:begin] + made + text[end:]
        return text.replace(
            "#include <linux/mm.h>\n", "#include <linux/mm.h>\n#include <linux/cleanup.h>\n", 1
        )

    return change


def told(answer):
    """What came of each run, but for the number of states."""
    assert answer.lifted[0].refused == ""
    return [
        (one.scenario, one.verdict, sorted({broken.rule for broken in one.violations}))
        for one in answer.verdicts
    ]


PLAIN = "\tpreempt_disable();\n\txen_mc_flush();\n\tpreempt_enable();\n"


@pytest.mark.parametrize(
    "body",
    [
        "\tguard(preempt)();\n\txen_mc_flush();\n",
        "\tguard(rcu_sched)();\n\txen_mc_flush();\n",
        "\tscoped_guard(preempt)\n\t\txen_mc_flush();\n",
        "\tscoped_guard(irqsave)\n\t\txen_mc_flush();\n",
        "\tguard(irqsave)();\n\txen_mc_flush();\n",
        f"\tguard(rcu)();\n{PLAIN}",
        f"\trcu_read_lock();\n{PLAIN}\trcu_read_unlock();\n",
    ],
)
def test_what_a_guard_pins_is_pinned_until_its_scope_is_left(asked, body):
    """A flush that must not be preempted says the same with each of them."""
    assert told(asked(*SCENARIOS, changes={MMU: flushing(body)})) == told(asked(*SCENARIOS))


@pytest.mark.parametrize(
    "body",
    [
        "\tguard(rcu)();\n\txen_mc_flush();\n",
        "\tscoped_guard(preempt) {\n\t}\n\txen_mc_flush();\n",
        "\tscoped_guard(irqsave) {\n\t}\n\txen_mc_flush();\n",
    ],
)
def test_behind_its_scope_and_in_a_reader_of_rcu_nothing_is_pinned(asked, body):
    """What must not be preempted is a BUG there."""
    tree = asked.tree({MMU: flushing(body)})
    files = [Input(PREEMPTIBLE.encode(), "preemptible.litmus")]
    request = lazymmu.VerifyRequest(files=files, arches=["x86"], tree=tree, jobs=1)
    assert BUG in told(lazymmu.verify(request))[0][2]


def test_that_grace_periods_are_left_out_is_told(asked):
    """A reader pins nothing, and what waits for readers is no part of the machine."""
    body = f"\tguard(rcu)();\n{PLAIN}"
    answer = asked("flush-then-use", changes={MMU: flushing(body)})
    assert "RCU" in dict(answer.lifted[0].abstracted)["rcu_read_lock"]


def test_what_is_refused_deep_below_a_hook_is_refused_with_the_hooks_place_too(asked):
    """A reader of the report knows what of it to look at."""
    body = "\tdeep_inside();\n\txen_mc_flush();\n"
    tree = asked.tree({MMU: flushing(body)}).over(
        {
            "include/linux/cleanup.h": (
                (asked.root / "include/linux/cleanup.h").read_text()
                + "#define deep_inside() deeper()\n"
                + "static inline void deeper(void)\n{\n\tunheard_of();\n}\n"
            ).encode()
        }
    )
    request = lazymmu.VerifyRequest(scenarios=["flush-then-use"], arches=["x86"], tree=tree, jobs=1)
    (lifted,) = lazymmu.verify(request).lifted
    line = tree.read(MMU).decode().splitlines().index("\tdeep_inside();") + 1
    assert "unheard_of(), which is not known" in lifted.refused
    assert lifted.refused.endswith(f"below deep_inside() at {MMU}:{line}")
