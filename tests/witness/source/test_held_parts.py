# SPDX-License-Identifier: GPL-2.0-or-later
"""An edit of a body begins no analysis anew where nothing that was computed from it has changed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lazymmu
from lazymmu.kernelc.asked import Asked
from lazymmu.kernelc.json_shapes import listed
from lazymmu.kernelc.parse.slices import definitions
from lazymmu.kernelc.reads import Reads
from lazymmu.snapshot.tree import Tree
from lazymmu.witness.source import analyse_arch, held_parts, own_api
from lazymmu.witness.source.earlier_analysis import ASKED_BY_PARTS
from lazymmu.witness.source.kept_analysis import KeptAnalysis
from lazymmu.witness.source.kept_summaries import given as given_summaries
from lazymmu.witness.source.line_tokens import LineTokens
from lazymmu.witness.source.moved_places import MovedPlaces
from lazymmu.witness.source.part_digests import PartDigests
from tests.witness.source.edits import ARCHES, TREE, checked, some_edits
from tests.witness.source.watched import Watched

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
        holding = held_parts.HeldParts(kept, items, live, PartDigests(lines), lines)
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


def test_an_edit_of_who_is_no_call_of_the_mode_s_api_has_the_api_that_was_kept(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who never names the mode was not looked at when the API was derived."""
    files = edited("mm/memory.c", b"next = ", b"barrier();\n\t\tnext = ")
    cold = checked(files, None)

    def derived(*_: object) -> None:
        raise AssertionError("the API is derived again")

    monkeypatch.setattr(own_api, "derive", derived)
    assert checked(files, store) == cold


LOOPS = "mm/right_loops.c"


def in_a_section(statement: bytes) -> dict[str, bytes]:
    """A file with a statement more at the beginning of its first section."""
    begin = b"lazy_mmu_mode_enable();\n"
    return edited(LOOPS, begin, begin + b"\t" + statement + b"\n")


@pytest.mark.parametrize(
    "statement",
    [b"cond_resched();", b"lazy_mmu_mode_enable();", b"barrier(); kmalloc(8, GFP_KERNEL);"],
)
def test_an_edit_that_brings_a_finding_has_walked_again_what_it_touches(
    store: Path, tmp_path: Path, watched: Watched, statement: bytes
) -> None:
    """All that has read nothing of it is taken over, and the whole comes to what it comes to.

    What was walked to see whether all holds is not walked once more.
    """
    files = in_a_section(statement)
    cold = checked(files, None)
    assert not watched.own
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == cold
    assert watched.own[True] > 10 * watched.own[False]
    assert watched.roots[True] - watched.again > watched.again + watched.roots[False] > 0


def test_what_is_put_in_the_place_of_a_scope_s_end_is_read_by_who_has_the_scope(
    store: Path, tmp_path: Path
) -> None:
    """Whoever holds something by a cleanup function is walked again when that has changed."""
    old = b"if (*begun)\n"
    files = edited("mm/wrong_guard.c", old, b"arch_leave_lazy_mmu_mode();\n\t" + old)
    assert checked(files, shutil.copytree(store, tmp_path / "store")) == checked(files, None)


def test_what_was_taken_over_is_kept_as_if_it_had_been_computed(
    store: Path, tmp_path: Path, watched: Watched
) -> None:
    """After an edit, one that changes nothing begins nothing anew, and the next costs as little."""
    copied = shutil.copytree(store, tmp_path / "store")
    one = in_a_section(b"cond_resched();")
    cold, base = checked(one, None), checked({}, None)
    assert checked(one, copied) == cold
    begun = watched.begun
    assert checked({LOOPS: one[LOOPS] + b"\n/* the end */\n"}, copied) == cold
    assert checked({}, copied) == base
    assert watched.begun == begun
    again = {LOOPS: one[LOOPS].replace(b"cond_resched();", b"msleep(1);", 1)}
    cold = checked(again, None)
    watched.own.clear()
    assert checked(again, copied) == cold
    assert watched.own[True] > 10 * watched.own[False]


def test_a_word_that_is_followed_now_and_stands_in_a_macro_lets_nothing_be_taken_over(
    tmp_path: Path, watched: Watched
) -> None:
    """What a macro is read as hangs on the words that are followed."""
    header = (TREE / "include/linux/pgtable.h").read_bytes()
    macro = b"\n#define maybe_copy(x) do { if (x) copy_some(x); } while (0)\n"
    some = b"\nvoid copy_some(int x)\n{\n\tbarrier();\n}\n"
    begins = some.replace(b"\tbarrier();", b"\tif (x > 2)\n\t\tlazy_mmu_mode_enable();")
    source = (TREE / "mm/memory.c").read_bytes()
    base = {"include/linux/pgtable.h": header + macro, "mm/memory.c": source + some}
    changed = {**base, "mm/memory.c": source + begins}
    alone = {"mm/memory.c": source + some}, {"mm/memory.c": source + begins}
    checked(alone[0], tmp_path)
    checked(alone[1], tmp_path)
    assert watched.own[True]
    checked(base, tmp_path)
    cold = checked(changed, None)
    watched.own.clear()
    assert checked(changed, tmp_path) == cold
    assert not watched.own


def test_with_a_macro_that_could_not_be_followed_nothing_is_taken_over(
    tmp_path: Path, watched: Watched
) -> None:
    """Who comes to it tells it as a loss, and has to come to it again."""
    made = b"static inline void x##_do(void) { barrier(); }"
    grown = (b"#define G%d(x) " % n + b"G%d(x) " % (n - 1) * 16 for n in range(1, 6))
    maker = b"\n".join([b"#define G0(x) " + made, *grown, b"G5(grown)", b""])
    text = (TREE / LOOPS).read_bytes()
    head = text.index(b"\n", text.rfind(b"#include")) + 1
    begin = b"lazy_mmu_mode_enable();\n"
    calling = text[head:].replace(begin, begin + b"\tgrown_do();\n", 1)
    base = {LOOPS: text[:head] + maker + calling}
    edit = {LOOPS: base[LOOPS].replace(b"\tgrown_do();\n", b"\tgrown_do();\n\tmsleep(1);\n", 1)}
    checked(base, tmp_path)
    cold = checked(edit, None)
    assert "its macros come to more than" in repr(cold)
    assert checked(edit, tmp_path) == cold
    assert not watched.own


def test_what_is_taken_over_asks_texts_only_what_is_carried_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All other questions are asked again by an analysis that begins anew."""
    inside, asked = [0], set()
    unit, check = Reads.unit, Asked.check

    def counted(self: Reads, item: Any, compute: Callable[[], Any]) -> Any:
        inside[0] += item[0] in ("own", "root")
        try:
            return unit(self, item, compute)
        finally:
            inside[0] -= item[0] in ("own", "root")

    def seen(self: Asked, kind: str, file: str, what: str, found: object) -> None:
        if inside[0]:
            asked.add(kind)
        check(self, kind, file, what, found)

    monkeypatch.setattr(Reads, "unit", counted)
    monkeypatch.setattr(Asked, "check", seen)
    for tree in ("linux-new", "linux-old"):
        lazymmu.check(TREE.parent / tree, arches=ARCHES, jobs=1, cache_dir=tmp_path)
    assert asked
    assert asked <= ASKED_BY_PARTS


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
