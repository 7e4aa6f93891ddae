# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel says of itself in a trace: checks of its own that fired, as it prints them.

The event printk/console puts each message of the kernel into the trace, beside what led to it
(include/trace/events/printk.h, kernel/printk/printk.c, vprintk_store()). Which files are about page
tables is data: profiles/common.toml.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from lazymmu.ftrace.lines import symbol

__all__ = ["CHECKS", "EVENT", "KernelCheck", "kernel_check"]

_DATA: Final = Path(__file__).parent / "profiles" / "common.toml"

EVENT: Final = b"console:"
"""How the text of such an event begins."""

_PLACE: Final = rb"(?:\[[^\n]{1,400}\] )?(?P<file>[^\s:\[\]]{1,200}):(?P<line>\d{1,7})"
"""A file and a line; behind the condition, with CONFIG_DEBUG_BUGVERBOSE_DETAILED (since v6.19)."""

_FORMS: Final = (
    # kernel/panic.c, __warn(): to v3.10, to v6.18, and from v6.19 on; without
    # CONFIG_DEBUG_BUGVERBOSE, too.
    re.compile(
        rb"(?P<what>WARNING): (?:CPU: \d{1,5} PID: \d{1,10} )?at (?:" + _PLACE + rb" )?"
        rb"(?P<function>[^\s+]{1,200})\+0x"
    ),
    re.compile(rb"(?P<what>WARNING): (?:" + _PLACE + rb" )?at (?P<function>[^\s+]{1,200})\+0x"),
    # lib/bug.c, report_bug()
    re.compile(rb"(?P<what>kernel BUG) at " + _PLACE + rb"!"),
    re.compile(rb"(?P<what>kernel BUG) at (?P<function>[^\s+]{1,200})\+0x"),
    # kernel/sched/core.c, __schedule_bug() and __might_resched()
    re.compile(rb"BUG: (?P<what>scheduling while atomic): "),
    re.compile(rb"BUG: (?P<what>sleeping function called from invalid context) at " + _PLACE),
    # mm/page_alloc.c, bad_page(); mm/memory.c, print_bad_page_map() and print_bad_pte()
    re.compile(rb"BUG: (?P<what>Bad page (?:state|map)) in process "),
    # kernel/fork.c, check_mm()
    re.compile(rb"BUG: (?P<what>Bad rss-counter state|non-zero pgtables_bytes on freeing mm)"),
)

CHECKS: Final = tuple(re.compile(form.pattern.decode("ascii")) for form in _FORMS)
"""The same, in text: what fired (`what`), and where (`file`, `line`, `function`)."""

_OF_THE_MODE: Final = "lazy_mmu"
"""What every function of the mode has in its name."""

_ALWAYS: Final = ("Bad ", "non-zero pgtables_bytes")
_IN_SECTION: Final = ("scheduling while atomic", "sleeping function called from invalid context")
"""How messages about page tables begin; and such as matter in a section alone."""


@dataclass(frozen=True, slots=True)
class KernelCheck:
    """A check that fired.

    :param what: in the kernel's words.
    :param file: where it stands, "" and 0 where it does not say.
    :param line: likewise.
    :param function: likewise.
    :param concerns: it stands in code of page tables, whatever its task is in.
    """

    what: str
    file: str
    line: int
    function: str
    concerns: bool

    @property
    def words(self) -> str:
        """What fired, and where, in short."""
        place = f"{self.file}:{self.line}" if self.file else ""
        place += f" ({self.function})" if place and self.function else self.function
        return f"{self.what} at {place}" if place else self.what


@cache
def _files() -> re.Pattern[str]:
    """The files whose checks are about page tables."""
    data = tomllib.loads(_DATA.read_text("utf-8"))
    return re.compile("|".join(rf"(?:{one['file']})" for one in data["check"]))


def kernel_check(text: bytes) -> KernelCheck | None:
    """The check that a line's text tells of; None where it is none, or of no such event."""
    if not text.startswith(EVENT):
        return None
    return _read(text[len(EVENT) :].lstrip(b" \t"))


@lru_cache(maxsize=512)
def _read(message: bytes) -> KernelCheck | None:
    for form in _FORMS:
        found = form.match(message)
        if found is None:
            continue
        parts = {name: value or b"" for name, value in found.groupdict().items()}
        what = parts["what"].decode("ascii")
        file = parts.get("file", b"").decode("ascii", "replace")
        file = file.removeprefix("./")
        function = symbol(parts.get("function", b""))
        concerns = what not in _IN_SECTION and (
            what.startswith(_ALWAYS)
            or _OF_THE_MODE in function
            or _files().search(file) is not None
        )
        return KernelCheck(what, file, int(parts.get("line") or 0), function, concerns)
    return None
