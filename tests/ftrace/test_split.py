# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of the usual form are read at once, and as they are one by one."""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.ftrace.runs import lines_of
from lazymmu.ftrace.trace import read

RECORDINGS = sorted((Path(__file__).parents[2] / "examples" / "trace").glob("*.gz"))
LATENCY = [path for path in RECORDINGS if ".latency." in path.name]
EXAMPLES = [path for path in RECORDINGS if path not in LATENCY]
_TIME = re.compile(rb" +(\d+)(\.\d{6}: )")


def uptime(text: bytes, seconds: int) -> bytes:
    """The same trace, of a machine that began so much earlier."""

    def later(found: re.Match[bytes]) -> bytes:
        return b" %5d%s" % (int(found[1]) + seconds, found[2])

    return _TIME.sub(later, text)


def agree(text: bytes) -> tuple[int, int, int]:
    """Read all lines at once and each alone; how many were usual, how many not, and the width."""
    usual = unusual = wide = 0
    for lines in read("-", io.BytesIO(text)).lines():
        lines.sniff()
        runs = lines.runs()
        number = lines.first
        for passed, key, *told, line in runs:
            assert not passed
            some = [pair for pair in zip(told[::2], told[1::2], strict=True) if pair[0]]
            for stamp, words in some or [(b"", b"")]:
                at = lines.at(number)
                assert key or lines.text(at) + b"\n" == line
                if key and (known := lines.meet(key)) is not None:
                    usual += 1
                    found = lines.parts(at)
                    assert found is not None
                    assert found == (known, stamp.strip(), words)
                elif not line.startswith((b" =>", b"#")):
                    unusual += 1
                    lines.other(number)
                number += 1
        wide = lines.wide
    return usual, unusual, wide


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize(("seconds", "wide"), [(0, 13), (99_000, 13), (8_000_000, 15)])
def test_a_line_is_the_same_among_others_and_alone(path, seconds, wide):
    """Also after a day and after three months, when times are wider."""
    text = uptime(gzip.decompress(path.read_bytes()), seconds)
    twice = text + text  # what the first block teaches holds for the next
    while len(twice) < 5 << 20:
        twice += text
    usual, unusual, found = agree(twice)
    assert found == wide
    assert usual > 2 * unusual


@pytest.mark.parametrize("path", LATENCY, ids=lambda path: path.name)
def test_lines_of_the_latency_format_are_read_one_by_one(path):
    """Their times have no seconds, so that none of them has the usual form."""
    usual, unusual, _ = agree(gzip.decompress(path.read_bytes()))
    assert usual == 0
    assert unusual > 0


@given(st.lists(st.sampled_from([
    b"            wl-573     (    573) [001] d..2.   475.487820: f <-g",
    b"            wl-573     (    573) [001] d..2. 147500.487820: f <-g",
    b"            wl-4194303 (    573) [001] d..2.   475.487820: f <-g",
    b"          <idle>-0       (-------) [000] d..2.  1650.282185: f <-g",
    b"            wl-573     (    573) [001] d..2. 475487820: f <-g",
    b"            wl-573     (    573) [0012] d..2.   475.487820: f <-g",
    b" => frame", b"=> frame", b"", b"CPU:1 [LOST 3 EVENTS]", b"##### CPU 1 buffer started ####",
    b"x" * 80,
])))  # fmt: skip
def test_any_mixture_is_read_the_same_way(some):
    """Any mixture of lines is read the same way, whatever came first."""
    text = b"# tracer: function\n" + b"\n".join([*some, b""])
    if any(line and b"-" in line for line in some):
        agree(text)


NOISE = [
    b"            wl-573     (    573) [001] d..2.   475.487821: xen_mmu_set_pte: ptep 1",
    b"            wl-573     (    573) [001] d..2.   475.487822: kmalloc: call_site=f",
    b"            wl-573     (    573) [001] d..2.   475.487823: other <-wanted_too",
]
WANTED = [
    b"            wl-573     (    573) [001] d..2.   475.487824: wanted <-f",
    b"            wl-573     (    573) [001] d..2.   475.487825: note: wanted",
    b" => wanted",
    b"CPU:1 [LOST 3 EVENTS]",
]


@given(
    st.lists(st.tuples(st.sampled_from(NOISE), st.integers(1, 40)), max_size=12),
    st.lists(st.sampled_from(WANTED), max_size=8),
    st.randoms(use_true_random=False),
)
def test_no_line_that_is_looked_for_is_passed_over(noise, wanted, random):
    """Whatever floods a trace, each line that holds a word that is looked for has its number."""
    some = [line for line, times in noise for _ in range(times)] + wanted
    random.shuffle(some)
    text = b"# tracer: function\n" + NOISE[0] + b"\n" + b"".join(line + b"\n" for line in some)
    for lines in read("-", io.BytesIO(text)).lines([b"wanted"]):
        given_out = {number: lines.text(lines.at(number)) for number in lines.numbers()}
        counted = sum(run[0].count(b"\n") + lines_of(run) for run in lines.runs())
        assert lines.first + counted == lines.next_line
    expected = {n: line for n, line in enumerate(some, 3) if b"wanted" in line or b"LOST" in line}
    held = {n: line for n, line in given_out.items() if n in expected}
    # A function that is called from one that is looked for may be passed over: it is no such line.
    assert {n: line for n, line in expected.items() if b"wanted_too" not in line}.items() <= {
        *held.items()
    }
