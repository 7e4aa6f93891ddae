# SPDX-License-Identifier: GPL-2.0-or-later
"""Show a finding on a running kernel, and that its control does not show it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazymmu.lab.kernel import read_kernel
from lazymmu.lab.reproducer import Reproducer, find_reproducer, known_reproducers
from lazymmu.litmus import shipped
from lazymmu.litmus.error import LitmusError
from lazymmu.litmus.read import read
from lazymmu.problem import Problem
from lazymmu.terminal import clean
from lazymmu.verbs import given
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.lab import LabAnswer, LabRequest, run_lab
from lazymmu.verbs.skeleton import skeleton

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ReproduceAnswer", "known_reproducers", "reproduce", "shown_here", "skeleton_of"]


@dataclass(frozen=True, slots=True)
class ReproduceAnswer:
    """What two boots showed.

    :param reproducer: what was tried.
    :param shown: the boot that is to show it.
    :param control: the one that is not.
    :param seen: what each showed, () for nothing.
    :param seen_in_control: likewise.
    :param expected: whether this release is one of those that have it, None where it does not say.
    """

    reproducer: Reproducer
    shown: LabAnswer
    control: LabAnswer
    seen: tuple[str, ...]
    seen_in_control: tuple[str, ...]
    expected: bool | None

    def conclusive(self) -> bool:
        """Whether it was tried in both boots, and the control shows nothing.

        What was seen was tried; what was not seen only if the program says that it did its part.
        """
        tried = bool(self.seen) or self._tried(self.shown)
        return tried and self._tried(self.control) and not self.seen_in_control

    def undone(self) -> tuple[str, ...]:
        """The last that the programs said which did not do their part, of boots that ended."""
        boots = ((self.seen, self.shown), (self.seen_in_control, self.control))
        return tuple(
            (one.said.strip().splitlines() or ["nothing"])[-1]
            for seen, one in boots
            if not seen and one.judged is not None and not self._tried(one)
        )

    def _tried(self, one: LabAnswer) -> bool:
        return one.judged is not None and self.reproducer.done in one.said

    def exit_code(self) -> ExitCode:
        """1 when it was seen, and not in the control; 0 when it was not; 3 when that is open."""
        if not self.conclusive():
            return ExitCode.INCONCLUSIVE
        return ExitCode.FOUND if self.seen else ExitCode.CLEAN


def shown_here(name: str) -> Reproducer:
    """The reproducer of a name, if it can be run.

    :raises lazymmu.Problem: there is none of this name, or it is withheld; says why.
    """
    one = find_reproducer(name)
    if one.withheld:
        raise Problem(f"{name}: {one.withheld}")
    return one


def reproduce(
    name: str, asked: LabRequest, progress: Callable[[str], object] = bool
) -> ReproduceAnswer:
    """Boot a kernel twice: with what a reproducer needs, and its control.

    :param name: of the reproducer.
    :param asked: the kernel, and the machine; its workload and Xen are the reproducer's.
    :param progress: called with a few words whenever a guest comes further.
    :raises lazymmu.Problem: there is no such reproducer, it is withheld, or a boot is impossible.
    """
    one = shown_here(name)
    file = one.file()
    with_it = replace(
        asked,
        xen=one.xen,
        workload=one.workload or asked.workload,
        command=(str(file), *one.arguments) if file is not None else (),
        module=(*one.modules, *asked.module),
    )
    release = read_kernel(asked.kernel).release
    shown = run_lab(with_it, lambda text: progress(f"{name}: {text}"))
    # The recording that is kept is the one that shows it.
    against = replace(with_it, xen=False, output=f"{asked.output}.control")
    control = run_lab(against, lambda text: progress(f"control: {text}"))
    return ReproduceAnswer(
        one, shown, control, _seen(one, shown), _seen(one, control), one.concerns(release)
    )


def skeleton_of(name: str) -> str:
    """The beginnings of a program that goes the way of a scenario.

    :param name: of a scenario that ships, or a file.
    :raises lazymmu.Problem: there is none, it cannot be read, or its program is withheld.
    """
    if name in shipped.names():
        return skeleton(read(shipped.text(name), name))
    text = given.read(name)
    try:
        return skeleton(read(text.content.decode("utf-8"), text.name))
    except UnicodeDecodeError:
        raise Problem(f"{clean(name)}: a scenario is a text in UTF-8") from None
    except LitmusError as error:
        raise Problem(str(error)) from None


def _seen(one: Reproducer, answer: LabAnswer) -> tuple[str, ...]:
    """What shows it: the line of the kernel's log, or the findings of the recording."""
    found = []
    if one.log and (line := re.search(one.log + "[^\n]*", answer.log)):
        found.append(line[0])
    if answer.judged is not None:
        rules = {
            f.rule: f for w in answer.judged.watched for f in w.findings if f.rule in one.rules
        }
        found += [f"{rule}: {finding.message}" for rule, finding in sorted(rules.items())]
    return tuple(found)
