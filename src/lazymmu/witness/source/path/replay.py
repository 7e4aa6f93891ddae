# SPDX-License-Identifier: GPL-2.0-or-later
"""What a walk brings about beside its outcome, brought about again without the walk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from lazymmu.contract.section import TaskState
from lazymmu.witness.finding import Step

if TYPE_CHECKING:
    from lazymmu.kernelc.ir.nodes import Function
    from lazymmu.kernelc.reads import Item
    from lazymmu.witness.source.interproc.call_targets import Binding
    from lazymmu.witness.source.path.inliner import Inliner
    from lazymmu.witness.source.path.path_state import WalkOutcome
    from lazymmu.witness.source.path.settled_before import WalkerState
    from lazymmu.witness.source.path.walker import Walker

__all__ = ["FindFunction", "KnownRoots", "replay"]

FindFunction: TypeAlias = "Callable[[str, str], Function]"
"""The graph of the function of a file that has a name."""


class KnownRoots(Protocol):
    """What is known of roots from an earlier analysis (witness/source/taken_over.py)."""

    walked: int
    """States of all roots together, as they were walked then."""

    def said(self, item: Item) -> str | None:
        """What tells the value of a part that was taken over; None for any other."""
        ...

    def plain_item(self, item: Item) -> list[object] | None:
        """What was kept of an item that says the same; None where that is not known."""
        ...

    def root(self, graph: Function, binding: Binding, state: WalkerState) -> WalkOutcome | None:
        """What walking a root came to when as much was settled; None where that is not known."""
        ...


def replay(item: Item, walker: Walker, inliner: Inliner, find: FindFunction) -> None:
    """Let come about what an item says that was read (kernelc/reads.py)."""
    match item:
        case ("begun", Step() as step, TaskState() as task):
            walker.monitors.begun.setdefault(step, []).append(task)
        case ("ended", Step() as step, TaskState() as task):
            walker.monitors.ended.setdefault(step, []).append(task)
        case ("entered", (str(file), int(line), str(name)), int(depth)):
            inliner.entered.setdefault((file, line, name), set()).add(depth)
        case (
            "shifted",
            (str(file), int(line), str(name)),
            (str(above), int(at), str(caller)),
        ):
            callers = inliner.shifted.setdefault((file, line, name), {})
            callers[above, at, caller] = find(above, caller)
        case ("counting", (str(file), int(line), str(name)), str(called)):
            walker.call_transfer.counting.add((file, line, name))
            walker.call_transfer.counting_names.add(called)
        case ("walked", (str(file), int(line), str(name)), str(broken), *spliced):
            walker.places.update(((file, line, name), *spliced))  # type: ignore[arg-type]
            if broken:
                walker.blurred[file, line, name] = broken
        case ("unresolved", str(name), str(file), int(line), str(function)):
            walker.call_transfer.summaries.not_resolved(name, (file, line, function))
        case _:
            raise TypeError(f"nothing that comes about: {item[0]}")
