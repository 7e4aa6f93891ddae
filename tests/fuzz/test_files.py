# SPDX-License-Identifier: GPL-2.0-or-later
"""Any text as a file of the user's: suppressions, baseline, events, litmus, trace, cache."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import cast

from hypothesis import strategies as st

from lazymmu.contract import eventlist
from lazymmu.contract.dialects import DIALECTS
from lazymmu.contract.monitor import Runtime
from lazymmu.contract.rules import RULES
from lazymmu.ftrace import trace
from lazymmu.ftrace.record import TraceError
from lazymmu.litmus.error import LitmusError
from lazymmu.litmus.read import read
from lazymmu.problem import Problem
from lazymmu.snapshot.tree import Tree, TreeError
from lazymmu.verbs import baseline, configuration, suppressions
from lazymmu.witness.finding import CheckResult
from lazymmu.witness.source import result_cache
from lazymmu.witness.source.check import check

from .mutated import EXAMPLES, ROOT, fuzz, mutated, seeds

SUPPRESSIONS = [
    b'[[suppress]]\nrule = "sleep-in-section"\nfile = "mm/*.c"\nreason = "it never does"\n',
    b'[[suppress]]\nfingerprint = "0123456789abcdef"\nreason = """two\nlines"""\n\n'
    b'[[suppress]]\nrule="x"\n',
    b"suppress = [ { rule = 'a', function = 'f', reason = 'r' } ]\na.b.c = 1\n"
    b"d = 1979-05-27T07:32:00Z\n",
]
EVENTS = seeds("**/*.events", below=ROOT) or [
    b"a: enable at=mm/a.c:3\nwrite pte space=user\nflush\ndisable # expect: stale-read\n"
]
LITMUS = seeds("**/*.litmus", below=ROOT / "src", most=4000)
TRACES = [
    b"# tracer: nop\n#\n a-1     [000] d..1.    12.345678: sched_switch: prev_comm=a "
    b"prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=b next_pid=2 next_prio=120\n"
    b" b-2 [001] .....   13.000001: xen_mc_batch: lazy\n"
    b"CPU:1 [LOST 12 EVENTS]\n b-2     [001] d..1.    14.345678: kernel_stack: <stack trace >\n"
    b" => a\n => b\n",
    *seeds("**/data/*", below=ROOT / "tests" / "witness_trace", most=6000),
]

VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@fuzz(
    text=mutated(
        SUPPRESSIONS,
        (b"[[suppress]]\n", b"a.b.", b"'''", b'"""', b"{ a = ", b"[", b"1e999", b"nan"),
    )
)
def test_any_suppressions(text: bytes) -> None:
    """They are read, or SuppressionError says why not."""
    try:
        for entry in suppressions.read(text, "s.toml", RULES):
            str(entry)
    except suppressions.SuppressionError as error:
        assert "\n" not in str(error).strip()


