# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu probes --vmlinux` and `--running`: events at instructions."""

from __future__ import annotations

import lzma

import pytest

from tests import images
from tests.images import BEGIN, END, Image


@pytest.fixture
def vmlinux(tmp_path):
    """An image with a begin and an end of a section."""
    path = tmp_path / "vmlinux"
    path.write_bytes(Image([("copy_page_range", BEGIN), ("zap", END)]).build())
    return path


def test_events_and_comments_are_printed(run, vmlinux):
    """Every line is an event or a comment, so that it goes into dynamic_events as it is."""
    ran = run("probes", "--vmlinux", vmlinux)
    assert (ran.code, ran.err) == (0, "")
    assert "# Linux 7.3.4-made x86: 5 instructions" in ran.out
    events = [line for line in ran.out.splitlines() if not line.startswith("#")]
    assert [line.split()[1] for line in events] == [
        "copy_page_range+0x0",
        "copy_page_range+0x9",
        "zap+0x13",
    ]


def test_a_packed_module_goes_with_its_kernel(run, vmlinux, tmp_path):
    """Numbers of events go on, so that each name is there once."""
    module = tmp_path / "own.ko.xz"
    module.write_bytes(lzma.compress(Image([("f", BEGIN)], module="own", types=None).build()))
    ran = run("probes", "--vmlinux", vmlinux, "--module", module)
    assert "p:lazymmu/en2 own:f+0x9 " in ran.out


def test_an_image_without_such_instructions_is_no_success(run, tmp_path):
    """Nothing to probe ends with 3 and says so."""
    path = tmp_path / "vmlinux"
    path.write_bytes(Image([("f", b"\xc3")]).build())
    ran = run("probes", "--vmlinux", path)
    assert ran.code == 3
    assert "no instruction touches a task's counters" in ran.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is no ELF file"),
        (b"\x7fELF\x02\x01", "it is no 64-bit ELF file"),
        (b"MZ" + b"\0" * 99, "it is a packed kernel"),
        (Image([("f", BEGIN)], types=None).build(), "it has no types"),
        (Image([("f", BEGIN)], stripped=True).build(), "it has no symbols"),
        (Image([("f", BEGIN)], types=images.types(state=False)).build(), "has no lazy_mmu_state"),
        (Image([("f", BEGIN)], types=images.types(circle=True)).build(), "no integers of one"),
        (Image([("f", BEGIN)], types=images.types(width=4)).build(), "4 bytes each"),
        (Image([("f", BEGIN)], types=images.types()[:90]).build(), "are cut"),
        (Image([("f", BEGIN)], types=images.types()[:30]).build(), "are cut"),
        (Image([("f", BEGIN)], module="m").build(), "it is a module"),
        (Image([("f", BEGIN)]).build()[:-70], "it is cut"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(run, tmp_path, content, sentence):
    """Cut files, foreign types and other kernels end with 2 and the reason."""
    path = tmp_path / "vmlinux"
    path.write_bytes(content)
    ran = run("probes", "--vmlinux", path)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1


def test_a_module_needs_its_kernel(run, tmp_path):
    """The offsets are the kernel's: a module alone has none."""
    ran = run("probes", "--module", tmp_path / "x.ko")
    assert ran.code == 2
    assert "--module needs the kernel it belongs to" in ran.err
