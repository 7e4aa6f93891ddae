# SPDX-License-Identifier: GPL-2.0-or-later
"""`explain --oops`: what an oops, BUG or warning of a kernel has to do with the mode."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lazymmu.contract.complaints import Complaint, complaints, holds_section
from lazymmu.contract.deferral import ROW_BY_NAME, DeferralRow
from lazymmu.contract.deferral.releases import nearest
from lazymmu.ftrace.probes import plan
from lazymmu.ftrace.profile import version
from lazymmu.ftrace.record import TraceError
from lazymmu.ftrace.splats import Splat, splats
from lazymmu.ftrace.streams import unpacked
from lazymmu.machine.releases import releases_of
from lazymmu.problem import Problem
from lazymmu.terminal import clean
from lazymmu.verbs import given
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.shown_by import KnownBug, ShownBy, known_bugs, shown_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.machine.releases import Release
    from lazymmu.verbs.given import Given

__all__ = ["Diagnosis", "OopsAnswer", "OopsKernel", "OopsVerdict", "diagnose", "explain_oops"]


_CANDIDATE: Final = re.compile(
    r"(?P<series>\d{1,3})\.(?P<minor>\d{1,3})(?:\.0)?-(?:(?:0\.)?rc(?P<rc>\d{1,2})|next-|.{0,40}-next-)"
)
"""A candidate as its own Makefile, Fedora (0.rc1) and linux-next name it."""


class OopsVerdict(StrEnum):
    """Whether a splat is about the mode."""

    OF_THE_MODE = "of the mode"
    PERHAPS = "perhaps of the mode"
    OTHER = "not of this mode"


@dataclass(frozen=True, slots=True)
class OopsKernel:
    """The kernel that printed it.

    :param arch: as machines call it, "" unknown.
    :param release: as it calls itself.
    :param like: the release that it is read as.
    :param row: its implementation.
    :param why: why there is none, or "".
    :param other: an implementation that it may be as well, None where the text tells.
    :param doubt: what the text does not tell then, or "".
    """

    arch: str
    release: str
    like: str = ""
    row: DeferralRow | None = None
    why: str = ""
    other: DeferralRow | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one splat is.

    :param complaint: what the contract's data knows of such a one, None for another.
    :param why: what it says, or why it is not of the mode.
    :param holder: the function below which it happened and that which holds the section open, ("",
        "") where none is.
    :param shown: scenarios that show it, the likelier first.
    :param gone: the first release after this one whose implementation has no such check.
    :param next: what to record, a sentence each.
    :param known: bugs that were found before in functions of its call trace.
    """

    splat: Splat
    verdict: OopsVerdict
    kernel: OopsKernel
    why: str
    complaint: Complaint | None = None
    holder: tuple[str, str] = ("", "")
    shown: tuple[ShownBy, ...] = ()
    gone: OopsKernel | None = None
    next: tuple[str, ...] = ()
    known: tuple[KnownBug, ...] = ()


@dataclass(frozen=True, slots=True)
class OopsAnswer:
    """What a text's splats are.

    :param name: of the text.
    :param diagnoses: one for each splat, in order.
    """

    name: str
    diagnoses: tuple[Diagnosis, ...]

    @property
    def found(self) -> tuple[Diagnosis, ...]:
        """Those that are, or may be, of the mode."""
        return tuple(one for one in self.diagnoses if one.verdict is not OopsVerdict.OTHER)

    def exit_code(self) -> ExitCode:
        """The exit code of the command: a splat of the mode is a finding.

        One that is not of the mode shows nothing of it.
        """
        if any(one.verdict is OopsVerdict.OF_THE_MODE for one in self.diagnoses):
            return ExitCode.FOUND
        return ExitCode.INCONCLUSIVE


def explain_oops(file: Given, *, arch: str | None = None, release: str | None = None) -> OopsAnswer:
    """What the oopses, BUGs and warnings of a text have to do with the mode.

    :param file: the text, packed or not: of dmesg, a journal, a mail, a serial console.
    :param arch: architecture of that kernel; None where the text tells.
    :param release: its release; None where the text tells.
    :raises lazymmu.Problem: it cannot be read, or there is none in it.
    """
    text = given.read(file)
    if release is not None and version(release) is None:
        raise Problem(f"{release!r} is not a Linux release (example: 6.12.107)")
    try:
        content, ended = unpacked(text.name, text.content)
    except TraceError as error:
        raise Problem(clean(str(error))) from None
    found = diagnose(text.name, content, arch=arch, release=release)
    if not found.diagnoses:
        damaged = f", and it is not whole: {ended}" if ended else ""
        raise Problem(
            f"{clean(text.name)}: there is no oops, BUG or warning of a kernel in it{damaged} "
            "(a trace is read by lazymmu trace)"
        )
    return found


def diagnose(
    name: str, content: bytes, *, arch: str | None = None, release: str | None = None
) -> OopsAnswer:
    """The same of bytes; without any splat in them, an answer without diagnoses."""
    return OopsAnswer(
        name, tuple(_diagnosis(one, arch or "", release or "") for one in splats(content))
    )


