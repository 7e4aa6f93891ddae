# SPDX-License-Identifier: GPL-2.0-or-later
"""Values that were kept and then changed: whatever they are, a run gives its answer."""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazymmu
from lazymmu.kernelc.arch_profile import PROFILES
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.report.check import json as json_report
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.selection import CheckOutcome

OLD = Path(__file__).parents[2] / "examples/linux-old"

NAMES = (
    "zap_pte_range",
    "copy_pte_range",
    "arch_enter_lazy_mmu_mode",
    "set_ptes",
    "pte_offset_map",
)

KINDS = {
    "config", "config:inputs", "config:value", "contents", "names-3", "walk", "walk:inputs",
    "walk:value",
}  # fmt: skip


class Held:
    """A cache in memory."""

    def __init__(self, values: dict[tuple[str, str], Any] | None = None) -> None:
        self.values = values or {}

    def get(self, kind: str, key: str) -> object | None:
        """The value itself, or None."""
        return self.values.get((kind, key))

    def get_many(self, kind: str, keys: Iterable[str]) -> Mapping[str, object]:
        """Those that there are."""
        return {key: self.values[kind, key] for key in keys if (kind, key) in self.values}

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep what JSON makes of it."""
        self.values[kind, key] = json.loads(json.dumps(value))

    def put_many(self, kind: str, values: Mapping[str, object]) -> None:
        """Keep several."""
        for key, value in values.items():
            self.put(kind, key, value)


def answer(store: Held | None) -> object:
    """Much of what a view of the tree says."""
    view = ConfiguredTree(Tree.open(OLD), PROFILES["x86"], cache=store)
    found = [item for name in NAMES for item in view.definitions(name)]
    return (
        view.built,
        view.headers.files,
        [[item.name for item in view.functions(rel)] for rel in view.built],
        [(item.name, item.file, item.line, item.presence) for item in found],
        [view.text(item) for item in found],
        [view.macro(name) for name in ("PAGE_SIZE", "PTRS_PER_PTE", "pte_index")],
        [sorted(view.headers.inclusions.sources(rel)) for rel in view.built],
        view.config.value("XEN_PV"),
        view.loops,
    )


@cache
def plain() -> object:
    """The answer without a cache."""
    return answer(None)


@cache
def kept() -> dict[tuple[str, str], Any]:
    """What a run keeps."""
    store = Held()
    assert answer(store) == plain()
    assert {kind for kind, _ in store.values} == KINDS
    assert answer(Held(copy.deepcopy(store.values))) == plain()
    return store.values


def deep(depth: int) -> list[Any]:
    """A list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


STRANGE: list[Any] = [
    None, True, False, -1, 0, 7, 2**31, 2**63, 10**4000, -(10**400), 0.5,
    float("nan"), float("inf"), "", "x", "\ud800", "../../../etc/passwd", "/etc/passwd", "\0",
    "9" * 5000, "-1", "\u0663", "x" * 10_000, [], {}, [None], [[]],
    [-1], {"": None}, {"x": []}, deep(300), deep(5000),
]  # fmt: skip


NUMBER = st.integers(0, 10**6)
"""Picks one of a list whose length is nobody's choice, modulo that."""


def mutated(value: Any, data: st.DataObject) -> tuple[Any, bool]:
    """Change one place of a value; also whether that place has a value of another type now."""
    value = copy.deepcopy(value)
    holder: Any = [value]
    place: Any = 0
    while isinstance(holder[place], (list, dict)) and holder[place]:
        if place != 0 and data.draw(st.integers(0, 4)) == 0:
            break
        holder = holder[place]
        places = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        place = data.draw(st.sampled_from(places))
    if data.draw(st.booleans()):
        strange = data.draw(st.sampled_from(STRANGE))
        swapped = type(strange) is not type(holder[place])
        holder[place] = strange
        return value, swapped
    if holder is not value and data.draw(st.booleans()) and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[place]))
    else:
        del holder[place]
    return value, False


@given(data=st.data())
@settings(max_examples=150)
def test_a_kept_value_of_another_shape_is_a_miss(data: st.DataObject) -> None:
    """Nothing raises or hangs; where a type is wrong, the answer is that without a cache."""
    values = dict(kept())
    which = data.draw(st.sampled_from(sorted(values)))
    values[which], swapped = mutated(values[which], data)
    found = answer(Held(values))
    if swapped:
        assert found == plain()


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A cache that knows the tree, and the report of it."""
    directory = tmp_path_factory.mktemp("used")
    return directory, report(directory)


def report(directory: Path | None) -> str:
    """All that a check says, as a user's program reads it."""
    result = lazymmu.check(OLD, arches=["x86"], jobs=1, cache_dir=directory)
    return json_report.render([CheckOutcome(result)])


@given(data=st.data())
@settings(max_examples=25)
def test_a_file_changed_anywhere_is_a_miss(used: tuple[Path, str], data: st.DataObject) -> None:
    """Bytes of a value that are not those that were written change no answer."""
    directory, expected = used
    with Cache(directory) as store, sqlite3.connect(store._path) as connection:
        rows = connection.execute(
            "SELECT kind, key, value FROM entry ORDER BY kind, key"
        ).fetchall()
        kind, key, value = rows[data.draw(NUMBER) % len(rows)]
        at = data.draw(NUMBER) % len(value)
        other = data.draw(st.binary(max_size=4))
        connection.execute(
            "UPDATE entry SET value = ? WHERE kind = ? AND key = ?",
            (value[:at] + other + value[at + 1 :], kind, key),
        )
    connection.close()
    assert report(directory) == expected


@given(data=st.data())
@settings(max_examples=25)
def test_a_result_of_another_shape_is_a_miss(used: tuple[Path, str], data: st.DataObject) -> None:
    """A forged result raises nothing, and with a wrong type in it there is none."""
    directory, expected = used
    with Cache(directory) as store:
        with sqlite3.connect(store._path) as connection:
            keys = connection.execute("SELECT key FROM entry WHERE kind = 'result'").fetchall()
        connection.close()
        good = {key: store.get("result", key) for (key,) in keys}
        for key, value in good.items():
            forged, swapped = mutated(value, data)
            try:
                store.put("result", key, forged)
            except (ValueError, RecursionError):  # what JSON cannot hold cannot be put there
                swapped = True
        found = report(directory)
        assert found == expected or not swapped
        store.put_many("result", good)
