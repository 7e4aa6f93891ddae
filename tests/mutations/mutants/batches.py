# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts many changes into few trees: at most one for each function in each tree."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import kinds, scan
from .mutant import API_FILE, FAR_FILES, GUARD_FILE, MISUSED, NESTED, Mutant
from .section import Section

_SHARED = "static int planted_flag;\nstatic struct mutex planted_mutex;\n"


@dataclass(frozen=True, slots=True)
class Planted:
    """A change in a tree, and the lines of its file, in the new count, that are its own."""

    mutant: Mutant
    lines: range


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that are planted in one tree, and the architectures that show them."""

    mutants: tuple[Mutant, ...]
    arches: tuple[str, ...]


def sections(tree: Path) -> list[Section]:
    """The functions of a tree that changes are planted in.

    Those of self-tests are none, nor what goes behind the API where the tree counts sections.
    """
    guards = frozenset(re.findall(r"^#define (\w+)\(", _read(tree, GUARD_FILE), re.M))
    found = [
        Section(f, bool(arch) and not scan.pins(tree, arch), guards)
        for f in scan.sections(tree)
        if "/tests/" not in f.file
        for arch in [f.arch]
    ]
    counted = any(section.counted for section in found)
    return [section for section in found if section.counted == counted and section.plain]


def drawn(
    found: Sequence[Section],
    *,
    kind: str = "",
    seed: int = 0,
    functions: int | None = None,
    sample: int | None = None,
    known: Mapping[str, frozenset[str]] | None = None,
) -> list[Mutant]:
    """Changes for functions with sections, drawn by a seed.

    kind: a regular expression for the kinds; functions: how many functions each kind is planted
    in, None for all; sample: how many kinds, None for all; known: the rules that each function
    breaks as it is, so that another finding of them would tell nothing; in one whose begins, ends
    and locks are wrong nothing is planted.
    """
    known = known or {}
    by_kind: dict[str, dict[str, list[Mutant]]] = {}
    for section in found:
        broken = known.get(section.function.name, frozenset())
        for mutant in kinds.every(section):
            # Where sections nest as the kernel is, what leaks one has other names as well.
            told = mutant.rules if mutant.rules == NESTED else mutant.rules - NESTED
            if re.search(kind, mutant.kind) and not broken & (MISUSED | told):
                by_place = by_kind.setdefault(mutant.kind, {})
                by_place.setdefault(section.function.name, []).append(mutant)
    if sample is not None:
        few = random.Random(seed).sample(sorted(by_kind), min(sample, len(by_kind)))
        by_kind = {name: by_kind[name] for name in few}
    chosen: list[Mutant] = []
    load: Counter[str] = Counter()
    # Kinds with few places first: what fits everywhere fills the functions that have the least.
    for name, places in sorted(by_kind.items(), key=lambda item: (len(item[1]), item[0])):
        lots = random.Random(f"{seed} {name}")
        lot = {place: lots.random() for place in sorted(places)}
        # What only one architecture builds shares its trees with less, and gets less.
        weight = {place: 3 if places[place][0].section.in_arch else 1 for place in places}
        some = sorted(places, key=lambda place: (load[place] * weight[place], lot[place]))
        for place in some if functions is None else some[:functions]:
            more = places[place] if functions is None else [lots.choice(places[place])]
            load[place] += len(more)
            chosen += more
    return [replace(mutant, number=number) for number, mutant in enumerate(chosen, start=1)]


def packed(mutants: Iterable[Mutant]) -> list[Batch]:
    """The changes in as few trees as they fit in, with one of a function in each."""
    trees: list[tuple[str, dict[tuple[str, str], Mutant]]] = []
    # What any architecture shows fills the trees of those that must be seen on one; few trees have
    # another API, for which all of their headers are read anew.
    for mutant in sorted(
        mutants, key=lambda m: (not m.code.api, not (m.arch or m.section.in_arch))
    ):
        arch = mutant.arch or mutant.section.in_arch
        place = (mutant.file, mutant.function)
        for shown, held in trees:
            if arch in {"", shown} and place not in held:
                held[place] = mutant
                break
        else:
            trees.append((arch or "x86", {place: mutant}))
    return [Batch(tuple(held.values()), (arch,)) for arch, held in trees]


def plant(tree: Path, mutants: Sequence[Mutant]) -> tuple[list[Planted], dict[str, bytes]]:
    """The files that hold some changes, by their paths, and what was planted where."""
    by_file: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_file[mutant.file].append(mutant)
    planted: list[Planted] = []
    texts: dict[str, str] = {}
    for file, some in by_file.items():
        texts[file], found = _mutated(_read(tree, file), some)
        planted += found
    far = [_named(mutant.code.far, mutant) for mutant in mutants if mutant.code.far]
    if far:
        file = next(file for file in FAR_FILES if (tree / file).is_file())
        shared = "" if file in texts else _SHARED
        text = texts.get(file) or _read(tree, file)
        texts[file] = "\n".join([text, "#include <linux/pgtable.h>\n", shared, *far])
    for mutant in mutants:
        if mutant.code.header:
            texts[_header(mutant)] = _guarded(mutant)
        if mutant.code.api:
            text = texts.get(API_FILE) or _read(tree, API_FILE)
            texts[API_FILE] = _in_api(text, _named(mutant.code.api, mutant))
    return planted, {file: text.encode("latin-1") for file, text in texts.items()}


def _in_api(text: str, function: str) -> str:
    """The API's header with one more function, before the end of a section and before its stub."""
    ends = re.compile(r"^static inline void lazy_mmu_mode_disable\(void\)( \{\})?$", re.M)
    stub = function.partition("\n{")[0] + " {}\n"
    return ends.sub(lambda end: (stub if end[1] else f"{function}\n") + end[0], text)