def _diagnosis(splat: Splat, arch: str, release: str) -> Diagnosis:
    kernel = _kernel(splat, arch, release)
    if kernel.why:
        return Diagnosis(splat, OopsVerdict.OTHER, kernel, kernel.why)
    fits = [one for one in complaints() if _fits(one, splat, kernel)]
    # What this implementation has goes first; the release may be wrong, or a check backported.
    # Where the text does not tell the function, a kind that does not need it is the surer.
    fits.sort(
        key=lambda one: (
            kernel.row is not None and kernel.row.name not in one.rows,
            bool(one.functions) and not splat.function,
        )
    )
    if not fits:
        return Diagnosis(splat, OopsVerdict.OTHER, kernel, _why_other(splat, kernel))
    complaint = fits[0]
    held = _held(complaint, splat)
    whole = not complaint.below or (held[0] != "" and held[0] == held[1])
    sure = whole and not complaint.perhaps and not splat.cut and _fits_other(complaint, kernel)
    if complaint.others:
        sure = sure and _told_apart(complaint, splat, kernel)
    return Diagnosis(
        splat,
        OopsVerdict.OF_THE_MODE if sure else OopsVerdict.PERHAPS,
        kernel,
        complaint.means,
        complaint,
        held,
        shown_by(complaint, splat, kernel.arch, kernel.like),
        _gone(complaint, kernel),
        tuple(_next(splat, kernel)),
        known_bugs(complaint, splat),
    )


_WITHOUT: Final = {"x86": "x86-native", "powerpc": "powerpc-radix"}
"""What an architecture is whose mode defers nothing."""

_DOUBT: Final = {
    "x86": "the text does not tell whether this is a PV guest of Xen, the only x86 that defers",
    "powerpc": "the text does not tell whether this is hash, or radix, which defers nothing",
    "": "the text does not tell the architecture, and there are some without the mode",
}


def _kernel(splat: Splat, arch: str, release: str) -> OopsKernel:
    """Which kernel it was, and its implementation."""
    release = release or splat.release
    doubt, without = "", False
    if not arch:
        if splat.lacks_mode:
            return OopsKernel(splat.arch, release, why=f"this is {splat.lacks_mode}")
        arch = splat.arch or ("x86" if splat.xen else "")
        defers = {"x86": splat.xen, "powerpc": splat.hash and not splat.radix}.get(arch, bool(arch))
        without = {"x86": splat.native, "powerpc": splat.radix}.get(arch, False) and not defers
        doubt = "" if defers or without else _DOUBT[arch]
    named = _WITHOUT[arch] if without else arch
    if not named or not release:
        return OopsKernel(named, release, doubt=doubt)
    known = {one.name: one for one in releases_of(named)}
    like = nearest(_candidate(named, release) or release, known)
    if like is None:
        since = next(iter(known), "")
        return OopsKernel(
            named, release, why=f"nothing is known of the mode on {named} before Linux {since}"
        )
    row = ROW_BY_NAME.get(_row(known[like], named))
    other = None
    if doubt:
        them = {one.name: one for one in releases_of(_WITHOUT[arch])}
        alike = nearest(like, them)
        other = ROW_BY_NAME.get(_row(them[alike], _WITHOUT[arch])) if alike else None
    return OopsKernel(named, release, like, row, other=other, doubt=doubt)


def _candidate(arch: str, release: str) -> str:
    """The release candidate among those that are known that a release is, or is of the time of."""
    found = _CANDIDATE.match(release)
    if found is None:
        return ""
    series, minor = int(found["series"]), int(found["minor"])
    # What linux-next has goes into the series after the one that its name has, but for a candidate.
    if found["rc"] is None:
        minor += 1
    names = [one.name for one in releases_of(arch)]
    return next((name for name in names if name.startswith(f"{series}.{minor}-rc")), "")


def _fits(complaint: Complaint, splat: Splat, kernel: OopsKernel) -> bool:
    """Whether a splat may be such a complaint."""
    if kernel.like and _before(kernel.like, complaint.since):
        return False
    if splat.cut:
        return splat.function in complaint.functions and not complaint.below
    what = f"{splat.what} multicall(s) failed" if splat.refused else splat.what
    if not complaint.stands_at(what, splat.function, splat.file):
        return False
    # What fires for other reasons, too, is of the mode where the implementation has to do with it.
    vague = complaint.perhaps or complaint.below or complaint.others
    rows = _rows(kernel)
    if vague and rows and not rows & set(complaint.rows):
        return False
    if complaint.others:
        read = _lines_of(complaint, kernel.release)
        return read is None or splat.at in read or splat.function in complaint.alone
    if complaint.conditions is not None or complaint.lines:
        known = bool(splat.condition) and complaint.conditions is not None
        if known and complaint.conditions is not None:
            return complaint.conditions.search(splat.condition) is not None
        return splat.at in complaint.lines.get(kernel.release, ()) or any(
            splat.at in lines and _same_series(name, kernel.release)
            for name, lines in complaint.lines.items()
        )
    return not complaint.below or _held(complaint, splat) != ("", "")


