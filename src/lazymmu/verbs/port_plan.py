# SPDX-License-Identifier: GPL-2.0-or-later
"""`port plan`: what in a kernel tree has to change for an architecture to get the mode.

All is read from the tree's own source: what turns the mode on there, which hooks the generic code
calls, what the architecture has of them, and which sections begin to mean something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.contract import vocabulary
from lazymmu.problem import Problem
from lazymmu.terminal import clean
from lazymmu.verbs import names, reading
from lazymmu.witness.source import check as source
from lazymmu.witness.source.arch_hooks import SWITCH_HOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.snapshot.tree import Tree
    from lazymmu.verbs.reading import TreeRequest
    from lazymmu.witness.finding import Sections
    from lazymmu.witness.source.check import Progress

__all__ = ["PlanPlace", "PortPlan", "plan"]

GENERIC: Final = "include/linux/pgtable.h"
"""Where the mode's generic layer and its contract are, in every release that has it."""
SCHEDULER: Final = "kernel/sched/core.c"
"""Where a context switch is made (context_switch())."""

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
_CONDITION = re.compile(r"^[ \t]*#[ \t]*(ifdef|ifndef|if|endif)\b[ \t]*(.*)$")
_HOOK = re.compile(r"\barch_\w*lazy_mmu_mode\b")
_DEFINED = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+(\w+)"
    r"|^(?:static|extern|inline|void|int|bool|pte_t|pmd_t|pud_t)\b[^;={(\n]*?\b(\w+)[ \t]*\(",
    re.M,
)


@dataclass(frozen=True, slots=True)
class PlanPlace:
    """A name at a place of the tree; line 0: the file as a whole, or where it is not yet."""

    file: str
    line: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortPlan:
    """What a tree says of a port.

    :param arch: the directory below arch/, "" for none in particular.
    :param guard: what the generic header asks before it uses an architecture's own hooks, "" if
        there is no such header.
    :param symbol: the Kconfig symbol in it, "" when a macro turns the mode on.
    :param declared: where Kconfig declares the symbol.
    :param turned_on: where architectures turn the mode on.
    :param hooks: what the generic header calls of an architecture.
    :param own: those of them and of the switch hooks that the architecture has already.
    :param switches: where the scheduler calls the switch hooks.
    :param accessors: those that the architecture defines, and may have to change.
    :param sections: of all architectures that have the mode.
    """

    tree: str
    release: str
    arch: str
    guard: str
    symbol: str
    declared: PlanPlace | None
    turned_on: tuple[PlanPlace, ...]
    hooks: tuple[PlanPlace, ...]
    own: tuple[PlanPlace, ...]
    switches: tuple[PlanPlace, ...]
    accessors: tuple[PlanPlace, ...]
    sections: Sections

    @property
    def done(self) -> tuple[PlanPlace, ...]:
        """Where the architecture turns the mode on already."""
        return tuple(one for one in self.turned_on if _arch_of(one.file) == self.arch)


def plan(request: TreeRequest, arch: str = "", *, progress: Progress | None = None) -> PortPlan:
    """Read one tree.

    :param request: with the one tree.
    :param arch: a directory below arch/ that is to have the mode.
    :raises Problem: it is none, or has no such architecture.
    """
    (where,) = request.trees
    tree = reading.opened(where)
    if arch:
        names.check("architecture", [arch], [e.name for e in tree.entries("arch") if e.directory])
    generic = _plain(tree, GENERIC)
    guard = _guard(generic)
    if not guard:
        raise Problem(
            f"{clean(reading.called(where))}: {GENERIC} says nothing of the lazy MMU mode; "
            "a tree of 5.10 or later is needed"
        )
    symbol = guard.removeprefix("CONFIG_") if guard.startswith("CONFIG_") else ""
    headers = list(_files(tree, f"arch/{arch}/include/asm", r".*\.h")) if arch else []
    defined = [place for file in headers for place in _definitions(file, _plain(tree, file))]
    hooks = tuple(_named(GENERIC, generic, _HOOK))
    wanted = {hook.name for hook in hooks} | set(SWITCH_HOOKS)
    writes = {name for name, word in vocabulary.load().entries.items() if word.operation != "read"}
    switch = re.compile("|".join(rf"\b{name}\b" for name in SWITCH_HOOKS))
    return PortPlan(
        tree=reading.called(where),
        release=tree.release,
        arch=arch,
        guard=guard,
        symbol=symbol,
        declared=_declared(tree, symbol),
        turned_on=tuple(_turned_on(tree, guard, symbol)),
        hooks=hooks,
        own=tuple(one for one in defined if one.name in wanted),
        switches=tuple(_named(SCHEDULER, _plain(tree, SCHEDULER), switch)),
        accessors=tuple(one for one in defined if one.name in writes),
        sections=reading.read(source.sections, where, request, None, progress),
    )


