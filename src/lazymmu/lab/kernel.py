# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel that is booted: from a package or an image, its architecture and release."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.streams import zstandard
from lazymmu.lab.package import PACKAGE, opened_package
from lazymmu.problem import Problem

if TYPE_CHECKING:
    import tarfile
    from typing import BinaryIO

__all__ = ["LabKernel", "read_kernel"]

_LIMIT: Final = 1 << 30
_IMAGE: Final = re.compile(
    r"(?:\./)?(?:boot/(?:vmlinuz|vmlinux)-[^/]+|(?:usr/)?lib/modules/[^/]+/(?:vmlinuz|vmlinux))"
)
_CONFIG: Final = re.compile(r"(?:\./)?(?:boot/config-[^/]+|(?:usr/)?lib/modules/[^/]+/config)")
_VERSION: Final = re.compile(rb"Linux version (\d[\w.+~-]{0,127}) ")
_MACHINES: Final = {62: "x86", 183: "arm64", 21: "powerpc", 43: "sparc64"}
"""EM_X86_64, EM_AARCH64, EM_PPC64 and EM_SPARCV9 (include/uapi/linux/elf-em.h)."""


@dataclass(frozen=True, slots=True)
class LabKernel:
    """A kernel as an emulator takes it.

    What it was read from, the image, its architecture, its release ("" where it does not say), and
    its configuration where it came along.
    """

    name: str
    image: bytes
    arch: str
    release: str
    config: bytes | None = None


def read_kernel(path: str) -> LabKernel:
    """Read a kernel from a Debian package or an image.

    :param path: linux-image-*.deb or linux-binary-*.deb, vmlinuz or vmlinux.
    :raises Problem: it cannot be read, or holds no kernel of an architecture with the mode.
    """
    try:
        with Path(path).open("rb") as stream:
            packed = stream.read(len(PACKAGE)) == PACKAGE
            stream.seek(0)
            image, config = _of_package(stream, path) if packed else (_bounded(stream, path), None)
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror or error}") from None
    image = _plain(image, path)
    arch, release = _kind(image)
    if not arch:
        raise Problem(f"{path}: this is no kernel image of x86-64, arm64, powerpc or sparc64")
    return LabKernel(path, image, arch, release, config)


def _of_package(stream: BinaryIO, path: str) -> tuple[bytes, bytes | None]:
    image, config = b"", None
    with opened_package(stream, path) as files:
        for member in files:
            if member.isfile() and _IMAGE.fullmatch(member.name):
                image = _content(files, member, path)
            elif member.isfile() and _CONFIG.fullmatch(member.name):
                config = _content(files, member, path)
            # A package's modules are most of it, and stand behind its image.
            if image and (config is not None or not member.name.lstrip("./").startswith("boot")):
                break
    if image:
        return image, config
    raise Problem(
        f"{path}: there is no kernel in this package; where linux-image-* names the kernel only, "
        "it is in linux-binary-* of the same version"
    )


def _content(files: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> bytes:
    stream = files.extractfile(member)
    if stream is None or member.size > _LIMIT:
        raise Problem(f"{path}: {member.name} cannot be read")
    return stream.read()


def _bounded(stream: BinaryIO, path: str) -> bytes:
    content = stream.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise Problem(f"{path}: a kernel of more than {_LIMIT >> 20} MiB is not read")
    return content


def _plain(image: bytes, path: str) -> bytes:
    """An image without what an emulator does not unpack: gzip around it, or EFI's zboot.

    drivers/firmware/efi/libstub/zboot-header.S: "zimg" at 4, where the payload begins and how long
    it is at 8 and 12, how it is packed at 24.
    """
    packed = b""
    if image[4:8] == b"zimg":
        begin, size = struct.unpack_from("<II", image, 8)
        packed = image[begin : begin + size]
        kind = image[24:56].partition(b"\0")[0]
    elif image.startswith(b"\x1f\x8b"):
        packed, kind = image, b"gzip"
    if not packed:
        return image
    stream: BinaryIO
    try:
        match kind:
            case b"gzip":
                # Behind the end of the data zboot has its size.
                return gzip.GzipFile(fileobj=io.BytesIO(packed)).read(_LIMIT)
            case b"zstd" | b"zstd22":
                stream = zstandard(path, io.BytesIO(packed))
                return stream.read(_LIMIT)
            case b"lzma" | b"xzkern":
                return lzma.LZMADecompressor().decompress(packed, _LIMIT)
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise Problem(f"{path}: its data is damaged: {error}") from None
    raise Problem(f"{path}: it is packed as {kind.decode('ascii', 'replace')}, which is not read")


def _kind(image: bytes) -> tuple[str, str]:
    """Architecture and release of an image; "" for what it is not, or does not say."""
    if image[0x202:0x206] == b"HdrS":
        # Documentation/arch/x86/boot.rst: kernel_version, less 0x200.
        (at,) = struct.unpack_from("<H", image, 0x20E)
        text = image[at + 0x200 : at + 0x200 + 128].partition(b"\0")[0]
        return "x86", text.decode("ascii", "replace").partition(" ")[0]
    found = _VERSION.search(image)
    release = found[1].decode() if found else ""
    if image[0x38:0x3C] == b"ARM\x64":
        return "arm64", release
    if image.startswith(b"\x7fELF") and len(image) > 20:
        order = "<" if image[5] == 1 else ">"
        (machine,) = struct.unpack_from(order + "H", image, 18)
        return _MACHINES.get(machine, ""), release
    return "", ""
