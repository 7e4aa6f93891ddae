# SPDX-License-Identifier: GPL-2.0-or-later
"""Profiles: what a trace shows on which kernel and architecture, and which of them a trace is of.

The profiles are data, `profiles/*.toml`.  Which one fits is said by the user, by the trace, or
guessed from the functions in it; `Guess` says which.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu.contract.deferral.hypothetical_rows import X86_NATIVE
from lazymmu.contract.deferral.releases import RELEASES, ReleaseRows, release_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.contract.deferral import DeferralRow
    from lazymmu.contract.dialects import Dialect
    from lazymmu.contract.event_words import Known
    from lazymmu.ftrace.record import Header

__all__ = [
    "ARCHES",
    "NATIVE",
    "FtraceProfile",
    "Guess",
    "TracedFunction",
    "functions",
    "guess",
    "hidden",
    "names_xen",
    "profiles",
    "reads_counters",
    "version",
    "with_counters",
]

_DATA: Final = Path(__file__).parent / "profiles"
_VERSION: Final = re.compile(r"v?(\d{1,4})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?")

ARCHES: Final = ("x86", "powerpc", "sparc", "arm64")
"""The architectures that have a profile, by the names of the kernel's directories."""

NATIVE: Final = "x86-native"
"""x86 where nothing says that it is Xen PV: the mode does nothing there."""

_PROFILED: Final = (*ARCHES, NATIVE)

Version = tuple[int, int, int]
_FIRST: Final = (0, 0, 0)
_LAST: Final = (9999, 0, 0)
_COUNTED: Final = (7, 0, 0)  # 5ab246749569 ("mm: enable lazy_mmu sections to nest")


def version(release: str) -> Version | None:
    """`6.12.107+deb13-amd64` as (6, 12, 107); None when it does not begin like a release."""
    found = _VERSION.match(release)
    if found is None:
        return None
    return int(found[1]), int(found[2] or 0), int(found[3] or 0)


@dataclass(frozen=True, slots=True)
class TracedFunction:
    """A traced function and its meaning.

    :param means: enter, leave, flush, switch-begin, switch-end, update, immediate or nothing.
    :param hooks: callers with which it is the context switch's doing.
    :param inner: callers with which it means nothing.
    :param within: the only callers with which it means something (none: any).
    :param since: the releases that have it, the second excluded.
    :param until: likewise.
    """

    name: str
    means: str
    hooks: frozenset[str]
    inner: frozenset[str]
    within: frozenset[str]
    source: str
    since: Version = _FIRST
    until: Version = _LAST


@dataclass(frozen=True, slots=True)
class Hint:
    """A name that tells an architecture, and the releases that have it; weak: one of a few."""

    name: re.Pattern[bytes]
    word: str
    since: Version
    until: Version
    weak: bool


@dataclass(frozen=True, slots=True)
class FtraceProfile:
    """One architecture: what its traces show.

    :param sections: bounds of the releases whose functions show sections, the second excluded, or
        None.
    :param hidden: what no recording shows elsewhere, a phrase.
    """

    arch: str
    label: str
    machines: tuple[str, ...]
    functions: tuple[TracedFunction, ...]
    hints: tuple[Hint, ...]
    sections: tuple[Version, Version] | None
    hidden: str = ""


def _bound(value: str | None, default: Version) -> Version:
    return default if value is None else version(value) or default


def _span(one: dict[str, Any]) -> tuple[Version, Version]:
    return _bound(one.get("since"), _FIRST), _bound(one.get("until"), _LAST)


def _hint(one: dict[str, Any]) -> Hint:
    name = one["name"].encode()
    word = re.escape(name.removesuffix(b"*")) + (b"" if name.endswith(b"*") else rb"(?!\w)")
    return Hint(
        re.compile(rb"(?<![\w.])" + word),
        one["name"],
        *_span(one),
        one.get("weak", False),
    )


def _profile(data: dict[str, Any]) -> FtraceProfile:
    return FtraceProfile(
        arch=data["arch"],
        label=data["label"],
        machines=tuple(data["machines"]),
        functions=tuple(
            TracedFunction(
                one["name"],
                one["is"],
                frozenset(one.get("hooks", ())),
                frozenset(one.get("inner", ())),
                frozenset(one.get("within", ())),
                one["source"],
                *_span(one),
            )
            for one in data.get("function", ())
        ),
        hints=tuple(_hint(one) for one in data.get("hint", ())),
        sections=_span(data["sections"]) if "sections" in data else None,
        hidden=data.get("hidden", ""),
    )


