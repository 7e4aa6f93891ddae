# SPDX-License-Identifier: GPL-2.0-or-later
"""From culprits to findings: one cause is one finding, with who is hurt and how sure it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract.deferral import ROWS
from lazymmu.contract.dialects import COUNTED, NO_NESTING, PTL_HELD
from lazymmu.witness.finding import Confidence, Finding, Severity, Step
from lazymmu.witness.source.findings import MAX_TESTS, Report, findings
from lazymmu.witness.source.path.path_trace import PathTrace

PINNING = {"x86": ROWS["x86"][0], "powerpc": ROWS["powerpc"][1], "sparc": ROWS["sparc"][1]}
Agrees = Callable[..., tuple[Finding, ...]]


def step(line: int, function: str = "f", note: str = "calls g()", file: str = "mm/a.c") -> Step:
    """A place in a file."""
    return Step(file, line, 2, function, note)


def made(**given: Any) -> Report:
    """A culprit that is whole."""
    place = given.pop("step", step(10))
    fields: dict[str, Any] = {
        "arch": "x86",
        "rule": "sleep-in-section",
        "message": "may sleep (might_sleep()) inside a lazy MMU section",
        "step": place,
        "path": (step(5, note="calls lazy_mmu_mode_enable()"), place),
        "conditions": (),
        "ambiguous": False,
        "tests": 0,
        "section": step(5, note="calls lazy_mmu_mode_enable()"),
        "space": "user",
        "detail": "",
    }
    return Report(**(fields | given))


def found(*culprits: Report, **given: Any) -> tuple[Finding, ...]:
    """The findings of culprits, where the rows pin."""
    return findings(culprits, given.get("dialect", COUNTED), given.get("rows", PINNING))


def test_the_same_place_on_two_architectures_is_one_finding() -> None:
    """It names both, and tells for each how it is hurt."""
    (one,) = found(made(arch="powerpc"), made(arch="x86"), made(arch="sparc"))
    assert one.arches == ("powerpc", "sparc", "x86")
    assert {harm.arch for harm in one.harms} <= set(one.arches)
    assert "powerpc" in {harm.arch for harm in one.harms}
    assert one.severity is Severity.HURTS


def test_what_hurts_nobody_breaks_the_text() -> None:
    """A TLB flush in a section has no victim in the tree."""
    (one,) = found(made(rule="tlb-flush-in-section", message="flushes"))
    assert one.severity is Severity.BREAKS_TEXT
    assert one.harms == ()


def test_another_place_is_another_finding() -> None:
    """Another line, another column, another file."""
    other = Step("mm/a.c", 10, 30, "f", "calls h()")
    assert len(found(made(), made(step=step(11)), made(step=other))) == 3


def test_several_rules_at_one_place_are_one_finding() -> None:
    """The gravest leads; the others are in `also`."""
    (one,) = found(
        made(rule="unlock-before-flush", message="drops"),
        made(rule="section-outside-lock", message="drops", detail="drops"),
    )
    assert {one.rule, *one.also} == {"unlock-before-flush", "section-outside-lock"}


def test_several_sections_that_come_to_one_place_are_notes_of_it() -> None:
    """Several sections that come to one place are notes of it, each other section once."""
    elsewhere = step(55, "h", "calls lazy_mmu_mode_enable()", "mm/b.c")
    (one,) = found(made(), made(section=elsewhere), made(section=elsewhere, arch="sparc"))
    notes = [s for s in one.path if s.note == "also in the section that begins here"]
    assert [(s.file, s.line) for s in notes] == [("mm/b.c", 55)]


def test_one_section_outside_its_lock_is_one_finding() -> None:
    """However many writes and drops show it: the others are told beside the first."""
    one, two = step(12, note="calls set_pte_at()"), step(14, note="calls pte_unmap_unlock()")
    (only,) = found(
        made(rule="section-outside-lock", detail="drops", step=two),
        made(rule="section-outside-lock", detail="writes", step=one),
    )
    assert only.line == 12
    assert only.path[-1].note == "likewise: calls pte_unmap_unlock()"


@pytest.mark.parametrize(
    ("given", "confidence"),
    [
        ({}, Confidence.HIGH),
        ({"conditions": ("CONFIG_X",)}, Confidence.MEDIUM),
        ({"tests": 1}, Confidence.MEDIUM),
        ({"tests": MAX_TESTS + 1}, Confidence.LOW),
        ({"ambiguous": True}, Confidence.LOW),
    ],
)
def test_confidence_is_by_fact(given: dict[str, Any], confidence: Confidence) -> None:
    """Conditions, tests that a callee makes, several candidates."""
    (one,) = found(made(**given))
    assert one.confidence is confidence


def test_the_best_telling_of_a_cause_is_told() -> None:
    """The one that needs least, with its conditions."""
    (one,) = found(
        made(conditions=("CONFIG_X",), message="by X"),
        made(message="by itself", arch="sparc"),
        made(ambiguous=True, message="perhaps"),
    )
    assert one.message == "by itself"
    assert one.conditions == ()
    assert one.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"ambiguous": True}, {"tests": 9, "conditions": ("CONFIG_X", "CONFIG_Y")}),
        ({"tests": 2}, {"tests": 1, "conditions": ("CONFIG_X", "CONFIG_Y")}),
        ({"conditions": ("CONFIG_A", "CONFIG_B")}, {"conditions": ("CONFIG_X",)}),
        ({"path": (step(5), step(7), step(10))}, {"path": (step(5), step(10))}),
        ({"section": step(6)}, {"section": step(5)}),
        ({"arch": "x86"}, {"arch": "powerpc"}),
    ],
)
@pytest.mark.parametrize("first", [0, 1])
def test_the_telling_that_assumes_least_is_told(
    worse: dict[str, Any], better: dict[str, Any], first: int
) -> None:
    """Certain targets go before tests, tests before conditions, and those before lengths."""
    tellings = [made(message="better", **better), made(message="worse", **worse)]
    (one,) = found(tellings[first], tellings[1 - first])
    assert one.message == "better"
    assert one.conditions == better.get("conditions", ())
    assert set(one.arches) == {better.get("arch", "x86"), worse.get("arch", "x86")}


@pytest.mark.parametrize("first", [0, 1])
def test_the_gravest_rule_speaks_for_the_architectures_of_all(first: int) -> None:
    """Two rules that break at one place are one finding, hurt where either of them hurts."""
    both = [
        made(rule="tlb-flush-in-section", message="flushes", arch="x86"),
        made(rule="sleep-in-section", message="sleeps", arch="powerpc"),
    ]
    (one,) = found(both[first], both[1 - first])
    assert (one.rule, one.message, one.also) == (
        "sleep-in-section",
        "sleeps",
        ("tlb-flush-in-section",),
    )
    assert one.arches == ("powerpc", "x86")
    assert one.severity is Severity.HURTS


def test_information_stays_beside_a_finding_at_its_place() -> None:
    """What only informs is no fault that a finding could stand for."""
    both = found(
        made(rule="preempted-in-section", detail="unpinned", section=None, message="begins"),
        made(),
    )
    assert sorted((one.rule, one.also) for one in both) == [
        ("preempted-in-section", ()),
        ("sleep-in-section", ()),
    ]


def test_a_sure_finding_does_not_lend_its_confidence() -> None:
    """A guess at the same place stays a finding of its own."""
    sure, guess = found(
        made(rule="free-before-flush", message="frees the page"), made(ambiguous=True)
    )
    assert {sure.confidence, guess.confidence} == {Confidence.HIGH, Confidence.LOW}
    assert sure.also == guess.also == ()


def test_what_the_text_does_not_say_is_implied() -> None:
    """What the text of a dialect does not say is implied by the dialect's own table."""
    assert found(made(), dialect=PTL_HELD)[0].implied
    assert not found(made(), dialect=COUNTED)[0].implied
    nested = made(rule="nested-section", message="begins")
    assert not found(nested, dialect=NO_NESTING)[0].implied


