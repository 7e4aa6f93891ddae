# SPDX-License-Identifier: GPL-2.0-or-later
"""An analysis that was kept and does not hold, of which parts are taken over into the next one.

What those parts asked of the tree is then asked by nobody else: it is carried over into what is
kept of the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.json_shapes import listed, mapped, string, strings
from lazymmu.witness.source.changed_names import macros_naming
from lazymmu.witness.source.taken_over import TakenOver

if TYPE_CHECKING:
    from lazymmu.kernelc.asked import Asked
    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.kernelc.facts import KeptFact
    from lazymmu.witness.source.changes_since import ChangesSince
    from lazymmu.witness.source.held_parts import Build, HeldParts

__all__ = ["ASKED_BY_PARTS", "EarlierAnalysis"]

ASKED_BY_PARTS: Final = frozenset({"array", "items", "searched", "stub"})
"""The questions about texts (rechecks.py; words that all files are searched for are one more) that
are asked while a part is computed that may be taken over. All others are asked again when an
analysis begins anew."""


@dataclass(slots=True)
class EarlierAnalysis:
    """One that was kept.

    :param kept: what was kept of it.
    :param since: what has changed since, as far as it asked for that.
    :param held: its parts, where they were held against that.
    """

    fact: KeptFact
    kept: Mapping[str, object]
    since: ChangesSince
    held: HeldParts | None = None

    def parts(
        self,
        view: ConfiguredTree,
        followed: Collection[str],
        build: Build,
    ) -> TakenOver | None:
        """The parts of it that hold, None if none can be taken over.

        A loss is told by who comes to it, and who takes a part over does not: with a file that
        could not be read, or a macro that could not be followed, all is computed again. And what
        a macro is read as hangs on whether it has one of the words that are followed.
        """
        kept = self.kept
        if kept["parts"] is None or kept["losses"] != [] or kept["unmade"] is not False:
            return None
        before = frozenset(strings(self.kept["followed"]))
        if not before <= frozenset(followed) or macros_naming(view, frozenset(followed) - before):
            return None
        try:
            return TakenOver(kept, self.since, view, build, self.held)
        except (LookupError, TypeError, ValueError):
            return None

    def add_to(self, asked: Asked) -> None:
        """Let what it asked be asked by the next one."""
        kept = self.kept
        for found, kind in (
            (asked.names, "names"),
            (asked.fields, "fields"),
            (asked.structs, "structs"),
            (asked.given, "given"),
        ):
            found.update(strings(kept[kind]))
        for item in listed(kept["checks"]):
            *question, known = listed(item)
            asking, file, what = map(string, question)
            if asking in ASKED_BY_PARTS:
                asked.checks.setdefault((asking, file, what), known)
        for word, files in mapped(kept["searched"]).items():
            asked.searched.setdefault(word, frozenset(strings(files)))

    def not_asked(self, names: Collection[str]) -> frozenset[str]:
        """Those of some names of which it looked for no definition."""
        return frozenset(names).difference(strings(self.kept["names"]))

    def inputs(self) -> dict[str, str]:
        """What it rests on as that is now, ids by path."""
        now = {rel: then[1] for rel, then in self.fact.changed.items()}
        return {
            rel: now.get(rel, string(then))
            for rel, then in self.fact.inputs.items()
            if rel not in self.since.gone
        }

    def whole(self) -> set[str]:
        """The files of which it asked everything."""
        return set(strings(self.kept["strict"])) - self.since.gone

    def files(self) -> dict[str, object]:
        """What it asked of files, as `KeptAnalysis` keeps it; None of those that have changed."""
        return {
            rel: None if rel in self.fact.changed or rel in self.since.retold else told
            for rel, told in mapped(self.kept["files"]).items()
            if rel not in self.since.gone
        }

    def flags(self, rel: str) -> list[bool]:
        """Whether it asked for all, the tables and the uses of macros of a file."""
        told = mapped(self.kept["files"]).get(rel)
        return (
            [flag is True for flag in listed(listed(told)[1])] if told is not None else [False] * 3
        )
