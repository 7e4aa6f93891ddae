# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documents of lazymmu's commands come to, as a tool tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lazymmu.robots.said import SaidItem, ToolAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["check", "one_path", "review", "sections", "verify"]

Document = dict[str, Any]

_METHOD: Final = (
    "every path of the source, for each architecture, held to the rules of the lazy MMU mode; "
    "not sampled and not guessed"
)

_ORDER: Final = ("hurts", "breaks-text", "information")


def check(tree: str) -> Callable[[Document], ToolAnswer]:
    """Findings of a change, what hurts first."""

    def tell(said: Document) -> ToolAnswer:
        found = sorted(said["findings"], key=lambda one: _ORDER.index(one["severity"]))
        worst = [one for one in found if one["severity"] != "information"]
        verdict = (
            f"{len(worst)} findings, {len(found) - len(worst)} things worth knowing"
            if found
            else "no finding"
        )
        if said["blind"]:
            verdict += f"; {len(said['blind'])} losses could hide one, so that nothing is proven"
        return ToolAnswer(verdict, _rests(said, tree), [_finding(one) for one in found])

    return tell


def one_path(tree: str) -> Callable[[Document], ToolAnswer]:
    """The whole path of one finding."""

    def tell(said: Document) -> ToolAnswer:
        found = said["findings"]
        if not found:
            return ToolAnswer("there is no such finding", _rests(said, tree))
        verdict = f"{found[0]['rule']}: {found[0]['message']}"
        return ToolAnswer(verdict, _rests(said, tree), list(_steps(found[0])))

    return tell


def _rests(said: Document, tree: str) -> dict[str, str]:
    coverage = said["coverage"]
    return {
        "rests on": _METHOD,
        "tree": f"{tree}, Linux {said['tree'].get('release') or 'of an unknown release'}",
        "contract": str(said["tree"].get("dialect", "")),
        "architectures": ", ".join(said["arches"]),
        "read": f"{coverage['sections']} sections, {coverage['functions_parsed']} functions",
        "not seen": "; ".join(map(_lost, said["blind"][:5])),
        "by": f"lazymmu {said['version']}",
    }


def _lost(lost: Any) -> str:
    if isinstance(lost, dict):
        return " ".join(str(one) for one in lost.values() if one not in (None, "", [], 0))
    return str(lost)


def _finding(one: Mapping[str, Any]) -> SaidItem:
    harms = [_harm(harm) for harm in one["harms"]]
    lines = (
        f"{one['file']}:{one['line']}: {one['severity']}: {one['function']}() {one['message']} "
        f"[{one['rule']}]",
        f"  fingerprint {one['fingerprint']}, confidence {one['confidence']}, "
        f"on {', '.join(one['arches'])}",
        *(f"  hurts: {harm}" for harm in harms),
        *(
            f"  {step['file']}:{step['line']}: {step['function']}(): {step['note']}"
            for step in one["path"][-6:]
        ),
    )
    facts = {
        key: one[key]
        for key in (
            "rule", "severity", "confidence", "message", "file", "line", "function", "arches",
            "conditions", "fingerprint",
        )
    }  # fmt: skip
    return SaidItem(lines, {**facts, "harms": harms})


def _harm(harm: Mapping[str, Any]) -> str:
    return f"{harm['arch']}: {harm['text']}"


def _steps(finding: Mapping[str, Any]) -> Iterator[SaidItem]:
    for number, step in enumerate(finding["path"], 1):
        place = f"{step['file']}:{step['line']}"
        lines = (f"{number}. {place}: {step['function']}(): {step['note']}", f"     {step['code']}")
        yield SaidItem(
            lines, {key: step[key] for key in ("file", "line", "function", "note", "code")}
        )