def test_an_architectures_own_code_is_held_to_its_own_row() -> None:
    """Below arch/X what X can take is allowed; generic code obeys for the weakest."""
    place = step(10, file="arch/x86/mm/a.c")
    section = step(5, file="arch/x86/mm/a.c")
    mine = made(step=place, section=section)
    assert found(mine) == ()
    assert found(made())
    other = step(10, file="arch/powerpc/mm/a.c")
    assert found(made(arch="powerpc", step=other, section=other))


def test_an_unbalanced_section_is_wrong_everywhere() -> None:
    """No row makes it right, below arch/ or above."""
    place = step(10, file="arch/x86/mm/a.c")
    assert found(made(rule="unbalanced-section", step=place, section=place, detail="left-on"))


def test_information_is_none_where_the_implementation_pins() -> None:
    """A section that begins unpinned matters where the hook does not pin the task itself."""
    info = {"rule": "preempted-in-section", "detail": "unpinned", "section": None}
    (one,) = found(made(arch="x86", **info), made(arch="powerpc", **info))
    assert one.arches == ("x86",)
    assert one.severity is Severity.INFORMATION


def test_fingerprints_do_not_move_with_lines() -> None:
    """They name the rule, the function and what happens, and tell equals apart by order."""
    before = found(made(), made(step=step(20)), made(step=step(30, "h")))
    after = found(made(step=step(110)), made(step=step(120)), made(step=step(230, "h")))
    assert [f.fingerprint for f in before] == [f.fingerprint for f in after]
    assert len({f.fingerprint for f in before}) == 3


