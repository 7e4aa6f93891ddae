# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading litmus files: what they say, and what is said of those that say nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lazymmu.litmus.read import LitmusError, read
from lazymmu.litmus.scenario import (
    Breach,
    EntryDeclaration,
    EntryValue,
    Expect,
    ExpectationTarget,
    ExpectedOutcome,
    FinalClause,
    IrqDeclaration,
    MachineDeclaration,
    OperationLine,
    Pattern,
    Scenario,
    TaskDeclaration,
)

from .conftest import OPERATIONS, SMALL


def test_a_file_says_its_machine_entries_programs_and_what_must_come_of_them(small):
    """Everything that is written arrives, under the names of the machine."""
    assert read(small, operations=OPERATIONS) == Scenario(
        name="small",
        sentence="Something happens.",
        machine=MachineDeclaration(cpus=2),
        entries=(
            EntryDeclaration("p", "pte", "user", EntryValue("A"), locks=("L",)),
            EntryDeclaration("k", "pte", "kernel", EntryValue("none")),
        ),
        tasks=(
            TaskDeclaration(
                "T0",
                (
                    OperationLine("lazy_mmu_mode_enable"),
                    OperationLine(
                        "apply_to_page_range",
                        ("p", "k"),
                        (OperationLine("set_pte", ("ptep", "B:ro")),),
                    ),
                    OperationLine(
                        "if", ("not", "pte_none", "p"), (OperationLine("spin_lock", ("L",)),)
                    ),
                    OperationLine("lazy_mmu_mode_disable"),
                ),
                cpu=0,
            ),
            TaskDeclaration("T1", (OperationLine("schedule"),)),
        ),
        interrupts=(
            IrqDeclaration("I", (OperationLine("set_pte", ("k", "none")),), cpu=1, times=2),
        ),
        watch=("nested-section",),
        occurs=(Pattern("switch_out", (("task", "T0"), ("why", "preempted"), ("depth", "1"))),),
        finally_=(
            FinalClause("p", (EntryValue("A"), EntryValue("B", ("ro",)))),
            FinalClause("k", (EntryValue("none"),), "stored"),
        ),
        expect=(
            Expect(
                (
                    ExpectationTarget(("x86", "xen-task"), "7.0", "7.3"),
                    ExpectationTarget(("sparc",)),
                ),
                ExpectedOutcome.VIOLATED,
                (Breach("nested-section", 1, 12),),
            ),
            Expect((ExpectationTarget(),), ExpectedOutcome.HOLDS),
        ),
    )


def test_everything_knows_its_line_and_column(small):
    """A machine that cannot be built is reported at the line that asks for it."""
    scenario = read(small)
    callback = scenario.tasks[0].operations[1]
    assert (callback.line, callback.column) == (11, 5)
    assert (callback.body[0].line, callback.body[0].column) == (12, 9)
    assert (scenario.entries[1].value.line, scenario.entries[1].value.column) == (7, 20)
    assert (scenario.expect[0].broken[0].line, scenario.expect[0].targets[1].column) == (25, 28)


def test_a_section_may_be_one_line_or_a_block_and_stand_anywhere():
    """A section of a file may be one line or a block, and may stand anywhere.

    Scenarios stay short.
    """
    inline = read(
        'litmus a\n"S."\nmachine: cpus 2, preempt lazy, rt yes, bound 2, size large\n'
        "entries: p pte user = A; q pte user = B\ntask T:\n  schedule\n"
    )
    block = read(
        '# c\n\nlitmus a\n"S."\ntask T:\n\tschedule  # c\n\nentries:\n  p pte user = A\n'
        "    # c\n  q pte user = B\nmachine:\n  cpus 2\n  preempt lazy, rt yes\n"
        "  bound 2\n  size large"
    )
    assert inline == block
    assert inline.machine == MachineDeclaration(2, "lazy", rt=True, bound=2, size="large")


def test_a_sentence_may_take_several_lines():
    """Sentences that say it all are longer than a line."""
    assert read('litmus a\n"One  two"\n"three."\ntask T:\n  x\n').sentence == "One two three."


