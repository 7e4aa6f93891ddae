# SPDX-License-Identifier: GPL-2.0-or-later
"""Xen's hooks and the generic API as a tree's own C has them, beside the hand-written machine."""

from __future__ import annotations

import re

import pytest

import lazymmu
from lazymmu.problem import Problem
from tests.lift.conftest import rows

MMU = "arch/x86/xen/mmu_pv.c"
ENLIGHTEN = "arch/x86/xen/enlighten_pv.c"
MULTICALLS = "arch/x86/xen/multicalls.c"
HYPERVISOR = "arch/x86/include/asm/xen/hypervisor.h"
SCENARIOS = (
    "vmap-pfn-preempted",
    "fork-inside-section",
    "section-inside-section",
    "set-ptes-flushes-each-time",
    "section-in-hardirq",
)


def without(line: str):
    """A change that leaves out the first line that holds this."""

    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        lines.pop(next(n for n, one in enumerate(lines) if line in one))
        return "".join(lines)

    return change


def texts_with(root, word: str) -> list[str]:
    """The sources of a tree that have a word."""
    files = (path for path in root.rglob("*.[ch]") if word in path.read_text())
    return sorted(str(path.relative_to(root)) for path in files)


def test_a_tree_answers_as_the_machine_that_was_written_for_it(asked):
    """With whole hooks as steps both have the same states, transitions and shortest ways."""
    by_hand = lazymmu.verify(
        lazymmu.VerifyRequest(
            scenarios=SCENARIOS, arches=["x86"], releases=["7.1.13"], everything=True, jobs=1
        )
    )
    assert rows(asked(*SCENARIOS, steps="coarse")) == rows(by_hand)


def test_with_each_access_as_a_step_nothing_else_comes_out(asked):
    """The hooks of the example are right at every interleaving of their accesses."""

    def broken(answer):
        return [
            (v.scenario, v.verdict, sorted((one.rule, one.preemptions) for one in v.violations))
            for v in answer.verdicts
        ]

    assert broken(asked(*SCENARIOS)) == broken(asked(*SCENARIOS, steps="coarse"))


def test_neither_a_number_nor_a_name_of_a_hook_is_read(asked):
    """A tree of version 9.9.0 whose hooks are called otherwise gives the same answer."""

    def renamed(text: str) -> str:
        return re.sub(
            r"\bxen_(\w*(?:lazy_mmu|context_switch|set_pte|queue_update))\b", r"hv_\1", text
        )

    changes = {
        "Makefile": lambda text: re.sub(r"(VERSION|PATCHLEVEL) = \d+", r"\1 = 9", text),
        MMU: renamed,
        ENLIGHTEN: renamed,
    }
    assert rows(asked(*SCENARIOS, changes=changes)) == rows(asked(*SCENARIOS))


def test_hooks_of_a_context_switch_are_found_by_what_they_do(asked):
    """The scheduler's and the architecture's calls tell which they are, whatever their names."""
    changes = {
        rel: lambda text: re.sub(r"\barch_(start|end)_context_switch\b", r"arch_\1_change", text)
        for rel in texts_with(asked.root, "_context_switch")
        if "arch_start_context_switch" in (asked.root / rel).read_text()
        or "arch_end_context_switch" in (asked.root / rel).read_text()
    }
    assert rows(asked(*SCENARIOS, changes=changes)) == rows(asked(*SCENARIOS))


def test_a_variable_of_the_tree_is_one_of_the_machine(asked):
    """It has the name that C has for it, in counterexamples and in the list."""

    def renamed(text: str) -> str:
        return text.replace("xen_lazy_mode, xen_lazy_mode", "xen_lazy_mode, what_is_on").replace(
            "(xen_lazy_mode", "(what_is_on"
        )

    changes = dict.fromkeys((MMU, ENLIGHTEN, HYPERVISOR), renamed)
    answer = asked("fork-inside-section", changes=changes)
    assert "what_is_on" in answer.lifted[0].columns
    changed = {c.name for step in answer.findings[0].trace for c in step.state}
    assert "cpu0.what_is_on" in changed


@pytest.mark.parametrize(
    ("file", "line", "scenario", "rule"),
    [
        # A section that is switched out leaves what it queued for the CPU's next task.
        (ENLIGHTEN, "arch_leave_lazy_mmu_mode();", "vmap-pfn-preempted", "kernel-bug"),
        (ENLIGHTEN, "leave_lazy(XEN_LAZY_CPU);", "vmap-pfn-preempted", "kernel-bug"),
    ],
)
def test_a_hook_without_one_of_its_statements_is_caught(asked, file, line, scenario, rule):
    """What a patch breaks is found in the tree's own C, before anybody models it."""
    assert asked(scenario).findings == ()
    found = asked(scenario, changes={file: without(line)}).findings
    assert rule in {one.rule for one in found}


def test_the_steps_of_a_way_cite_lines_of_the_tree(asked):
    """Each step of lifted code names the file and the line of the statement at which it begins."""
    (found,) = asked("fork-inside-section").findings
    cited = {source for step in found.trace for _, source in step.calls}
    text = (asked.root / MMU).read_text().splitlines()
    lines = {text[int(c.partition(":")[2]) - 1].strip() for c in cited if c.startswith(MMU)}
    assert lines == {"preempt_disable();"}


