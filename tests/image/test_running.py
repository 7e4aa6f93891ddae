# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel that runs, read from a folder that looks like its files."""

from __future__ import annotations

import struct

import pytest

from lazymmu.image.error import ImageError
from lazymmu.image.running import hidden_places
from lazymmu.problem import Problem
from lazymmu.verbs.probes import ProbesRequest, find_probes
from tests import images
from tests.images import BEGIN, END, TEXT, Image

CODE = BEGIN.ljust(32, b"\x90") + END.ljust(32, b"\x90")
BASE = TEXT + 0x12000000  # as KASLR moves it


@pytest.fixture
def root(tmp_path):
    """A root folder: symbols, types, and memory as a core file with two pieces."""
    for folder in ("proc", "sys/kernel/btf", "boot"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "sys/kernel/btf/vmlinux").write_bytes(images.types())
    (tmp_path / "proc/kallsyms").write_text(
        f"0000000000000000 A fixed_percpu_data\n{BASE:016x} T _text\n{BASE:016x} T _stext\n"
        f"{BASE:016x} T begins\n{BASE + 32:016x} t ends\n{BASE + 64:016x} T _etext\n"
        f"{BASE + 4096:016x} t elsewhere\t[mod]\n"
    )
    head = bytearray(64)
    head[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<Q", head, 32, 64)
    struct.pack_into("<HH", head, 54, 56, 2)
    other = struct.pack("<IIQQQQQQ", 1, 7, 176, 0x1000, 0, 16, 16, 4096)
    text = struct.pack("<IIQQQQQQ", 1, 7, 192, BASE - 16, 0, 16 + len(CODE), 96, 4096)
    core = bytes(head) + other + text + bytes(16) + bytes(16) + CODE
    (tmp_path / "proc/kcore").write_bytes(core)
    return tmp_path


def asked(root) -> ProbesRequest:
    """A request for that kernel."""
    return ProbesRequest(machine="x86_64", release="7.3.4-made", root=root)


def test_the_running_kernel_needs_no_package(root):
    """Its memory, symbols and types are enough, wherever KASLR has put it."""
    answer = find_probes(asked(root))
    assert [one.place for one in answer.found[0].probes] == [
        "begins+0x0",
        "begins+0x9",
        "ends+0x13",
    ]
    assert answer.origin == "the running kernel"


def test_without_its_memory_an_image_of_its_release_does(root):
    """The usual places of images are looked at."""
    (root / "proc/kcore").unlink()
    with pytest.raises(Problem, match="--vmlinux FILE"):
        find_probes(asked(root))
    path = root / "boot/vmlinux-7.3.4-made"
    path.write_bytes(Image([("begins", BEGIN)]).build())
    assert find_probes(asked(root)).origin == str(path)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("proc/kallsyms", b"0000000000000000 T _stext\n", "this needs root"),
        ("proc/kallsyms", b"f T _stext\n0000000000000001 T _etext\n", "begins and ends"),
        ("proc/kcore", b"no core", "no 64-bit ELF file"),
        ("proc/kcore", b"\x7fELF\x02\x01" + bytes(58), "does not hold the kernel's code"),
        ("sys/kernel/btf/vmlinux", images.types(state=False), "has no lazy_mmu_state"),
    ],
)
def test_what_the_kernel_keeps_back_is_said(root, file, content, sentence):
    """Hidden addresses, a lockdown and kernels without counters are a sentence each."""
    (root / file).write_bytes(content)
    with pytest.raises(Problem, match=sentence):
        find_probes(asked(root))


def test_a_release_that_is_a_path_is_not_looked_for(root):
    """What uname says is a name, and leads nowhere else."""
    from lazymmu.image.running import image_of

    assert image_of("../../etc/x", root) is None
    assert issubclass(ImageError, Exception)


def test_probes_of_others_hide_what_is_beneath_them(root):
    """Those within a function are counted; one where ftrace has its own hides none."""
    assert hidden_places(root) == 0
    folder = root / "sys/kernel/debug/kprobes"
    folder.mkdir(parents=True)
    (folder / "list").write_text(
        "ffffffff90b32fa8  k  madvise_free_pte_range+0x328    [OPTIMIZED]\n"
        "ffffffff90a963ce  k  xfs_x+0x49e  xfs  [DISABLED]\n"
        "ffffffff90a963d0  k  do_exit+0x0    [FTRACE]\n"
        "ffffffff90a963d8  k  do_exit+0x4    [FTRACE]\n"
        "ffffffff90a963e0  r  do_fork+0x10    \n"
    )
    assert hidden_places(root) == 2
