# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether what the user says of a kernel can be true of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral.releases import release_of
from lazymmu.ftrace.profile import NATIVE, profiles, reads_counters, version

if TYPE_CHECKING:
    from lazymmu.contract.deferral.releases import ReleaseRows
    from lazymmu.ftrace.profile import Guess
    from lazymmu.ftrace.record import Header

__all__ = ["other_arch", "refused", "said"]

_COUNTED: Final = (7, 0, 0)  # 5ab246749569 ("mm: enable lazy_mmu sections to nest")


def refused(header: Header, block: bytes, arch: str, release: str) -> str:
    """Why options cannot be true of a trace with this header and these first bytes.

    A sentence without a full stop, or "".
    """
    wanted = "x86" if arch == NATIVE else arch
    for profile in profiles().values():
        if wanted and header.machine in profile.machines and profile.arch != wanted:
            return f"--arch {arch} contradicts the recording, which names {header.machine}"
    if not release:
        return ""
    at = version(release)
    if at is not None and at < _COUNTED and reads_counters(block):
        return (
            f"--release {release} contradicts the recording: it reads counters that tasks have "
            "from v7.0 on"
        )
    asked, named = _entry(release), _entry(header.release)
    if header.release and named is not asked:
        return f"--release {release} contradicts the recording, which names {header.release}"
    return ""


def other_arch(known: Guess, guessed: Guess) -> str:
    """What a trace shows that is of another architecture than the one named for it, or "".

    That nothing in it is of Xen does not mean that there was none.

    :param guessed: of the trace alone.
    """
    shown = guessed.arch
    if known.arch_from != "option" or shown in ("", known.arch):
        return ""
    if (known.arch, shown) == ("x86", NATIVE):
        return ""
    return f"--arch {known.arch} does not fit what is recorded: {guessed.arch_from}"


def said(known: Guess, guessed: Guess) -> str:
    """What a trace shows that the release named for it does not have, a sentence, or "".

    Functions come and go by backports: this is no proof.

    :param guessed: of the trace alone.
    """
    if known.release_from != "option" or guessed.since <= known.since < guessed.until:
        return ""
    return f"--release {known.release} does not fit what is recorded: {guessed.release_from}"


def _entry(release: str) -> ReleaseRows | None:
    at = version(release)
    if at is None:
        return None
    try:
        return release_of(".".join(str(part) for part in at))
    except ValueError:
        return None
