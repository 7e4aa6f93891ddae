# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines of a tree's own C, for as long as a request needs them."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazymmu.garbage_collection import free_earlier
from lazymmu.verbs import names, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.lift.lifted import Lifted
    from lazymmu.snapshot.tree import Tree
    from lazymmu.witness.machine.verdict import Counterexample, TraceStep, Verdict
    from lazymmu.witness.source.check import Where

__all__ = ["LiftedTree", "lifted", "same_name", "with_lines"]


@dataclass(frozen=True, slots=True)
class LiftedTree:
    """What was lifted from a tree on one architecture.

    :param arch: the machine's name for it.
    :param tree: the name that the tree has as a release.
    :param row: its row of the deferral table.
    :param functions: places (file:line) of the functions that were lifted, by their names.
    :param columns: the C variables that the machine keeps.
    :param abstracted: what was left out, by the name of the call, with its reason.
    :param refused: why nothing was lifted, "" where it was.
    :param content: a digest of what the machine was made of (`lift.content`): equal ones are the
        same machine.
    :param core: operations of core-mm code that are the tree's own C, with their places.
    :param by_hand: those that are the machine's, with what was not understood.
    :param choices: conditions in the former that nothing decides, with their places.
    :param keys: static keys that are not as they are defined, "" where all are.
    """

    arch: str
    tree: str
    row: str = ""
    functions: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    abstracted: tuple[tuple[str, str], ...] = ()
    refused: str = ""
    content: str = ""
    core: tuple[tuple[str, str], ...] = ()
    by_hand: tuple[tuple[str, str], ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    keys: str = ""


@contextlib.contextmanager
def lifted(
    tree: Where | None,
    arches: Sequence[str],
    steps: str,
    cache_dir: str | os.PathLike[str] | None,
    apart: str = "",
    core: bool = False,
) -> Iterator[tuple[LiftedTree, ...]]:
    """With the implementations of a tree beside all others.

    :param arches: machines that are asked for; without any, or with ``all``, those that can be
        lifted.
    :param steps: see `lift.steps.Steps`.
    :param apart: what its name has behind it.
    :param core: lift core-mm code as well.
    :raises Problem: with the reason.
    """
    if tree is None:
        yield ()
        return
    from lazymmu.lift.tree import MACHINES, uninstall

    free_earlier()
    wanted = set(arches) - {"", "all"}
    names.check("machine that can be lifted", wanted, MACHINES)
    opened = reading.opened(tree)
    name = f"{_name(tree)}{apart}"
    chosen = [arch for arch in MACHINES if not wanted or arch in wanted]
    done: list[LiftedTree] = []
    try:
        done = _all(opened, name, chosen, steps, cache_dir, core)
        yield tuple(done)
    finally:
        for one in done:
            uninstall(one.arch, one.tree)


def _all(
    opened: Tree,
    name: str,
    chosen: Sequence[str],
    steps: str,
    cache_dir: str | os.PathLike[str] | None,
    core: bool,
) -> list[LiftedTree]:
    from lazymmu.kernelc.tree_index import TreeIndex
    from lazymmu.lift.problem import Unliftable
    from lazymmu.lift.static_keys import combinations
    from lazymmu.lift.steps import Steps
    from lazymmu.lift.tree import install
    from lazymmu.snapshot.cache import Cache
    from lazymmu.witness.source.spoken_dialect import detect_dialect

    store = None if cache_dir is None else Cache(cache_dir)
    library = TreeIndex(opened, cache=store)
    dialect = detect_dialect(opened)
    done = []
    for arch in chosen:
        other, told = name, ""
        try:
            of = (opened, library, arch, name, dialect, Steps(steps))
            found = install(*of, core=core)
            others = list(combinations(found.linker.keys.open()))
            done.append(_told(arch, name, found))
            for keys, told in others:
                other = f"{name} with {told}"
                of = (opened, library, arch, other, dialect, Steps(steps))
                done.append(_told(arch, other, install(*of, core=core, keys=keys), told))
        except Unliftable as problem:
            done.append(LiftedTree(arch, other, refused=str(problem), keys=told))
    if store is not None:
        store.commit()
    return done


def same_name(tree: Where, other: Where) -> bool:
    """Whether two trees are called alike."""
    return _name(tree) == _name(other)


def _name(tree: Where) -> str:
    return os.path.basename(os.path.abspath(reading.called(tree))) or "tree"


_LINE = re.compile(r"(.+):(\d+)\Z")


def with_lines(verdict: Verdict, tree: Where) -> Verdict:
    """A verdict whose ways show, beside each step of lifted code, the line of C at which it begins.

    :param tree: what was lifted.
    """
    opened = reading.opened(tree)
    texts: dict[str, list[str]] = {}

    def line(source: str) -> str:
        found = _LINE.match(source)
        if found is None or not opened.has(found[1]):
            return ""
        if found[1] not in texts:
            texts[found[1]] = opened.read(found[1]).decode("latin-1").splitlines()
        number = int(found[2]) - 1
        return texts[found[1]][number].strip() if number < len(texts[found[1]]) else ""

    def noted(step: TraceStep) -> TraceStep:
        source = step.calls[-1][1] if step.calls else step.citation
        return replace(step, note=step.note or line(source))

    def told(broken: Counterexample) -> Counterexample:
        return replace(broken, trace=tuple(map(noted, broken.trace)))

    return replace(verdict, violations=tuple(map(told, verdict.violations)))


def _told(arch: str, name: str, found: Lifted, keys: str = "") -> LiftedTree:
    from lazymmu.lift.content import content
    from lazymmu.lift.core_code import CoreLift
    from lazymmu.machine.releases import TREES

    release, implementation = TREES[arch, name]
    core = release.forms if isinstance(release.forms, CoreLift) else CoreLift()
    left_out = {**found.linker.abstracted, **core.abstracted, **found.linker.keys.told()}
    return LiftedTree(
        arch=arch,
        tree=name,
        row=implementation.row,
        functions=tuple((code.name, code.place) for code in found.reached.codes),
        columns=tuple(sorted(found.reached.variables.names.values())),
        abstracted=tuple(sorted(left_out.items())),
        keys=keys,
        content=content(release, implementation),  # type: ignore[arg-type]
        core=tuple((name, one.code.place) for name, one in core.lifted.items()),
        by_hand=tuple(core.by_hand.items()),
        choices=tuple(
            (about or "what is not known", f"{file}:{line}")
            for one in core.lifted.values()
            for file, line, about in sorted(one.choices)
        ),
    )