def _plain(tree: Tree, file: str) -> str:
    """The text of a file with its comments blanked, so that lines stay; "" where there is none."""
    if not tree.has(file):
        return ""
    text = tree.read(file).decode("utf-8", "replace")
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _guard(text: str) -> str:
    """The innermost condition around the first hook of the mode: a symbol or macro."""
    stack: list[str] = []
    for line in text.splitlines():
        if found := _CONDITION.match(line):
            if found[1] == "endif":
                del stack[-1:]
            else:
                stack.append(found[2].strip())
        elif _HOOK.search(line) and stack:
            words = re.findall(r"\b(?!defined\b)[A-Za-z_]\w+", stack[-1])
            return words[0] if words else ""
    return ""


def _named(file: str, text: str, pattern: re.Pattern[str]) -> Iterator[PlanPlace]:
    """Each name that `pattern` finds, where it is first."""
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        for name in pattern.findall(line):
            if name not in seen:
                seen.add(name)
                yield PlanPlace(file, number, name)


def _definitions(file: str, text: str) -> Iterator[PlanPlace]:
    """What a header defines or declares, each name where it is first: inline, or as a macro."""
    seen: set[str] = set()
    for found in _DEFINED.finditer(text):
        name = found[1] or found[2]
        if name not in seen:
            seen.add(name)
            yield PlanPlace(file, text.count("\n", 0, found.start()) + 1, name)


def _declared(tree: Tree, symbol: str) -> PlanPlace | None:
    if not symbol:
        return None
    pattern = re.compile(rf"^config[ \t]+{re.escape(symbol)}[ \t]*$")
    return next(
        (
            PlanPlace(file, number, symbol)
            for folder in ("mm", "arch", "init", "lib", "kernel")
            for file in [f"{folder}/Kconfig"]
            for number, line in enumerate(_plain(tree, file).splitlines(), 1)
            if pattern.match(line)
        ),
        None,
    )


def _turned_on(tree: Tree, guard: str, symbol: str) -> Iterator[PlanPlace]:
    """Where an architecture selects the symbol, or defines the macro."""
    pattern = re.compile(
        rf"^[ \t]*(?:select|def_bool[ \t]+y.*)[ \t]+({re.escape(symbol)})\b"
        if symbol
        else rf"^[ \t]*#[ \t]*define[ \t]+({re.escape(guard)})\b"
    )
    for arch in (entry.name for entry in tree.entries("arch") if entry.directory):
        folder = f"arch/{arch}" if symbol else f"arch/{arch}/include/asm"
        for file in _files(tree, folder, r"Kconfig.*" if symbol else r".*\.h"):
            yield from _named(file, _plain(tree, file), pattern)


def _files(tree: Tree, folder: str, pattern: str) -> Iterator[str]:
    """The files below a folder whose names match, in order."""
    below: Iterable[str] = [folder]
    while below:
        deeper: list[str] = []
        for directory in below:
            for entry in tree.entries(directory):
                path = f"{directory}/{entry.name}"
                if entry.directory:
                    deeper.append(path)
                elif re.fullmatch(pattern, entry.name):
                    yield path
        below = deeper


def _arch_of(file: str) -> str:
    parts = file.split("/")
    return parts[1] if parts[0] == "arch" and len(parts) > 1 else ""
