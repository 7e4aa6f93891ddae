# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes at the instructions that touch a task's counters.

They are found in an image, or in the kernel that runs.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import os
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from lazymmu.ftrace.probes import architecture
from lazymmu.image.btf import Btf, CounterLayout, counters
from lazymmu.image.code import KernelCode, code_of
from lazymmu.image.dwarf import dwarf_counters
from lazymmu.image.elf import ElfFile
from lazymmu.image.error import ImageError
from lazymmu.image.running import image_of, running_code, running_types
from lazymmu.image.sites import FoundSites, find_sites
from lazymmu.inputs import LIMIT, open_input
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.image.site import SiteKind

__all__ = ["RUNNING", "ProbesAnswer", "ProbesRequest", "find_probes"]

RUNNING: Final = "the running kernel"
"""What is said to be read where it is the memory of the kernel."""

_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbesRequest:
    """What to look at.

    :param vmlinux: the kernel's image, with its symbols and types; None for the kernel that runs.
    :param modules: files of modules of that kernel, packed or not.
    :param machine: what `uname` says of the machine at hand, for the kernel that runs.
    :param release: likewise.
    :param root: where its files are.
    """

    vmlinux: str | None = None
    modules: tuple[str, ...] = ()
    machine: str = ""
    release: str = ""
    root: Path = Path("/")


@dataclass(frozen=True, slots=True)
class ProbesAnswer:
    """What was found: in the kernel, then in each module.

    :param layout: where the counters are.
    :param origin: what was read.
    """

    layout: CounterLayout
    found: tuple[FoundSites, ...]
    origin: str

    @property
    def number(self) -> int:
        """How many events there are."""
        return sum(len(one.probes) for one in self.found)


def find_probes(asked: ProbesRequest) -> ProbesAnswer:
    """Find the instructions that touch the counters.

    :raises lazymmu.Problem: an image cannot be read, or has no counters; one sentence.
    """
    if asked.vmlinux is None:
        layout, code, origin = _running(asked)
    else:
        layout, code, origin = *_image(asked.vmlinux), asked.vmlinux
    with _told(origin):
        numbers: Counter[SiteKind] = Counter()
        found = [find_sites(code, layout, numbers)]
    for name in asked.modules:
        with _told(name), _opened(name) as stream:
            file = ElfFile(stream)
            if not file.is_module or file.arch != code.arch:
                raise ImageError(f"it is no module of this {code.arch} kernel")
            found.append(find_sites(code_of(file, name), layout, numbers))
    return ProbesAnswer(layout, tuple(found), origin)


def _image(path: str) -> tuple[CounterLayout, KernelCode]:
    with _told(path), _opened(path) as stream:
        file = ElfFile(stream)
        if file.is_module and file.section(".modinfo") is not None:
            raise ImageError("it is a module; the kernel it belongs to is needed, too")
        types = file.section(".BTF")
        if types is None and file.section(".debug_info") is None:
            raise ImageError(
                "it has no types (.BTF, CONFIG_DEBUG_INFO_BTF, or .debug_info, CONFIG_DEBUG_INFO)"
            )
        if types is None:
            return dwarf_counters(stream), code_of(file, path)
        return counters(Btf(file.content(types))), code_of(file, path)


def _running(asked: ProbesRequest) -> tuple[CounterLayout, KernelCode, str]:
    arch = architecture(asked.machine)
    if not arch:
        raise Problem(f"this machine is {asked.machine}, which has no lazy MMU mode")
    with _told(f"the running kernel, {asked.release}"):
        # Before anything large is read: a kernel without counters has nothing to find.
        layout = counters(Btf(running_types(asked.root)))
        try:
            return layout, running_code(arch, asked.release, asked.root), RUNNING
        except ImageError:
            image = image_of(asked.release, asked.root)
            if image is None:
                raise
    _, code = _image(os.fspath(image))
    return layout, code, os.fspath(image)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """What is wrong with an image becomes one sentence with its name."""
    try:
        yield
    except ImageError as error:
        raise Problem(f"{name}: {error}") from None
    except OSError as error:
        raise Problem(f"cannot read {name}: {error.strerror or error}") from None
    except (EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise Problem(f"cannot read {name}: {error}") from None


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """A file that can be positioned; what is packed, or comes through a pipe, is held in memory."""
    with open_input(path) as raw:
        head = raw.read(6)
        if raw.seekable() and not head.startswith((_GZIP, _XZ, _ZSTD)):
            yield raw
            return
        rest = cast("BinaryIO", io.BytesIO(head + _bounded(raw)))
        yield cast("BinaryIO", io.BytesIO(_bounded(_unpacked(head, rest))))


def _unpacked(head: bytes, stream: BinaryIO) -> BinaryIO:
    if head.startswith(_GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    if head.startswith(_XZ):
        return cast("BinaryIO", lzma.LZMAFile(stream))
    if head.startswith(_ZSTD):
        from lazymmu.ftrace.streams import zstandard

        return zstandard("it", stream)
    return stream


def _bounded(stream: BinaryIO) -> bytes:
    try:
        content = stream.read(LIMIT + 1)
    except Exception as error:
        # Of one of two modules, neither of which need be there.
        if type(error).__name__ != "ZstdError":
            raise
        raise ImageError(f"its data is damaged: {error}") from None
    if len(content) > LIMIT:
        raise ImageError(f"it holds more than {LIMIT >> 20} MiB")
    return content
