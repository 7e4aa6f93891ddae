# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel is known by its bytes, whatever its file is called and however it is packed."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile

import pytest

from lazymmu.lab.kernel import read_kernel
from lazymmu.problem import Problem

VERSION = b"Linux version 7.3.4-test (builder) #1\0"


def bzimage() -> bytes:
    """As much of an x86 image as says what it is."""
    image = bytearray(0x600)
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x20E, 0x100)
    image[0x300 : 0x300 + 20] = b"7.3.4-test (builder)"
    return bytes(image)


def arm64_image() -> bytes:
    """As much of an arm64 image as says what it is."""
    image = bytearray(0x100)
    image[0x38:0x3C] = b"ARM\x64"
    return bytes(image) + VERSION


def zboot(payload: bytes, kind: bytes) -> bytes:
    """An image that EFI unpacks."""
    head = bytearray(64)
    head[:2], head[4:8] = b"MZ", b"zimg"
    struct.pack_into("<II", head, 8, 64, len(payload))
    head[24 : 24 + len(kind)] = kind
    return bytes(head) + payload + b"more"


def elf(machine: int, order: str) -> bytes:
    """As much of an ELF image as says what it is."""
    head = b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + bytes(10)
    return head + struct.pack(order + "HH", 2, machine) + bytes(64) + VERSION


def package(files: dict[str, bytes], kind: str) -> bytes:
    """A Debian package with some files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    data = {"": bytes, ".xz": lzma.compress, ".gz": gzip.compress}[kind](packed.getvalue())
    parts = b"!<arch>\n"
    for name, content in (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"),
                          (f"data.tar{kind}", data)):  # fmt: skip
        parts += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        parts += content + b"\n" * (len(content) % 2)
    return parts


@pytest.mark.parametrize(
    ("image", "arch", "release"),
    [
        (bzimage(), "x86", "7.3.4-test"),
        (arm64_image(), "arm64", "7.3.4-test"),
        (gzip.compress(arm64_image()), "arm64", "7.3.4-test"),
        (zboot(gzip.compress(arm64_image()), b"gzip"), "arm64", "7.3.4-test"),
        (elf(21, "<"), "powerpc", "7.3.4-test"),
        (elf(43, ">"), "sparc64", "7.3.4-test"),
        (elf(62, "<"), "x86", "7.3.4-test"),
    ],
    ids=["bzImage", "Image", "Image.gz", "zboot", "ppc64", "sparc64", "vmlinux"],
)
def test_an_image_says_what_it_is(tmp_path, image, arch, release):
    """Architecture and release come from the image; what an emulator cannot unpack is unpacked."""
    file = tmp_path / "any name"
    file.write_bytes(image)
    kernel = read_kernel(str(file))
    assert (kernel.arch, kernel.release) == (arch, release)


@pytest.mark.parametrize("kind", ["", ".xz", ".gz"])
@pytest.mark.parametrize(
    "place", ["./boot/vmlinuz-7.3.4-test", "./usr/lib/modules/7.3.4-test/vmlinuz"]
)
def test_a_package_holds_a_kernel(tmp_path, kind, place):
    """The kernel is found where packages have it, and its configuration beside it."""
    file = tmp_path / "linux-image.deb"
    files = {"./boot/config-7.3.4-test": b"CONFIG_X=y\n", place: bzimage(), "./etc/x": b"no"}
    file.write_bytes(package(files, kind))
    kernel = read_kernel(str(file))
    assert (kernel.release, kernel.config) == ("7.3.4-test", b"CONFIG_X=y\n")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no kernel image"),
        (b"text that is no kernel\n" * 100, "no kernel image"),
        (b"!<arch>\n", "no files in this package"),
        (b"!<arch>\n" + b"x" * 59, "no files in this package"),
        (b"!<arch>\n" + b"x" * 200, "no files in this package"),
        (package({"./usr/share/doc/x": b"y"}, ".xz"), "no kernel in this package"),
        (package({"./boot/vmlinuz-1": bzimage()}, ".xz")[:-90], "damaged"),
        (zboot(b"odd", b"gzip"), "damaged"),
        (zboot(b"odd", b"lz9"), "packed as lz9"),
        (gzip.compress(arm64_image())[:-12], "damaged"),
        (elf(3, "<"), "no kernel image"),
    ],
    ids=[str(number) for number in range(11)],
)
def test_what_is_no_kernel_is_one_sentence(tmp_path, content, told):
    """Anything else is refused, with its name and the reason."""
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(Problem, match=told) as caught:
        read_kernel(str(file))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