@cache
def profiles() -> dict[str, FtraceProfile]:
    """Every profile by architecture."""
    found = {}
    for arch in _PROFILED:
        found[arch] = _profile(tomllib.loads((_DATA / f"{arch}.toml").read_text("utf-8")))
    return found


@cache
def functions() -> dict[str, TracedFunction]:
    """Every function that means something, by name; no two architectures share one."""
    return {one.name: one for profile in profiles().values() for one in profile.functions}


@cache
def _common() -> dict[str, Any]:
    return tomllib.loads((_DATA / "common.toml").read_text("utf-8"))


@cache
def _every_hint() -> tuple[tuple[str, Hint], ...]:
    """Hints with their architecture, "" for those that tell a release alone."""
    found = [("", _hint(one)) for one in _common()["hint"]]
    return (*found, *((one.arch, hint) for one in profiles().values() for hint in one.hints))


@dataclass(frozen=True, slots=True)
class Guess:
    """Which kernel a trace is of, as far as anybody knows.

    :param arch: "" when unknown.
    :param release: the exact one, "" when only bounds are known.
    :param since: the bounds, the second excluded.
    :param until: likewise.
    :param arch_from: who says so, for humans.
    :param release_from: likewise.
    :param releases: those of the contract's table that it may be like, one where the release is
        known exactly.
    """

    arch: str
    release: str
    since: Version
    until: Version
    arch_from: str
    release_from: str
    releases: tuple[ReleaseRows, ...]

    @property
    def rows(self) -> tuple[DeferralRow, ...]:
        """The rows of the deferral table that may be this kernel's, each once."""
        if self.arch == NATIVE:
            return (X86_NATIVE,)
        rows = (one.rows.get(self.arch) for one in self.releases)
        return tuple(dict.fromkeys(row for row in rows if row is not None))

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """The dialects of the contract that may be this kernel's, oldest first."""
        arch = "x86" if self.arch == NATIVE else self.arch
        ours = [one for one in self.releases if not arch or arch in one.rows]
        return tuple(dict.fromkeys(one.dialect for one in ours or self.releases))

    @property
    def uncounted(self) -> bool:
        """Whether this kernel is surely one without the task's counters (before v7.0)."""
        return self.until <= _COUNTED

    @property
    def counted(self) -> bool:
        """Whether this kernel surely has the task's counters (v7.0 on)."""
        return self.since >= _COUNTED

    @property
    def pauses_out(self) -> Known:
        """Whether the hooks of a context switch pause the task that goes."""
        return _whether({row.pauses_out for row in self._may_be})

    @property
    def insists(self) -> Known:
        """Whether a beginning and an end insist on the CPU's mode, though sections are counted."""
        return _whether({row.insists for row in self._may_be})

    @property
    def _may_be(self) -> Iterator[DeferralRow]:
        return iter(self.rows or (row for one in self.releases for row in one.rows.values()))

    @property
    def shows_sections(self) -> bool:
        """Whether functions may show where sections begin and end."""
        # Where nothing tells the architecture, no such function was met.
        span = profiles()[self.arch].sections if self.arch else None
        return span is not None and self.since < span[1] and span[0] < self.until


def _whether(may: set[bool]) -> Known:
    return "unknown" if len(may) > 1 else "yes" if may == {True} else "no"


def hidden(known: Guess) -> str:
    """What no recording of this kernel shows, a phrase; "" when functions show its sections."""
    if not known.arch or known.shows_sections:
        return ""
    return profiles()[known.arch].hidden