@given(st.permutations(range(6)))
def test_the_order_of_culprits_does_not_matter(order: list[int]) -> None:
    """Architectures are looked at in processes that end when they end."""
    culprits = [
        made(),
        made(arch="powerpc"),
        made(arch="sparc", conditions=("CONFIG_X",)),
        made(rule="nested-section", message="begins", arch="sparc"),
        made(section=step(77, "h")),
        made(step=step(11), rule="unlock-before-flush", message="drops"),
    ]
    assert found(*(culprits[i] for i in order)) == found(*culprits)


def test_a_trail_reads_from_its_beginning_through_callees() -> None:
    """What a callee did stands in its place."""
    inner = PathTrace(PathTrace(None, step(50, "g"), "write"), step(51, "g"), "return")
    call = PathTrace(PathTrace(None, step(5), "begin"), step(6), "call")
    whole = PathTrace(PathTrace(call, None, "inside", inner=inner), step(7), "end")
    assert [note.step.line for note in whole if note.step] == [5, 6, 50, 51, 7]


# ---- paths as they are told ------------------------------------------------------------------


def test_a_path_leaves_out_what_has_ended(agrees: Agrees) -> None:
    """Sections that are over, calls that returned, entries that are not meant."""
    (one,) = agrees("""
static void look(pte_t *pte)
{
	use(ptep_get(pte));
}

void f(struct mm_struct *mm, pte_t *pte, pte_t *other, unsigned long addr, pte_t new)
{
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, other, new);
	lazy_mmu_mode_disable();
	lazy_mmu_mode_enable();
	look(other);
	set_pte_at(mm, addr, other, new);
	set_pte_at(mm, addr, pte, new);
	use(ptep_get(pte));	/* expect: stale-read */
	lazy_mmu_mode_disable();
}
""")
    assert [s.line for s in one.path] == [12, 15, 16]


def test_a_path_of_a_pause_shows_the_pause(agrees: Agrees) -> None:
    """And not the sections around it."""
    (one,) = agrees("""
int f(int bad)
{
	lazy_mmu_mode_pause();
	if (bad)
		return 1;	/* expect: unbalanced-pause */
	lazy_mmu_mode_resume();
	return 0;
}
""")
    assert [s.line for s in one.path] == [4, 6]


def test_a_path_begins_where_the_outermost_open_section_does(agrees: Agrees) -> None:
    """Sections that ended before, and the inner one, are not where it began."""
    found = agrees(
        """
void f(void)
{
	arch_enter_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
	arch_enter_lazy_mmu_mode();
	arch_enter_lazy_mmu_mode();	/* expect: nested-section */
	might_sleep();	/* expect: sleep-in-section */
	arch_leave_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
}
""",
        dialect=NO_NESTING,
    )
    assert {one.path[0].line for one in found} == {6}


@pytest.mark.parametrize("always", ["before", "after"])
def test_the_chain_that_needs_no_test_is_told(agrees: Agrees, always: str) -> None:
    """A callee that sleeps in any case does, whatever else may lead it there."""
    calls = ["\thelper();\n", "\tif (a)\n\t\thelper();\n"]
    (found,) = agrees(f"""
static void helper(void)
{{
	might_sleep();
}}

static void callee(int a)
{{
{"".join(calls if always == "before" else calls[::-1])}}}

void f(int a)
{{
	lazy_mmu_mode_enable();
	callee(a);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}}
""")
    assert found.confidence is Confidence.HIGH
    line = 9 if always == "before" else 11
    assert [(s.line, s.note) for s in found.path if s.function == "callee"] == [
        (line, "calls helper()")
    ]
