# SPDX-License-Identifier: GPL-2.0-or-later
"""A hypervisor is read from a package, packed or plain, and what is none is said to be none."""

from __future__ import annotations

import gzip
import struct

import pytest

from lazymmu.lab.hypervisor import read_hypervisor
from lazymmu.problem import Problem
from tests.lab.test_kernel import package

XEN = b"\x7fELF" + bytes(60) + struct.pack("<I", 0x1BADB002) + bytes(4000)


def test_a_hypervisor_is_unpacked(tmp_path):
    """As it stands in /boot, and plain."""
    for content in (XEN, gzip.compress(XEN)):
        (tmp_path / "xen").write_bytes(content)
        assert read_hypervisor(tmp_path / "xen") == XEN


def test_it_is_read_from_its_package(tmp_path):
    """The same file that is given for a kernel's: nothing has to be unpacked or installed."""
    file = tmp_path / "xen.deb"
    file.write_bytes(
        package(
            {"./boot/xen-4.17-amd64.efi": b"MZ", "./boot/xen-4.17-amd64.gz": gzip.compress(XEN)},
            ".xz",
        )
    )
    assert read_hypervisor(file) == XEN
    file.write_bytes(package({"./boot/vmlinuz-6.1": b"x"}, ""))
    with pytest.raises(Problem, match="no hypervisor in this package"):
        read_hypervisor(file)


@pytest.mark.parametrize(
    "content", [b"", b"MZ" + bytes(9000), XEN[:64] + bytes(4000), bytes(9000) + XEN]
)
def test_what_is_no_hypervisor_is_said_to_be_none(tmp_path, content):
    """Before an emulator says something of a kernel that is too old."""
    (tmp_path / "xen").write_bytes(content)
    with pytest.raises(Problem, match="this is no hypervisor"):
        read_hypervisor(tmp_path / "xen")


def test_a_damaged_one_is_said_to_be_damaged(tmp_path):
    """One whose packed data is broken is refused in one sentence that says so."""
    (tmp_path / "xen").write_bytes(b"\x1f\x8b" + b"x" * 90)
    with pytest.raises(Problem, match="its data is damaged"):
        read_hypervisor(tmp_path / "xen")