def guess(header: Header, block: bytes, *, arch: str = "", release: str = "") -> Guess:
    """Which kernel the trace with this header, and these first bytes of text, is of.

    :param arch: what the user says; it goes before everything else.
    :param release: likewise.
    """
    arch_from = "option" if arch else ""
    release_from = "option" if release else ""
    for profile in profiles().values():
        if not arch and header.machine in profile.machines:
            arch, arch_from = profile.arch, f"the trace names {header.machine}"
            if arch == "x86" and not names_xen(block):
                arch, arch_from = NATIVE, f"{arch_from}, and nothing of Xen"
    if not release and header.release:
        release, release_from = header.release, "the trace names it"
    # Whether the bare word is there at all is found much faster than where it stands alone.
    seen = [
        (of, hint)
        for of, hint in _every_hint()
        if hint.word.removesuffix("*").encode() in block and hint.name.search(block)
    ]
    if not arch:
        arch, arch_from = _arch(seen, block)
    exact = version(release) if release else None
    if exact is not None:
        since, until = exact, (exact[0], exact[1], exact[2] + 1)
    else:
        release = ""
        since, until, release_from = _bounds(arch, seen, block)
    known = Guess(arch, release, since, until, arch_from, release_from, ())
    return replace(known, releases=_releases(known))


_READING: Final = re.compile(
    rb"[0-9]: [^\s:(]{1,64}: \([^\s)]{1,200}\+0x[^\n)]{1,200}\)[^\n]{0,100}? ec=\d+ pc=\d+"
)
"""Longer than the name of a task, which may say what it likes."""


def reads_counters(block: bytes) -> bool:
    """Whether a reading of the counters is in a text."""
    return b" ec=" in block and _READING.search(block) is not None


_XEN: Final = re.compile(
    rb"(?:[0-9]: |<-[- ]?|=> |\()(?:xen_\w|paravirt_(?:enter|leave|flush)_lazy_mmu)"
)


def names_xen(block: bytes) -> bool:
    """Whether a function or event of Xen is in a text, where such names stand."""
    return (b"xen_" in block or b"paravirt_" in block) and _XEN.search(block) is not None


def _releases(known: Guess) -> tuple[ReleaseRows, ...]:
    """The entries of the contract's table between the bounds, or the one that is nearest."""
    if known.release:
        try:
            return (release_of(".".join(str(part) for part in known.since)),)
        except ValueError:
            return ()  # older than the table: nothing is known of it
    within = [
        one
        for one in RELEASES.values()
        if known.since <= (version(one.name) or _FIRST) < known.until
        and (known.arch in ("", NATIVE) or known.arch in one.rows)
    ]
    return tuple(within)


def with_counters(known: Guess) -> Guess:
    """What is known once readings of the task's counters were met: BTF refuses them before v7.0."""
    if known.counted or known.release or known.uncounted:
        return known
    known = replace(known, since=_COUNTED, release_from="guessed from the counters")
    return replace(known, releases=_releases(known))


def _arch(seen: list[tuple[str, Hint]], block: bytes) -> tuple[str, str]:
    """The architecture of which most is in the text: a name in some other text changes nothing."""
    for weak in (False, True):
        count: dict[str, int] = {}
        for arch, hint in seen:
            if arch and hint.weak is weak:
                word = hint.word.rstrip("*").encode()
                count[arch] = count.get(arch, 0) + block.count(word)
        ranked = sorted(count, key=lambda arch: -count[arch])
        if len(ranked) > 1 and count[ranked[0]] < 2 * count[ranked[1]]:
            return "", "functions of several architectures"
        if ranked:
            arch = ranked[0]
            words = [hint.word for of, hint in seen if of == arch and hint.weak is weak]
            return arch, f"guessed from {words[0]}"
    return "", "nothing in it tells"


def _bounds(arch: str, seen: list[tuple[str, Hint]], block: bytes) -> tuple[Version, Version, str]:
    since, until, words = _FIRST, _LAST, []
    for name, hint in seen:
        if name not in ("", arch) or (hint.since, hint.until) == (_FIRST, _LAST):
            continue
        if hint.since > since or hint.until < until:
            since, until = max(since, hint.since), min(until, hint.until)
            words.append(hint.word)
    # The counters are read by BTF, which refuses where they are not.
    if since < _COUNTED and reads_counters(block):
        since = _COUNTED
        words.append("the counters ec and pc")
    if since >= until:
        return _FIRST, _LAST, f"{' and '.join(words)} contradict each other"
    return since, until, f"guessed from {' and '.join(words)}" if words else "nothing in it tells"
