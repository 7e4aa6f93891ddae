# SPDX-License-Identifier: GPL-2.0-or-later
"""What the log of a guest tells of mistakes, and which of them are findings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.kernel_checks import EVENT, kernel_check
from lazymmu.terminal import clean
from lazymmu.verbs.oops import OopsVerdict, diagnose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.oops import Diagnosis

__all__ = ["counted_splats", "splat_lines"]

_SPLATS: Final = re.compile(
    r"(?:\bBUG: |\bWARNING: |\bOops: |\bkernel BUG at |\bKernel panic|\bwatchdog: BUG|"
    r"\bgeneral protection fault)[^\n]*"
)
_OF_THE_MACHINE: Final = re.compile(r"\bOops: int3\b")
"""A breakpoint that nobody owns (arch/x86/kernel/traps.c, exc_int3()).

The kernel's text was changed while another CPU ran it, and that CPU saw what had been there before
(arch/x86/kernel/alternative.c, smp_text_poke_batch_finish()): whoever emulates it did not tell it.
"""
_MOST_LINES: Final = 20


def splat_lines(log: str) -> tuple[str, ...]:
    """The lines of a kernel's log that tell of a mistake, the first of them, each once.

    :param log: as dmesg prints it, or of a console.
    """
    found = dict.fromkeys(one[0].strip() for one in _SPLATS.finditer(log))
    return tuple(clean(one) for one in list(found)[:_MOST_LINES])


def counted_splats(log: str, *, whole: bool) -> tuple[str, ...]:
    """Those that are findings: of a guest that lived all; of one that died the signs.

    A sign is what a check of page tables, or of the mode, says. What else a guest dies of does not
    tell what its workload did: it is said, and shows neither this nor that.

    :param log: of the kernel.
    :param whole: the guest came to its end, and left a recording that could be judged.
    """
    signs = tuple(_signs(log))
    # What follows upon the death of a task, its panic and what the panic runs into, is of it.
    if not whole or _OF_THE_MACHINE.search(log):
        return signs
    return splat_lines(log)


def _signs(log: str) -> Iterator[str]:
    for one in diagnose("the kernel's log", log.encode("utf-8", "replace")).diagnoses:
        if _is_sign(one):
            yield clean(one.splat.head)


def _is_sign(one: Diagnosis) -> bool:
    """Whether a splat is of the mode, or of a check that stands in code of page tables."""
    if one.verdict is OopsVerdict.OF_THE_MODE:
        return True
    check = kernel_check(EVENT + b" " + one.splat.head.encode("utf-8", "replace"))
    return check is not None and check.concerns