def sections(
    tree: str, keep: Callable[[Mapping[str, Any]], bool]
) -> Callable[[Document], ToolAnswer]:
    """Sections, those that `keep` says."""

    def tell(said: Document) -> ToolAnswer:
        kept = [one for one in said["sections"] if keep(one)]
        rests = {
            "rests on": _METHOD,
            "tree": tree,
            "by": f"lazymmu {said['version']}",
        }
        verdict = f"{len(kept)} of {len(said['sections'])} sections of the tree"
        return ToolAnswer(verdict, rests, [_section(one) for one in kept])

    return tell


def _section(one: Mapping[str, Any]) -> SaidItem:
    lines = [
        f"{one['file']}:{one['line']}: {one['function']}(): {one['space']} mappings, locks "
        f"{', '.join(one['locks_begin']) or 'unknown'}, pinned by {', '.join(one['pinned'])}, "
        f"on {', '.join(one['arches'])}"
    ]
    lines += [
        f"  {what}: {chain}" for what in ("sleeps", "nests", "flushes") for chain in one[what]
    ]
    return SaidItem(tuple(lines), dict(one))


def verify(said: Document) -> ToolAnswer:
    """Verdicts of a search, what is violated first."""
    found = sorted(said["results"], key=lambda one: one["verdict"] != "violated")
    broken = sum(one["verdict"] == "violated" for one in found)
    proven = sum(one["verdict"] == "holds" for one in found)
    rests = {
        "rests on": "an exhaustive search of every interleaving of the scenario on a machine of "
        "that release; a violation comes with its shortest way",
        "by": f"lazymmu {said['version']}",
    }
    verdict = f"{broken} of {len(found)} runs are violated, {proven} hold"
    return ToolAnswer(verdict, rests, [_run(one) for one in found])


def _run(one: Mapping[str, Any]) -> SaidItem:
    place = f"{one['scenario']} on {one['arch']} {one['release']}"
    lines = [f"{place}: {one['verdict']}, {one['states']} states"]
    if one["rule"]:
        lines.append(f"  {one['rule']}: {one['message'] or one['harm']}")
        lines.append(f"  {one['preemptions']} preemptions, {one['steps']} steps")
    keys = ("scenario", "arch", "release", "verdict", "reason", "rule", "message", "harm", "states")
    return SaidItem(tuple(lines), {key: one[key] for key in keys})


def review(tree: str) -> Callable[[Document], ToolAnswer]:
    """What each patch of a series does."""

    def tell(said: Document) -> ToolAnswer:
        patches = said["patches"]
        new = said["series"]["new"]
        verdict = (
            f"{len(patches)} patches: {len(new)} new problems in the end, "
            f"{len(said['series']['fixed'])} fixed"
        )
        coverage = said["coverage"]
        rests = {
            "rests on": _METHOD,
            "tree": tree,
            "laid on": str(said["base"].get("text", "")).split("\n")[0],
            "architectures": ", ".join(said["arches"]),
            "not seen": "; ".join(map(str, coverage["losses"][:5])),
            "by": f"lazymmu {said['version']}",
        }
        return ToolAnswer(verdict, rests, [_patch(one) for one in patches])

    return tell


def _patch(one: Mapping[str, Any]) -> SaidItem:
    lines = [f"{one['number']}: {one['subject']}"]
    for what in ("new", "fixed", "moved", "postponed"):
        for problem in one[what]:
            finding = problem.get("finding") if isinstance(problem, dict) else None
            told = finding or problem
            lines.append(f"  {what}: {_named(told)}")
    lines += [f"  mends: {name}" for name in one["mends"]]
    facts = {key: one[key] for key in ("number", "subject", "commit", "mends")}
    return SaidItem(
        tuple(lines),
        {**facts, **{what: len(one[what]) for what in ("new", "fixed", "moved", "postponed")}},
    )


def _named(told: Any) -> str:
    if not isinstance(told, dict):
        return str(told)
    place = f"{told.get('file', '')}:{told.get('line', '')}"
    return (
        f"{place}: {told.get('function', '')}() {told.get('message', '')} [{told.get('rule', '')}]"
    )
