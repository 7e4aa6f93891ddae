# SPDX-License-Identifier: GPL-2.0-or-later
"""The hypervisor as an emulator takes it: from a Debian package, packed, or plain."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Final

from lazymmu.lab.package import PACKAGE, opened_package
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["read_hypervisor"]

_MEMBER: Final = re.compile(r"(?:\./)?boot/xen-[\w.+~-]+\.gz")
_MULTIBOOT: Final = struct.pack("<I", 0x1BADB002)
"""What an emulator knows a hypervisor by, aligned, in the first 8 KiB (Multiboot, 3.1.1)."""

_HEAD: Final = 8192
_LIMIT: Final = 64 << 20


def read_hypervisor(path: Path) -> bytes:
    """A hypervisor, unpacked: an emulator boots it by its Multiboot header, and does not unpack it.

    :param path: xen-hypervisor-*.deb, or the file that it has in /boot.
    :raises Problem: it is none.
    :raises OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        packed = stream.read(len(PACKAGE)) == PACKAGE
        stream.seek(0)
        content = _of_package(stream, str(path)) if packed else stream.read(_LIMIT)
    if content.startswith(b"\x1f\x8b"):
        try:
            content = zlib.decompressobj(wbits=31).decompress(content, _LIMIT)
        except zlib.error as error:
            raise Problem(f"{path}: its data is damaged: {error}") from None
    if not any(content[at : at + 4] == _MULTIBOOT for at in range(0, _HEAD, 4)):
        raise Problem(
            f"{path}: this is no hypervisor: it has no Multiboot header, as xen-*.gz of Debian's "
            "package xen-hypervisor-4.17-amd64 has"
        )
    return content


def _of_package(stream: BinaryIO, name: str) -> bytes:
    with opened_package(stream, name) as files:
        for member in files:
            # Flavours are links to it.
            if member.isfile() and _MEMBER.fullmatch(member.name):
                found = files.extractfile(member)
                return found.read(_LIMIT) if found is not None else b""
    raise Problem(f"{name}: there is no hypervisor in this package")