def test_values_of_an_event_need_no_name_in_their_order():
    """Patterns are written like the lines of an event list."""
    text = SMALL.replace("T0: switch_out why=preempted depth=1", "write p level=pte; T1: fork T0")
    assert [dict(pattern.fields) for pattern in read(text).occurs] == [
        {"entry": "p", "level": "pte"},
        {"task": "T1", "child": "T0"},
    ]


WRONG = [
    ("litmus small", "litmos small", "1:1: expected `litmus`, found `litmos`"),
    ('"Something happens."', '""', "2:1: an empty sentence"),
    ('"Something happens."', '"Something', "2:1: a string without its end has no"),
    ("cpus 2", "cpus 4", "4:15: `cpus` is 1, 2 or 3"),
    ("cpus 2", "cpu 2", "4:10: a machine has no `cpu`; it has cpus, preempt, rt, bound, size"),
    ("cpus 2", "cpus 2, cpus 2", "4:18: `cpus` is given twice"),
    ("cpus 2", "cpus 1", "18:1: there is no cpu1: the machine has `cpus 1`"),
    ("p pte user", "p ptf user", "6:7: expected a level"),
    ("p pte user", "P pte user", "6:5: `P` looks like a page"),
    ("p pte user", "none pte user", "6:5: `none` is a word of the format"),
    ("k pte", "p pte", "7:5: `p` is an entry already"),
    ("k pte kernel", "k pte kernel in p", "7:5: `p` is not above `k`: look at their levels"),
    ("ptl L = A", "ptl L = L", "6:24: `L` is a lock already, and no page"),
    ("ptl L", "ptl T0", "9:1: `T0` is a lock already"),
    ("= A\n", "= A:rw\n", "6:24: a value has no flag `rw`; there are ro, old, clean, wp"),
    (
        "= none\n",
        "= nil\n",
        "7:20: `nil` is no value: none, swap, swap-exclusive, marker, migration, ",
    ),
    ("set_pte ptep B:ro", "set_pet pte B", "12:9: there is no operation `set_pet`; did you mean"),
    ("set_pte ptep B:ro", "set_pte ptep", "12:9: `set_pte` takes an entry and a value"),
    ("set_pte ptep B:ro", "set_pte q B", "12:9: `set_pte` names an entry `q` that is not declared"),
    ("set_pte ptep B:ro", "set_pte ptep b", "12:9: `set_pte` takes a value, but `b` is no value"),
    ("set_pte ptep B:ro", "free_page B:ro", "12:9: `free_page` takes a page, not `B:ro`"),
    ("set_pte ptep B:ro", "schedule now", "12:9: `schedule` takes a number, not `now`"),
    ("spin_lock L", "spin_lock M", "14:9: `spin_lock` names a lock `M` that is not declared"),
    (
        "    lazy_mmu_mode_enable\n",
        "    lazy_mmu_mode_enable:\n        schedule\n",
        "10:5: `lazy_mmu_mode_enable` takes no lines below it",
    ),
    (
        "if not pte_none p:",
        "if not:",
        "13:5: `if` needs a predicate such as `pte_none p`, and lines",
    ),
    (
        "pte_none p:",
        "pte_nome p:",
        "13:5: there is no predicate `pte_nome`; did you mean `pte_none`?",
    ),
    ("    if not", "   if not", "13:4: no line above is indented like this one"),
    (
        "schedule\n",
        "schedule:\n",
        "18:1: expected a line that is indented more, found a line that is indented less",
    ),
    ("times 2", "times 9", "18:1: an interrupt happens 1 to 3 times"),
    ("on cpu1 times", "on cpu1 only times", "18:1: an interrupt is `on` a CPU, no more"),
    ("interrupt I", "interrupt T1", "18:1: `T1` is a task already"),
    ("task T1:", "task T1 forked:", "16:1: no task forks `T1`"),
    ("task T0 on cpu0:", "task T0 forked:", "9:1: no task forks `T0`"),
    (
        "watch nested-section",
        "watch nestd-section",
        "1:8: there is no rule that machines show `nestd-section`; did you mean `nested-section`?",
    ),
    ("T0: switch_out", "T0: switch_of", "22:9: no event is called `switch_of`; did you mean"),
    ("why=preempted", "why=tired", "22:9: `why` is one of preempted, yielded, blocked, "),
    ("depth=1", "depth=9", "22:9: `depth` is one of 0, 1, 2, 3, not `9`"),
    ("depth=1", "deep=1", "22:9: there is no field of `switch_out` `deep`; did you mean `depth`?"),
    ("T0: switch_out", "T7: switch_out", "22:9: there is no task `T7`; there are I, T0, T1"),
    ("; stored k", "; stored j", "23:25: there is no entry `j`; there are k, p"),
    ("finally:", "occurs: read p\nfinally:", "23:1: `occurs` stands twice in this file"),
    ("violated nested-section,", "violated stale-read,", "25:44: there is no watched rule"),
    ("1 preemption, 12", "1 preemption, 2 preemptions, 12", "25:74: `preemptions` is given twice"),
    ("7.0..7.3", "7.3..7.0", "25:5: no release is from 7.3 and up to 7.0"),
    ("*: holds", "*: holds it", "26:14: expected `;` or the end of the line, found `it`"),
    ("*: holds", "*: hold", "26:8: expected `holds`, `never-occurs`, `not-applicable` or `viol"),
    ("expect:", "expects:", "24:1: expected "),
    ("task", "\0task", "9:1: '\\x00' has no meaning here"),
]


