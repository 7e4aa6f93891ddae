# SPDX-License-Identifier: GPL-2.0-or-later
"""Archives of recordings: of one that is cut or damaged, what is left is read, and said to be."""

from __future__ import annotations

import io
import random
from itertools import count
from pathlib import Path

import pytest

from lazymmu.ftrace.record import TraceError
from lazymmu.ftrace.streams import zstd_module
from lazymmu.tracing.archive import write_archive
from lazymmu.witness.trace.check import check_trace

HEAD = "Linux localhost 7.3.4 x86_64\n# tracer: nop\n#\n#P:1\n"
SECTIONS = 250


def recorded() -> bytes:
    """A task with sections, as probes at the instructions show them; then it ends."""
    at = count(1)
    lines = []
    for number in range(SECTIONS):
        for event, enabled in (("ge1", 0), ("en2", 0), ("di3", 1)):
            said = f"{event}: (zap_{number * 7919:x}+0x4/0x40) pid=90 ec={enabled} pc=0"
            lines.append(f"              sh-90      [000] ...1.    10.{next(at):06}: {said}")
    lines.append(
        f"              sh-90      [000] ...1.    10.{next(at):06}: "
        "ex: (__probestub_sched_process_exit+0x4/0x20) pid=90 ec=0 pc=0"
    )
    return (HEAD + "\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module", params=[".tar.zst", ".tar.gz"])
def archive(request, tmp_path_factory) -> bytes:
    """An archive as `lazymmu record` writes it."""
    if request.param == ".tar.zst" and zstd_module() is None:
        pytest.skip("this Python has no zstd")
    path = tmp_path_factory.mktemp("archive") / f"made{request.param}"
    write_archive(str(path), io.BytesIO(recorded()), {"release": b"7.3.4\n"})
    return Path(path).read_bytes()


def test_a_whole_archive_is_judged(archive):
    """The other members are passed over."""
    watched = check_trace("made", io.BytesIO(archive))
    assert (watched.seen.sections, watched.violations, watched.ended) == (SECTIONS, (), "")
    assert watched.conclusive


def test_wherever_a_small_archive_is_cut_the_answer_is_open(archive):
    """What is left is judged; never is it clean, and never the end of the program."""
    sections = []
    step = max(len(archive) // 100, 1)
    for size in range(0, len(archive), step):
        try:
            watched = check_trace("made", io.BytesIO(archive[:size]))
        except TraceError as error:
            assert "\n" not in str(error)
            continue
        assert (watched.conclusive, watched.violations) == (False, ())
        assert watched.ended
        sections.append(watched.seen.sections)
    assert sections == sorted(sections)
    assert len(sections) > 30
    assert any(0 < number < SECTIONS for number in sections)


def test_a_bit_that_is_wrong_is_seen(archive):
    """By the checksum, if by nothing else, so that no answer that is clean comes of it."""
    chance = random.Random(1)
    for _ in range(40):
        damaged = bytearray(archive)
        # The header of gzip has the time, and zstd's nothing, that no checksum is over.
        damaged[chance.randrange(20, len(damaged))] ^= 1 << chance.randrange(8)
        try:
            watched = check_trace("made", io.BytesIO(bytes(damaged)))
        except TraceError as error:
            assert "\n" not in str(error)
            continue
        assert watched.ended
        assert not watched.conclusive
