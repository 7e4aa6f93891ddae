# SPDX-License-Identifier: GPL-2.0-or-later
"""An edit of a body begins no analysis anew where nothing that was computed from it has changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lazymmu
from lazymmu.kernelc.json_shapes import listed
from lazymmu.kernelc.parse.slices import definitions
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source import analyse_arch, held_parts
from lazymmu.witness.source.arch_result import ArchResult
from lazymmu.witness.source.kept_analysis import KeptAnalysis
from lazymmu.witness.source.kept_summaries import given as given_summaries
from lazymmu.witness.source.line_tokens import LineTokens
from lazymmu.witness.source.moved_places import MovedPlaces
from lazymmu.witness.source.part_digests import PartDigests
from tests.witness.source.edits import ARCHES, TREE, checked, some_edits

STATEMENTS = (
    b"barrier();",
    b"cond_resched();",
    b"might_sleep();",
    b"lazy_mmu_mode_enable();",
    b"lazy_mmu_mode_disable();",
    b"arch_flush_lazy_mmu_mode();",
    b"preempt_disable();",
    b"return;",
    b"if (unlikely(0)) BUG();",
    b"nobody_knows_it();",
    b"kmalloc(8, GFP_KERNEL);",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the facts of the tree as it is."""
    folder = tmp_path_factory.mktemp("store")
    checked({}, folder)
    return folder


def edited(name: str, old: bytes, new: bytes) -> dict[str, bytes]:
    """One file with a piece of it replaced."""
    text = (TREE / name).read_bytes()
    assert old in text
    return {name: text.replace(old, new, 1)}


@pytest.mark.parametrize("arch", ARCHES)
def test_each_part_comes_by_itself_to_what_it_came_to_among_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arch: str
) -> None:
    """What was remembered when a part was computed hid nothing that it rests on."""
    plain_built, builds = analyse_arch._built, []
    seen: Counter[str] = Counter()

    def built(*asked: Any) -> object:
        builds.append(asked[:4])
        return plain_built(*asked)

    def keep(self: KeptAnalysis, _: object, tell: Callable[[], object]) -> None:
        kept = json.loads(json.dumps(tell()))
        live = plain_built(*builds[-1], given_summaries(kept["asked"], MovedPlaces()))
        lines = LineTokens(self._view)
        items = [listed(item) for item in kept["items"]]
        holding = held_parts._Holding(kept, items, live, PartDigests(lines), lines)
        for part in kept["parts"]:
            try:
                read = holding._computed(part)
            except LookupError:
                seen["made by macros"] += 1  # Whoever changes one begins anew.
                continue
            assert read == {held_parts._named(items[n]) for n in part[-1]}, part[:4]
            seen[part[0]] += 1

    monkeypatch.setattr(analyse_arch, "_built", built)
    monkeypatch.setattr(KeptAnalysis, "keep", keep)
    lazymmu.check(Tree.open(TREE), arches=[arch], jobs=1, cache_dir=tmp_path)
    kinds = {"root", "own", "api", "called", "broken", "uses", "actions", "callbacks", "calls"}
    assert kinds <= seen.keys()
    assert seen.pop("made by macros") < sum(seen.values()) / 10


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("mm/memory.c", b"int err = 0;", b"int err = 0;\n\n\tbarrier();"),
        ("mm/memory.c", b"int err = 0;", b"int err;\n\n\terr = 0;"),
    ],
)
def test_an_edit_in_reach_that_changes_nothing_that_is_told_begins_nothing_anew(
    store: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: bytes, new: bytes
) -> None:
    """The function that was changed is walked again, and no other."""
    files = edited(name, old, new)
    cold = checked(files, None)

    def computed(*_: object) -> None:
        raise AssertionError("an architecture is looked at again")

    monkeypatch.setattr(analyse_arch, "_computed", computed)
    assert checked(files, store) == cold


def test_an_edit_in_reach_that_brings_a_finding_begins_anew(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a part comes to something else, the whole is computed again, and told."""
    files = edited("mm/memory.c", b"int err = 0;", b"int err = 0;\n\n\tlazy_mmu_mode_enable();")
    plain, begun = analyse_arch._computed, []

    def computed(*asked: Any) -> tuple[ArchResult | None, Any]:
        begun.append(None)
        return plain(*asked)

    monkeypatch.setattr(analyse_arch, "_computed", computed)
    found = checked(files, store)
    assert begun
    assert found == checked(files, None) != checked({}, None)


def test_a_body_that_cannot_be_read_any_more_is_a_loss(store: Path) -> None:
    """Nothing else need come of it: what is not read is told."""
    lines = b"\tpte_unmap_unlock(pte, ptl);\n\tif (x) goto out;\n"
    name = "drivers/misc/window.c"
    text = (TREE / name).read_bytes()
    at = next(raw for raw in definitions(text) if raw.name == "map_slots").end
    head = text.rfind(b"\n", 0, at - 1) + 1
    found = [text[:i] + lines + text[i:] for i in (head, text.rfind(b"\n", 0, head - 1) + 1)]
    for edited_text in found:
        assert checked({name: edited_text}, store) == checked({name: edited_text}, None)


FUNCTIONS = [
    (path.relative_to(TREE).as_posix(), raw)
    for path in sorted(TREE.rglob("*.[ch]"))
    for raw in definitions(path.read_bytes())
    if raw.kind == "function"
]


@given(data=st.data())
@some_edits
def test_an_edited_body_is_told_as_if_nothing_had_been_kept(
    store: Path, data: st.DataObject
) -> None:
    """Lines of a body are added, doubled, swapped or gone: the answer equals the cold one."""
    name, raw = data.draw(st.sampled_from(FUNCTIONS), label="function")
    text = (TREE / name).read_bytes()
    lines = text[raw.body : raw.end].split(b"\n")
    for _ in range(data.draw(st.integers(1, 2), label="edits")):
        at = data.draw(st.integers(1, max(1, len(lines) - 1)), label="line")
        match data.draw(st.sampled_from(["add", "double", "swap", "drop"])):
            case "add":
                lines.insert(at, b"\t" + data.draw(st.sampled_from(STATEMENTS)))
            case "double" if at < len(lines):
                lines.insert(at, lines[at])
            case "swap" if at + 2 < len(lines):
                lines[at : at + 2] = lines[at + 1], lines[at]
            case "drop" if at + 1 < len(lines):
                del lines[at]
    files = {name: text[: raw.body] + b"\n".join(lines) + text[raw.end :]}
    assert checked(files, store) == checked(files, None)
