# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing scenarios: what is written reads back as equal."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.litmus import scenario as sc
from lazymmu.litmus.read import read
from lazymmu.litmus.write import render

from .conftest import SMALL

RULES = ("stale-read", "lost-update", "kernel-bug")

counts = st.none() | st.integers(0, 99)
releases = st.sampled_from(["", "6.1.176", "6.12", "7.3-rc2"])
machines = st.builds(
    sc.MachineDeclaration,
    cpus=st.just(3),
    preempt=st.sampled_from(sc.PREEMPT),
    rt=st.booleans(),
    bound=st.none() | st.integers(0, 9),
    size=st.sampled_from(["small", "large"]),
)
pages = st.builds(
    sc.EntryValue,
    st.sampled_from(["A", "Page_2"]),
    st.lists(st.sampled_from(sc.FLAGS), unique=True).map(tuple),
)
values = pages | st.sampled_from(sc.BARE).map(sc.EntryValue)
arguments = st.lists(st.sampled_from(["p", "d", "L", "A:ro", "12", "none", "ptep"])).map(tuple)
operations = st.recursive(
    st.builds(sc.OperationLine, st.sampled_from(["set_pte", "schedule", "x-y.z"]), arguments),
    lambda inner: (
        st.builds(
            sc.OperationLine,
            st.just("apply_to_page_range"),
            arguments,
            st.lists(inner, min_size=1, max_size=3).map(tuple),
        )
        | st.builds(
            sc.OperationLine,
            st.just("if"),
            st.sampled_from([("pte_none", "p"), ("not", "pte_none", "p")]),
            st.lists(inner, min_size=1, max_size=2).map(tuple),
        )
    ),
    max_leaves=6,
)
programs = st.lists(operations, min_size=1, max_size=4).map(tuple)
cpus = st.none() | st.integers(0, 2)


@st.composite
def tasks(draw):
    """T0 to T2, of which some say where they run, and T2 is forked by T0."""
    first = sc.TaskDeclaration("T0", (sc.OperationLine("fork", ("T2",)), *draw(programs)))
    cpu = draw(cpus)
    bound = cpu is not None and draw(st.booleans())
    mm = draw(st.sampled_from(["", "m1"]))
    second = sc.TaskDeclaration("T1", draw(programs), cpu=cpu, bound=bound, mm=mm)
    return first, second, sc.TaskDeclaration("T2", draw(programs), forked=True)


interrupts = st.builds(
    sc.IrqDeclaration,
    st.just("I"),
    programs,
    kind=st.sampled_from(["hard", "soft"]),
    cpu=cpus,
    times=st.integers(1, 3),
)
patterns = st.sampled_from(
    [
        sc.Pattern("switch_out", (("task", "T0"), ("why", "preempted"), ("depth", "2"))),
        sc.Pattern("write", (("entry", "p"), ("cpu", "1"), ("pending", "d"))),
        sc.Pattern("take", (("lock", "L"), ("held", "no"))),
        sc.Pattern("irq_enter"),
    ]
)
finals = st.builds(
    sc.FinalClause,
    st.sampled_from(["p", "d"]),
    st.lists(values, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["both", "stored", "effective"]),
)
targets = st.builds(
    sc.ExpectationTarget, st.sampled_from([(), ("x86",), ("x86", "xen-task"), ("sparc-active",)])
) | st.builds(sc.ExpectationTarget, st.sampled_from([(), ("x86",)]), st.just("6.1"), releases)
breaches = st.builds(sc.Breach, st.sampled_from(RULES), counts, counts)
expects = st.builds(
    sc.Expect,
    st.lists(targets, min_size=1, max_size=3).map(tuple),
    st.just(sc.ExpectedOutcome.VIOLATED),
    st.lists(breaches, min_size=1, max_size=3).map(tuple),
) | st.builds(
    sc.Expect,
    st.lists(targets, min_size=1, max_size=2).map(tuple),
    st.sampled_from([o for o in sc.ExpectedOutcome if o is not sc.ExpectedOutcome.VIOLATED]),
)
letters = st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"')
sentences = st.text(letters, min_size=1, max_size=12)
words = st.lists(st.sampled_from(["C1", "some-bug", "x_y"]), max_size=3, unique=True).map(tuple)
scenarios = st.builds(
    sc.Scenario,
    name=st.sampled_from(["a", "shape-of-it-2"]),
    sentence=st.lists(
        sentences | st.sampled_from(["word", "write-protected"]), min_size=1, max_size=30
    ).map(" ".join),
    claims=words,
    bugs=words,
    rules=st.lists(st.sampled_from(RULES), unique=True).map(tuple),
    see=st.lists(sentences, max_size=2).map(tuple),
    machine=machines,
    locks=st.sampled_from([(), ("mutex", "X")]),
    entries=st.just(
        (
            sc.EntryDeclaration("p", "pte", "user", sc.EntryValue("A"), ("L", "M"), "m1", "d"),
            sc.EntryDeclaration("d", "pmd", "user", sc.EntryValue("T"), ("M",)),
            sc.EntryDeclaration("k", "pte", "kernel", sc.EntryValue("none")),
        )
    ),
    tasks=tasks(),
    interrupts=st.lists(interrupts, max_size=1).map(tuple),
    watch=st.sampled_from([(), RULES]),
    occurs=st.lists(patterns, max_size=3).map(tuple),
    finally_=st.lists(finals, max_size=2).map(tuple),
    expect=st.builds(
        lambda first, then: (*first, *(replace(one, also=True) for one in then)),
        st.lists(expects, max_size=3),
        st.lists(expects, max_size=2),
    ),
)


@settings(max_examples=50)
@given(scenarios)
def test_any_scenario_reads_back_as_it_was_written(scenario):
    """Programs that write scenarios lose nothing, and the format can say what the values can."""
    assert read(render(scenario), rules=RULES) == scenario


def test_what_is_written_again_is_the_same_text():
    """A rewritten file makes no differences that mean nothing."""
    once = render(read(SMALL))
    assert render(read(once)) == once