def test_a_store_is_what_the_tree_does_for_it(asked):
    """A set_pte() that queues nothing changes nothing: it was only asked whether it would wait."""
    name = "use-before-leave"
    assert "finally" not in broken(asked(name))
    empty = {MMU: without("xen_queue_update((unsigned long)ptep, pte_val(pte));")}
    assert "finally" in broken(asked(name, changes=empty))


def broken(answer):
    """The rules that were broken, in any run."""
    return {one.rule for verdict in answer.verdicts for one in verdict.violations}


def test_a_store_cites_the_statement_of_the_tree_that_makes_it(asked):
    """Its step names set_pte() and the line of the table that it goes through."""
    found, *_ = asked("use-before-leave").findings
    cited = {names: source for step in found.trace for names, source in step.calls}
    file, _, line = cited["set_pte",].partition(":")
    assert "mmu.set_pte" in (asked.root / file).read_text().splitlines()[int(line) - 1]


def test_what_is_not_understood_is_refused_by_name_and_place(asked):
    """A hook that calls what no table and no file of the tree knows is not lifted."""

    def unknown(text: str) -> str:
        return text.replace(
            "preempt_disable();\n\txen_mc_flush", "strange_call(1);\n\txen_mc_flush", 1
        )

    answer = asked("vmap-pfn-preempted", changes={MMU: unknown})
    line = unknown((asked.root / MMU).read_text()).split("strange_call")[0].count("\n") + 1
    (refused,) = answer.lifted
    assert refused.refused == f"{MMU}:{line}: a call of strange_call(), which is not known"
    assert answer.done == ()
    assert answer.exit_code() == 3


def test_a_hook_that_may_be_one_of_two_is_refused(asked):
    """Two functions in one place of a table, of which neither goes through the other."""

    def another(text: str) -> str:
        more = "static void other_flush(void)\n{\n\tpreempt_disable();\n\tpreempt_enable();\n}\n"
        last = "void __init xen_init_mmu_ops(void)\n{\n"
        return text.replace(last, f"{more}{last}\tpv_ops.mmu.lazy_mode.flush = other_flush;\n")

    (refused,) = asked("vmap-pfn-preempted", changes={MMU: another}).lifted
    assert "mmu.lazy_mode.flush may be any of other_flush, xen_flush_lazy_mmu" in refused.refused


def test_what_only_a_run_shows_is_refused_as_well(asked):
    """A branch on a value that the machine does not have ends in a sentence, not in a guess."""

    def strange(text: str) -> str:
        return text.replace("\tu.ptr = where;", "\tif (value > 7)\n\t\treturn;\n\tu.ptr = where;")

    answer = asked("vmap-pfn-preempted", changes={MMU: strange})
    assert re.fullmatch(rf"{MMU}:\d+: > on .*", answer.lifted[0].refused)
    assert answer.exit_code() == 3


def test_what_was_left_out_is_listed_with_its_reason(asked):
    """The multicall buffer is the machine's queue, which is said."""
    (lifted,) = asked("vmap-pfn-preempted").lifted
    assert "queue" in dict(lifted.abstracted)["xen_mc_flush"]
    assert dict(lifted.functions)["xen_flush_lazy_mmu"].startswith(f"{MMU}:")


def test_a_tree_is_no_release_and_takes_none():
    """Whoever names both is told so in one sentence."""
    with pytest.raises(Problem, match="--tree is no release"):
        lazymmu.verify(lazymmu.VerifyRequest(tree="x", releases=["7.3.4"]))


def test_a_machine_that_cannot_be_lifted_is_named(asked):
    """The machines that can be are listed."""
    with pytest.raises(Problem, match="no machine that can be lifted 's390'"):
        asked("vmap-pfn-preempted", arch="s390")


def test_no_trace_of_a_tree_is_left_behind(asked):
    """The machine's own releases are all that there are afterwards."""
    from lazymmu.machine.releases import TREES

    asked("vmap-pfn-preempted")
    assert TREES == {}


def test_a_hook_that_only_shares_with_the_other_one_is_a_hook(asked):
    """The start of a switch that only leaves a note for its end is lifted with it."""

    def noted(text: str) -> str:
        text = text.replace(
            "DEFINE_PER_CPU(enum xen_lazy_mode, xen_lazy_mode) = XEN_LAZY_NONE;\n",
            "DEFINE_PER_CPU(enum xen_lazy_mode, xen_lazy_mode) = XEN_LAZY_NONE;\n"
            "static DEFINE_PER_CPU(bool, going);\n",
        )
        text = text.replace(
            "\tif (this_cpu_read(xen_lazy_mode) == XEN_LAZY_MMU)\n"
            "\t\tarch_leave_lazy_mmu_mode();\n\tenter_lazy(XEN_LAZY_CPU);\n",
            "\tthis_cpu_write(going, true);\n",
        )
        return text.replace("\tleave_lazy(XEN_LAZY_CPU);\n", "\tthis_cpu_write(going, false);\n")

    answer = asked("xen-preempted-at-depth-two", changes={ENLIGHTEN: noted})
    (one,) = answer.lifted
    assert one.refused == ""
    assert {"xen_start_context_switch", "xen_end_context_switch"} <= dict(one.functions).keys()
