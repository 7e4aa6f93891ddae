# SPDX-License-Identifier: GPL-2.0-or-later
"""How to record a trace: shell scripts made from `probes.toml` and a template.

The templates are shell with a few holes, filled by `string.Template`: there is nothing to repeat or
to decide in them, since that is done here or, where it depends on the machine, by the shell.  A
template language would be a dependency for six substitutions.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from lazymmu.ftrace.profile import ARCHES, Version, version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ARCHES", "DynamicEvent", "Form", "Probe", "ProbePlan", "architecture", "plan", "script"]

_HERE: Final = Path(__file__).parent
_MAX_COLUMNS: Final = 96
_LAST: Final = (9999, 0, 0)

GROUP: Final = "lazymmu"
"""The group of the events that are made, and the name of the tracing instance."""


class Form(StrEnum):
    """How the recording is done."""

    TRACEFS = "tracefs"
    """A shell script that needs nothing but a mounted tracefs, in an instance of its own."""
    TRACE_CMD = "trace-cmd"
    """The same by trace-cmd, which writes a trace.dat."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A function or event to record: name, what for, and whether there is one for each entry."""

    name: str
    why: str
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class DynamicEvent:
    """An event to make.

    name, what for, what the kernel must have been configured with, the lines to try in this order,
    and the filter with which a stack is recorded ("" for none).
    """

    name: str
    why: str
    needs: str
    forms: tuple[str, ...]
    stack: str = ""


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """What to record on one architecture and release, and what that cannot tell."""

    arch: str
    label: str
    machines: tuple[str, ...]
    release: str
    functions: tuple[Probe, ...]
    events: tuple[Probe, ...]
    dynamic: tuple[DynamicEvent, ...]
    cannot: tuple[str, ...]
    check: str = field(default="", repr=False)

    @property
    def tells(self) -> bool:
        """Whether anything of it shows the mode: a function, or the counters."""
        return bool(self.functions or self.dynamic)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((_HERE / "probes.toml").read_text("utf-8"))


def architecture(machine: str) -> str:
    """The architecture of a machine as `uname -m` names it, "" when it has no such mode."""
    for one in _data()["machine"]:
        if machine in one["uname"]:
            return str(one["arch"])
    return ""


def plan(arch: str, release: str) -> ProbePlan:
    """What to record on `arch`, one of `ARCHES`, with Linux `release`.

    :raises ValueError: for an architecture or release that is none.
    """
    at = version(release)
    machine = next((one for one in _data()["machine"] if one["arch"] == arch), None)
    # What is printed is a script, in which the release stands as it was given.
    if at is None or not re.fullmatch(r"[\w.+~-]+", release):
        raise ValueError(f"{release!r} is no release; one begins like 6.12 or 7.1.13")
    if machine is None:
        raise ValueError(f"{arch!r} is no architecture that has the lazy MMU mode")

    def valid(kind: str) -> Iterator[dict[str, Any]]:
        return (one for one in _data()[kind] if _valid(one, arch, at))

    return ProbePlan(
        arch=arch,
        label=machine["label"],
        machines=tuple(machine["uname"]),
        release=release,
        functions=tuple(_probe(one) for one in valid("function")),
        events=tuple(_probe(one) for one in valid("event")),
        dynamic=tuple(
            DynamicEvent(
                one["name"],
                one["why"],
                one["needs"],
                tuple(form.format(name=f"{GROUP}/{one['name']}") for form in one["forms"]),
                one.get("stack", ""),
            )
            for one in valid("dynamic")
        ),
        cannot=tuple(one["text"] for one in valid("cannot")),
        check=machine.get("check", "").strip(),
    )


def _valid(one: dict[str, Any], arch: str, at: Version) -> bool:
    since = version(one.get("since", "0")) or (0, 0, 0)
    until = version(one["until"]) if "until" in one else _LAST
    return arch in one.get("arches", (arch,)) and since <= at < (until or _LAST)


def _probe(one: dict[str, Any]) -> Probe:
    return Probe(one["name"], one["why"], one.get("bulk", False))


# ---- the scripts ---------------------------------------------------------------------------------


class _Shell(Template):
    """Holes are written @@{name}: `$` is the shell's own."""

    delimiter = "@@"


def script(asked: ProbePlan, form: Form = Form.TRACEFS) -> str:
    """A POSIX shell script that records what `asked` lists, and undoes what it set.

    Both forms have the same options and checks (probes-common.sh) and record in their own way.
    """
    name, out = {
        Form.TRACEFS: ("probes-tracefs.sh", "lazymmu.trace"),
        Form.TRACE_CMD: ("probes-trace-cmd.sh", "lazymmu.dat"),
    }[form]
    common = _template("probes-common.sh").substitute(
        label=asked.label,
        machines="|".join(asked.machines),
        functions=_list(probe.name for probe in asked.functions if not probe.bulk),
        bulk_functions=_list(probe.name for probe in asked.functions if probe.bulk),
        events=_list(probe.name for probe in asked.events if not probe.bulk),
        bulk_events=_list(probe.name for probe in asked.events if probe.bulk),
        check=asked.check,
        out=out,
    )
    return _template(name).substitute(
        label=asked.label,
        release=asked.release,
        notes="\n".join(_notes(asked)),
        common=common.partition("\n")[2].rstrip("\n"),  # its licence is the script's
        group=GROUP,
        dynamic="\n".join(_dynamic(asked)),
    )


def _template(name: str) -> _Shell:
    return _Shell((_HERE / name).read_text("utf-8"))


def _list(names: Iterable[str]) -> str:
    return "\n".join(names)


def _dynamic(asked: ProbePlan) -> Iterator[str]:
    """A call of the script's `make` for each event, with the forms to try."""
    if not asked.dynamic:
        yield "\t:  # nothing can be made on this kernel"
    for one in asked.dynamic:
        yield f"\tmake {one.name} '{one.stack}' \\"
        forms = [f"\t\t'{form}'" for form in one.forms]
        yield " \\\n".join(forms) + " ||"
        yield f"\t\tsay 'no event {one.name}: this needs {one.needs}, on Linux {asked.release}'"


def _notes(asked: ProbePlan) -> Iterator[str]:
    """What is recorded and why, and what that cannot tell, as comments."""
    yield "# What is recorded:"
    for title, probes in (("functions", asked.functions), ("events", asked.events)):
        for probe in probes:
            yield from _comment(f"{probe.name}: {probe.why}", "*" if probe.bulk else "-")
        if not probes:
            yield from _comment(f"no {title}: none shows the mode on this kernel", "-")
    for one in asked.dynamic:
        yield from _comment(f"{GROUP}/{one.name}: {one.why}; needs {one.needs}", "-")
    if any(probe.bulk for probe in (*asked.functions, *asked.events)):
        yield "# (* once for each entry that is written; left out with -l)"
    yield "#"
    yield "# What this cannot tell:"
    for sentence in asked.cannot:
        yield from _comment(sentence, "-")


def _comment(text: str, mark: str) -> Iterator[str]:
    lines = textwrap.wrap(text, _MAX_COLUMNS - 4, break_long_words=False, break_on_hyphens=False)
    for at, line in enumerate(lines):
        yield f"#   {line}" if at else f"# {mark} {line}"