@fuzz(
    text=mutated(
        [
            b'arches = ["x86"]\nfail-on = "hurts"\nmin-confidence = "high"\nformat = "gcc"\n',
            b'baseline = "b.json"\nsuppressions = "s.toml"\n' + SUPPRESSIONS[0],
        ],
        (b"[[suppress]]\n", b"arches", b"baseline", b"'../x'", b"'/dev/zero'", b"'s.toml/'", b"="),
    )
)
def test_any_configuration(text: bytes) -> None:
    """It is read, or Problem says why not, in one line; nothing that it names is waited for."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, ".lazymmu.toml")
        file.write_bytes(text)
        try:
            configuration.read(str(file)).told()
        except Problem as problem:
            assert "\n" not in str(problem).strip()


@fuzz(
    text=mutated(
        [
            baseline.write([], [("mm/a.c", "f", "not built")], ["x86"], "7.3").encode(),
            b'{"kind": "lazymmu-baseline", "format": 1, "findings": '
            b'[{"fingerprint": "0123456789abcdef"}]}',
        ],
        (b"[", b"{", b"null", b"NaN", b'"a":'),
    )
)
def test_any_baseline(text: bytes) -> None:
    """It is read, or BaselineError says why not."""
    with contextlib.suppress(baseline.BaselineError):
        baseline.read(text, "b.json")


@fuzz(
    text=mutated(
        EVENTS,
        (
            b"enable",
            b"disable",
            b"write ",
            b"at=",
            b"entry=",
            b"space=kernel",
            b"=no",
            b"# expect: ",
        ),
    )
)
def test_any_event_list(text: bytes) -> None:
    """It is read and judged, or EventListError says why not."""
    with contextlib.suppress(eventlist.EventListError):
        listed = eventlist.parse(text.decode("utf-8", "replace"), "e.events")
        eventlist.judge(listed, Runtime(list(RULES.values()), DIALECTS[next(iter(DIALECTS))]))


@fuzz(
    text=mutated(
        TRACES,
        (b"[LOST ", b" => ", b"sched_switch: ", b"prev_pid=", b"0" * 30, b": ", b"[999999999] "),
    )
)
def test_any_trace(text: bytes) -> None:
    """Its records are read, or TraceError says why not."""
    with contextlib.suppress(TraceError):
        for record in trace.read("t", io.BytesIO(text)):
            assert record is not None


@fuzz(
    text=mutated(TRACES),
    wrapper=st.sampled_from(
        (b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"\x17\x08\x44tracing")
    ),
)
def test_any_packed_trace(text: bytes, wrapper: bytes) -> None:
    """What looks packed, or like a trace.dat, and is not: TraceError says so."""
    with contextlib.suppress(TraceError):
        list(trace.read("t", io.BytesIO(wrapper + text)))


@fuzz(
    25,
    value=VALUES,
)
def test_a_check_with_any_values_in_its_cache(value: object) -> None:
    """Whatever stands in the cache, the answer is that of a check without one."""
    poison = json.dumps(value, default=repr).encode()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o700)
        first = check(EXAMPLES / "linux-old", arches=["x86"], jobs=1, cache_dir=folder)
        for file in Path(folder).rglob("*"):
            if file.is_file() and file.read_bytes()[:6] == b"SQLite":
                _poison(file, poison)
        try:
            again = check(EXAMPLES / "linux-old", arches=["x86"], jobs=1, cache_dir=folder)
        except TreeError:
            return
    assert again.findings == first.findings


class _Holds:
    """A store that has one value under every key."""

    def __init__(self, value: object) -> None:
        self.value = value

    def get(self, kind: str, key: str) -> object | None:
        """The value."""
        return self.value

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep nothing."""


@fuzz(value=VALUES)
def test_any_kept_result(value: object) -> None:
    """It is a result of the right shape, or none."""
    tree = Tree.open(EXAMPLES / "linux-old")
    for kept in (value, [value, {}]):
        store = cast("result_cache.Store", _Holds(kept))
        found = result_cache.recall(store, "k", CheckResult, tree)
        assert found is None or isinstance(found, CheckResult)


def _poison(file: Path, value: bytes) -> None:
    with sqlite3.connect(file) as base:
        for (table,) in base.execute(
            "select name from sqlite_master where type = 'table'"
        ).fetchall():
            columns = [row[1] for row in base.execute(f'pragma table_info("{table}")')]
            base.execute(f'update "{table}" set "{columns[-1]}" = ?', (value,))
    base.close()


@fuzz(
    text=mutated(
        LITMUS, (b"task a:\n", b"    ", b"\t", b"expect ", b'"', b"- ", b": ", b"entries ")
    )
)
def test_any_litmus_file(text: bytes) -> None:
    """It is read, or LitmusError says why not, with a place."""
    try:
        read(text.decode("utf-8", "replace"), "a.litmus", operations={"x": "x"})
    except LitmusError as error:
        assert str(error)
