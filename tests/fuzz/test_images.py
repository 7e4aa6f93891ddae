# SPDX-License-Identifier: GPL-2.0-or-later
"""Any bytes as an image of a kernel, as its types, or as an archive of a recording."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import pytest

from lazymmu.ftrace.archive import member
from lazymmu.ftrace.record import TraceError
from lazymmu.image.btf import Btf, CounterLayout, counters
from lazymmu.image.code import code_of
from lazymmu.image.elf import ElfFile
from lazymmu.image.error import ImageError
from lazymmu.image.sites import find_sites
from tests import images
from tests.images import ARM64, BEGIN, EC, END, PC, PID, Image

from .mutated import fuzz, mutated

IMAGES = [
    Image([("copy", BEGIN), ("zap", END)]).build(),
    Image([("f", ARM64)], arch="arm64").build(),
    Image([("f", images.powerpc(">"))], arch="powerpc", order=">").build(),
    Image([("f", BEGIN)], module="m").build(),
]
TYPES = [images.types(), images.types(">"), images.types(circle=True)]


def archive() -> bytes:
    """A tar with a trace behind another member."""
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (("release", b"7.3\n"), ("trace", b"# tracer: nop\n")):
            one = tarfile.TarInfo(name)
            one.size = len(content)
            tar.addfile(one, io.BytesIO(content))
    return out.getvalue()


@fuzz(content=mutated(IMAGES))
def test_any_image_is_read_or_refused(content: bytes) -> None:
    """Cut tables, wild offsets and counts end in a sentence, in bounded time and memory."""
    with contextlib.suppress(ImageError):
        file = ElfFile(io.BytesIO(content))
        types = file.section(".BTF")
        if types is not None:
            with contextlib.suppress(ImageError):
                counters(Btf(file.content(types)))
        find_sites(code_of(file, "made"), CounterLayout(PID, EC, PC, 1))


@fuzz(content=mutated(TYPES))
def test_any_types_are_read_or_refused(content: bytes) -> None:
    """Types that go round in circles or are cut end in a sentence."""
    with contextlib.suppress(ImageError):
        counters(Btf(content))


@fuzz(content=mutated([archive()]))
def test_any_archive_gives_its_trace_or_a_reason(content: bytes) -> None:
    """What a header says of sizes is not believed."""
    with contextlib.suppress(TraceError, EOFError):
        member("made", io.BytesIO(content)).read()


def circles() -> Iterator[bytes]:
    """Types that refer to themselves, through names and through nameless parts."""
    import struct

    names = b"\0task_struct\0"
    for kind in (8, 4):
        inner = struct.pack("<III", 0, kind << 24 | (3 if kind == 4 else 0), 1)
        inner += struct.pack("<III", 0, 1, 0) * (3 if kind == 4 else 0)
        task = struct.pack("<III", 1, 4 << 24 | 1, 8) + struct.pack("<III", 0, 1, 0)
        body = inner + task
        yield (
            struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(names))
            + body
            + names
        )


@pytest.mark.parametrize("content", list(circles()))
def test_types_in_circles_come_to_an_end(content: bytes) -> None:
    """A structure that is its own nameless part has more members than may be looked at."""
    with pytest.raises(ImageError):
        counters(Btf(content))
