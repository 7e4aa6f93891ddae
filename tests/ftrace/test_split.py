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
        for number, (key, stamp, words, line) in lines.split():
            at = lines.at(number)
            assert key or lines.text(at) == line
            if key and (known := lines.meet(key)) is not None:
                usual += 1
                found = lines.parts(at)
                assert found is not None
                assert found == (known, stamp.strip(), words)
            elif not line.startswith((b" =>", b"#")):
                unusual += 1
                lines.other(number)
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
