# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the table that says whom a broken rule hurts, from the shipped scenarios.

``python -m tools.severity_table --write`` runs every scenario that names an obligation on every
implementation, and notes what breaking that one, and nothing else, did
(witness/machine/harm_attribution.py).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import ROW_BY_NAME, ROWS, allowed, severity_table
from lazymmu.contract.deferral.breach_kinds import breach_kinds
from lazymmu.contract.dialects import DIALECTS, Status
from lazymmu.contract.rules import RULES
from lazymmu.contract.rules.rule import Party, RuleKind, Witness
from lazymmu.litmus.run import library
from lazymmu.litmus.to_config import to_query
from lazymmu.machine.releases import RELEASES
from lazymmu.witness.machine.harm_attribution import HARMS, attribute_harms

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lazymmu.explore import Engine
    from lazymmu.litmus.scenario import Scenario

__all__ = ["implementations", "main", "measure", "render"]

_HEAD: Final = """\
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whom a broken rule hurts: rule, way of breaking it, implementation (a row of the deferral table),
# space of the entries concerned -> the harm that machines show, and the scenario that shows it.
# `decides`: of these rules, who is not here is not hurt.
#
# Made by `python -m tools.severity_table --write` from litmus/scenarios; do not edit.
"""


def implementations() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Each row that defers anything: its architecture, and the first and last release with it.

    Core code differs between them, and may hide what an implementation cannot take.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for release in RELEASES.values():
        for arch, implementation in release.arches.items():
            if arch in ROWS:
                _, before = found.get(implementation.row, (arch, ()))
                found[implementation.row] = (arch, (*before[:1], release.name))
    return found


def rules_of(scenario: Scenario) -> tuple[str, ...]:
    """The obligations that a scenario names, and that source can break and a machine shows."""
    return tuple(name for name in _obligations() if name in scenario.rules)


def _obligations() -> list[str]:
    return [
        rule.name
        for rule in RULES.values()
        if rule.kind is RuleKind.OBLIGATION
        and {Witness.SOURCE, Witness.MACHINE} <= {*rule.witnesses}
    ]


def space_of(scenario: Scenario) -> str:
    """The space of a scenario's entries, "any" where there are both."""
    spaces = {entry.space for entry in scenario.entries}
    return spaces.pop() if len(spaces) == 1 else "any"


def measure(
    scenarios: Collection[Scenario], *, rows: Sequence[str] | None = None, engine: Engine = "auto"
) -> severity_table.SeverityTable:
    """What the scenarios show.  `rows`: of the deferral table, these alone."""
    chosen = sorted((one for one in scenarios if one.machine.size == "small"), key=_effort)
    table: dict[severity_table.SeverityKey, severity_table.SeverityEntry] = {}
    for row, (arch, releases) in implementations().items():
        if rows is not None and row not in rows:
            continue
        for scenario in chosen:
            for rule in rules_of(scenario):
                space = space_of(scenario)
                for release in releases:
                    if not _binds(rule, release) or not any(
                        _open(table, rule, how, row, space) for how in breach_kinds(rule)
                    ):
                        continue
                    ask = to_query(scenario, arch, release)
                    shown = attribute_harms(ask, rule, named=scenario.rules, engine=engine)
                    for how, harms in shown.items():
                        key = severity_table.SeverityKey(rule, how, row, space)
                        for harm in harms[:1]:
                            if harm == severity_table.COST and allowed(
                                harm, ROW_BY_NAME[row], space=space
                            ):
                                continue
                            if _graver(harm, table.get(key)):
                                table[key] = severity_table.SeverityEntry(harm, scenario.name)
    return dict(sorted(table.items(), key=lambda item: _order(item[0])))


def _effort(scenario: Scenario) -> tuple[int, int, int, str]:
    """Small ones first: what they show need not be looked for again."""
    machine = scenario.machine
    return (len(scenario.programs), machine.cpus, len(scenario.entries), scenario.name)


def _binds(rule: str, release: str) -> bool:
    return RULES[rule].status(DIALECTS[RELEASES[release].dialect]) is not Status.OFF


def _open(table: severity_table.SeverityTable, rule: str, how: str, row: str, space: str) -> bool:
    """Whether nothing worse than a cost was shown yet."""
    known = [table.get(severity_table.SeverityKey(rule, how, row, one)) for one in (space, "any")]
    return all(one is None or one.harm == severity_table.COST for one in known)


def _graver(harm: str, known: severity_table.SeverityEntry | None) -> bool:
    return known is None or HARMS.index(harm) < HARMS.index(known.harm)


def _order(key: severity_table.SeverityKey) -> tuple[int, str, int, str]:
    rows = list(implementations())
    return list(RULES).index(key.rule), key.kind, rows.index(key.row), key.space


def render(table: severity_table.SeverityTable) -> str:
    """The data file, which `hurts.read()` reads."""
    binding = [name for name in _obligations() if RULES[name].party is Party.CALLER]
    lines = [_HEAD, "decides = [", *(f'    "{name}",' for name in binding), "]"]
    before = ("", "")
    for key, shown in table.items():
        if (key.rule, key.kind) != before:
            before = (key.rule, key.kind)
            lines.append(f"\n[shown.{key.rule}.{key.kind or 'any'}]")
        lines.append(
            f'{key.row}.{key.space} = {{ harm = "{shown.harm}", scenario = "{shown.scenario}" }}'
        )
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, or write it to its place; 1 when what is there differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.severity_table", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it to its place")
    parser.add_argument("--scenario", action="append", help="these scenarios alone")
    asked = parser.parse_args(argv)
    chosen = [one for one in library() if not asked.scenario or one.name in asked.scenario]
    text = render(measure(chosen))
    if asked.write:
        Path(str(severity_table.FILE)).write_text(text, encoding="utf-8")
        return 0
    sys.stdout.write(text)
    return int(text != severity_table.FILE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