@pytest.mark.parametrize(("old", "new", "says"), WRONG, ids=[new.strip() for _, new, _ in WRONG])
def test_what_is_wrong_is_one_sentence_with_its_line_and_column(small, old, new, says):
    """Whoever writes a scenario is told where to look, and what there is instead."""
    assert old in small
    with pytest.raises(LitmusError) as caught:
        read(small.replace(old, new, 1), "a.litmus", operations=OPERATIONS)
    assert str(caught.value).startswith(f"a.litmus:{says}"), str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_implementation_that_is_unknown_is_told_when_the_known_are_given(small):
    """Without a machine at hand a file can still be read; with one, its names are checked."""
    known = ["x86", "xen-task", "arm64", "sparc"]
    assert read(small, implementations=known).name == "small"
    with pytest.raises(LitmusError, match=r"^f:25:5: there is no architecture or feature `xen-ta`"):
        read(small.replace("xen-task", "xen-ta"), "f", implementations=known)


def test_nesting_without_end_is_refused():
    """A file that nests deeper than any kernel function is a mistake, or worse."""
    deep = "".join("  " * n + "x:\n" for n in range(1, 100)) + "  " * 100 + "x\n"
    with pytest.raises(LitmusError, match="lines nest deeper than 8 levels"):
        read('litmus a\n"S."\ntask T:\n' + deep)


def test_a_huge_file_is_refused():
    """Nothing reads for minutes what can be no scenario."""
    with pytest.raises(LitmusError, match=r":1:1: a litmus file has at most \d+ characters"):
        read(SMALL + "#" * 100_000)


@given(st.text())
@example('litmus a\n"S."\ntask T:\n')
@example("litmus a\n  b")
@example("\r\n")
def test_any_text_is_a_scenario_or_an_error(text):
    """No input shows the insides of the parser."""
    try:
        read(text)
    except LitmusError as error:
        assert error.line >= 1
        assert error.column >= 1


@given(st.data())
def test_a_file_with_any_piece_changed_is_a_scenario_or_an_error(data):
    """As above, near what is right, where more of the reader is reached."""
    at = data.draw(st.integers(0, len(SMALL)))
    end = data.draw(st.integers(at, min(len(SMALL), at + 12)))
    words = [
        "",
        " ",
        "\n",
        "\n    ",
        "\t",
        ":",
        ";",
        ",",
        "=",
        '"',
        "#",
        "*",
        "..",
        "p",
        "T0",
        "A:ro",
    ]
    piece = data.draw(st.sampled_from([*words, *SMALL.split(), *SMALL.splitlines(keepends=True)]))
    try:
        read(SMALL[:at] + piece + SMALL[end:], operations=OPERATIONS)
    except LitmusError as error:
        assert 1 <= error.line <= SMALL.count("\n") + 4
        assert "\n" not in error.sentence