def _rows(kernel: OopsKernel) -> set[str]:
    """The implementations that a kernel may have; none where the text tells no architecture."""
    if kernel.row is not None:
        return {kernel.row.name}
    if not kernel.arch:
        return set()
    return {_row(one, kernel.arch) for one in releases_of(kernel.arch)}


def _fits_other(complaint: Complaint, kernel: OopsKernel) -> bool:
    """Whether it is the same complaint on whatever the kernel may be as well."""
    if not kernel.doubt:
        return True
    if kernel.other is not None:
        return kernel.other.name in complaint.rows
    if kernel.arch:
        without = _WITHOUT[kernel.arch]
        return any(_row(one, without) in complaint.rows for one in releases_of(without))
    # A check of the mode is one wherever it stands; what else is forbidden may be another's.
    return not complaint.below


def _told_apart(complaint: Complaint, splat: Splat, kernel: OopsKernel) -> bool:
    """Whether the place tells a check from others that stand in the same functions."""
    return splat.function in complaint.alone or any(
        splat.at in lines and _same_series(name, kernel.release)
        for name, lines in complaint.lines.items()
    )


def _lines_of(complaint: Complaint, release: str) -> tuple[int, ...] | None:
    """The lines on which the check stands in exactly this release; None where it was not read."""
    wanted = version(release)
    found = [lines for name, lines in complaint.lines.items() if version(name) == wanted]
    return found[0] if wanted is not None and found else None


def _before(release: str, since: str) -> bool:
    first, second = version(release), version(since)
    return first is not None and second is not None and first < second


def _same_series(one: str, other: str) -> bool:
    first, second = version(one), version(other)
    return first is not None and second is not None and first[:2] == second[:2]


def _held(complaint: Complaint, splat: Splat) -> tuple[str, str]:
    """The function below which it happened, and the one that holds the section open."""
    names = [name for name in (splat.pinned_at, *splat.names) if name]
    found = holds_section(names)
    if found is None or (complaint.called and found[1].function not in complaint.called):
        return "", ""
    return found[0], found[1].function


def _gone(complaint: Complaint, kernel: OopsKernel) -> OopsKernel | None:
    """The first release after this one whose implementation does not have the check."""
    if kernel.row is None or kernel.row.name not in complaint.rows:
        return None
    after = False
    for one in releases_of(kernel.arch):
        if after and _row(one, kernel.arch) not in complaint.rows:
            row = ROW_BY_NAME.get(_row(one, kernel.arch))
            return OopsKernel(kernel.arch, one.name, one.name, row)
        after = after or one.name == kernel.like
    return None


_DIES: Final = ("kernel BUG", "unable to handle", "Unable to handle", "general protection", "panic")
"""What a task, or a machine, does not live on after, in the kernel's words."""


def _next(splat: Splat, kernel: OopsKernel) -> Iterator[str]:
    """What a recording of that kernel would show, and how it is made."""
    arch = {"x86-native": "x86", "powerpc-radix": "powerpc"}.get(kernel.arch, kernel.arch)
    if not arch or not kernel.release:
        missing = " and ".join(
            word for word, known in (("--arch", arch), ("--release", kernel.release)) if not known
        )
        yield f"name the kernel with {missing}: what to record depends on it"
        return
    recipe = plan(arch, kernel.release)
    shown = [one.name for one in recipe.functions] + [one.name for one in recipe.dynamic]
    shows = ", ".join(shown)
    asked = f"lazymmu probes --arch {arch} --release {clean(kernel.release)}"
    yield f"while it happens, on that kernel: lazymmu record (or the script of {asked})"
    if shows:
        yield f"it shows {shows}, context switches, interrupts and the kernel's messages"
    if recipe.cannot:
        yield f"it cannot show {'; '.join(recipe.cannot)}"
    if any(word in splat.what for word in _DIES):
        yield (
            "the machine may not live on: boot with ftrace_dump_on_oops, and give the console's "
            "text to lazymmu trace"
        )


def _row(release: Release, arch: str) -> str:
    return str(release.arches[arch].row)


def _why_other(splat: Splat, kernel: OopsKernel) -> str:
    """Why a splat is not of the mode, in words."""
    if kernel.row is not None and kernel.row.name in ("x86-native", "powerpc-radix"):
        return (
            f"this is {kernel.row.label}, on which the mode defers nothing, and no check of the "
            "task's counters fired"
        )
    held = holds_section([name for name in (splat.pinned_at, *splat.names) if name])
    line = f"{splat.file}:{splat.at}" if splat.file else ""
    own = held is not None and held[0] == splat.function
    place = line if own else splat.function or line
    where = f"{place} is no check of the mode" if place else "it names no check of the mode"
    if held is None:
        return f"{where}, and nothing in the call trace holds a section open"
    return (
        f"it only passes through {held[0]}(), where a section may be open: {where}, and it is "
        "nothing that the mode forbids there"
    )