def _read(tree: Path, file: str) -> str:
    path = tree / file
    return path.read_text(encoding="latin-1") if path.is_file() else ""


def _named(text: str, mutant: Mutant) -> str:
    """The text with names that no other change in the tree has."""
    return text.replace("@", str(mutant.number))


def _header(mutant: Mutant) -> str:
    return f"include/linux/scan_m{mutant.number}.h"


def _guarded(mutant: Mutant) -> str:
    word = f"_LINUX_SCAN_M{mutant.number}_H"
    text = _named(mutant.code.header, mutant)
    return f"#ifndef {word}\n#define {word}\n\n#include <linux/pgtable.h>\n\n{text}\n#endif\n"


def _mutated(text: str, mutants: Sequence[Mutant]) -> tuple[str, list[Planted]]:
    """One file with all of its changes."""
    lines = text.split("\n")
    top = _top(lines)
    before: dict[int, list[tuple[str, int]]] = defaultdict(list)
    instead: dict[int, tuple[str, int]] = {}
    for mutant in mutants:
        for at, planted in mutant.insert:
            before[at].append((_named(planted, mutant), mutant.number))
        for at, planted in mutant.replace:
            instead[at] = (_named(planted, mutant) or ";", mutant.number)
    new: list[tuple[str, int | None]] = []
    for number, line in enumerate(lines, start=1):
        indent = _indent(lines, number - 1)
        for rows, owner in before[number]:
            new += [(_set(row, indent), owner) for row in rows.split("\n")]
        if number in instead:
            rows, owner = instead[number]
            own = re.match(r"[ \t]*", line)
            new += [(_set(row, own[0] if own else ""), owner) for row in rows.split("\n")]
        else:
            new.append((line, None))
        if number == top:
            new += [(row, None) for row in _head(mutants)]
    places: dict[int | None, list[int]] = defaultdict(list)
    for number, (_, whose) in enumerate(new, start=1):
        places[whose].append(number)
    result = [Planted(m, range(min(places[m.number]), max(places[m.number]) + 1)) for m in mutants]
    return "\n".join(line for line, _ in new), result


def _set(row: str, indent: str) -> str:
    """A row with its indentation; a label has none, and an empty one neither."""
    return row if not row or re.match(r"\w+:$", row) else indent + row


def _head(mutants: Sequence[Mutant]) -> list[str]:
    """What stands behind the includes of a file: headers, shared variables, helpers."""
    rows = [f"#include <linux/{_header(m).rpartition('/')[2]}>" for m in mutants if m.code.header]
    rows += ["#include <linux/mutex.h>", "#include <linux/slab.h>", "", *_SHARED.split("\n")]
    for mutant in mutants:
        rows += _named(mutant.code.near, mutant).split("\n") if mutant.code.near else []
    return rows


def _indent(lines: list[str], at: int) -> str:
    """The indentation of the next line with text: a label's is that of what follows it."""
    for line in lines[at:]:
        found = re.match(r"(\t+)\S", line)
        if found:
            return found[1]
    return "\t"


def _top(lines: list[str]) -> int:
    """Where helpers go: after the last #include that no #if surrounds."""
    depth, top = 0, 1
    for number, line in enumerate(lines, start=1):
        if re.match(r"#\s*if", line):
            depth += 1
        elif re.match(r"#\s*endif", line):
            depth -= 1
        elif depth == 0 and re.match(r"#\s*include", line):
            top = number
    return top
