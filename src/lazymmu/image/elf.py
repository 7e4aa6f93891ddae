# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel image or module as an ELF file: sections, functions, and nothing else.

A stranger's file: every offset and size is held against the length of what is there before it is
read, and each part is read once. What the format means: elf(5); SHF_COMPRESSED and its like have no
place in what is read here.
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.image.error import ImageError

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["ElfFile", "ElfSection", "ElfSymbol"]

_MAX_SECTIONS: Final = 1 << 16
_MAX_PART: Final = 512 << 20
"""Bytes of one section: ten times the largest text of a kernel that was met."""

_MACHINES: Final = {62: "x86", 183: "arm64", 21: "powerpc", 43: "sparc"}
"""e_machine of the architectures that have the mode (include/uapi/linux/elf-em.h)."""

_SYMTAB: Final = 2
_NOBITS: Final = 8
_EXECUTABLE: Final = 0x4
_FUNCTION: Final = 2
_ABSENT: Final = "it is cut, or its headers are damaged"


@dataclass(frozen=True, slots=True)
class ElfSection:
    """One section: name, type, flags, where it is loaded, and where in the file it stands."""

    name: str
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    entry: int

    @property
    def is_code(self) -> bool:
        """Whether it holds instructions."""
        return bool(self.flags & _EXECUTABLE) and self.kind != _NOBITS


@dataclass(frozen=True, slots=True)
class ElfSymbol:
    """A function: name, address (in a module: within its section), size, number of its section."""

    name: str
    address: int
    size: int
    section: int


class ElfFile:
    """The parts of one 64-bit ELF file.

    arch: the kernel's name of the architecture; order: "little" or "big"; is_module: whether it is
    relocatable, as modules are; sections: all of them by number.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Read the headers of a stream that can be positioned.

        :raises ImageError: it is no 64-bit ELF file of an architecture that has the mode.
        """
        self._stream = stream
        self._size = stream.seek(0, io.SEEK_END)
        head = self._read(0, min(64, self._size))
        if head[:4] != b"\x7fELF":
            raise ImageError(_what(head))
        if len(head) < 64 or head[4] != 2 or head[5] not in (1, 2):
            raise ImageError("it is no 64-bit ELF file")
        self.order: Final = "little" if head[5] == 1 else "big"
        self._mark = "<" if head[5] == 1 else ">"
        kind, machine = self._unpack("HH", head, 16)
        self.is_module: Final = kind == 1
        if machine not in _MACHINES:
            raise ImageError(f"its architecture (ELF machine {machine}) has no lazy MMU mode")
        self.arch: Final = _MACHINES[machine]
        self.sections: Final = self._sections(head)

    def content(self, section: ElfSection) -> bytes:
        """The bytes of a section.

        :raises ImageError: the file does not hold them.
        """
        return b"" if section.kind == _NOBITS else self._read(section.offset, section.size)

    def section(self, name: str) -> ElfSection | None:
        """The first section of that name."""
        return next((one for one in self.sections if one.name == name), None)

    def functions(self) -> tuple[ElfSymbol, ...]:
        """The functions of the symbol table, by section and address."""
        found: list[ElfSymbol] = []
        # One alone, as linkers make it: others of a stranger's file may lie over it.
        for table in [one for one in self.sections if one.kind == _SYMTAB][:1]:
            if table.link >= len(self.sections):
                raise ImageError("its table of symbols names no table of strings")
            names = self.content(self.sections[table.link])
            content = self.content(table)
            whole = len(content) - len(content) % 24
            for at, info, _, index, value, size in struct.iter_unpack(
                f"{self._mark}IBBHQQ", memoryview(content)[:whole]
            ):
                if info & 0xF == _FUNCTION and 0 < index < len(self.sections):
                    found.append(ElfSymbol(_text(names, at), value, size, index))
        return tuple(sorted(found, key=lambda one: (one.section, one.address, -one.size, one.name)))

    def address_of(self, name: str) -> int | None:
        """The address of a symbol of any kind; None where there is none."""
        for table in [one for one in self.sections if one.kind == _SYMTAB][:1]:
            if table.link >= len(self.sections):
                break
            names, content = self.content(self.sections[table.link]), self.content(table)
            wanted = name.encode() + b"\0"
            for at in range(0, len(content) - 23, 24):
                where, *_ = self._unpack("I", content, at)
                if names.startswith(wanted, where):
                    value: int = self._unpack("Q", content, at + 8)[0]
                    return value
        return None

    def _sections(self, head: bytes) -> tuple[ElfSection, ...]:
        (start,) = self._unpack("Q", head, 40)
        entry, number, names = self._unpack("HHH", head, 58)
        if number == 0 or entry != 64:
            raise ImageError("it has no table of sections")
        if number > _MAX_SECTIONS or names >= number:
            raise ImageError(_ABSENT)
        table = self._read(start, number * entry)
        raw = [self._unpack("IIQQQQIIQQ", table, at) for at in range(0, len(table), entry)]
        texts = self._read(raw[names][4], raw[names][5])
        return tuple(
            ElfSection(_text(texts, one[0]), one[1], one[2], one[3], one[4], one[5], one[6], one[9])
            for one in raw
        )

    def _read(self, offset: int, size: int) -> bytes:
        if offset > self._size or size > min(self._size - offset, _MAX_PART):
            raise ImageError(_ABSENT)
        self._stream.seek(offset, os.SEEK_SET)
        content = self._stream.read(size)
        if len(content) != size:
            raise ImageError(_ABSENT)
        return content

    def _unpack(self, form: str, content: bytes, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._mark + form, content, at)


def _text(table: bytes, at: int) -> str:
    """The string at an offset of a table, "" outside of it; no name of the kernel is longer."""
    return table[at : at + 512].split(b"\0", 1)[0].decode("ascii", "backslashreplace")


def _what(head: bytes) -> str:
    """What a file is that is no ELF file."""
    if head[:2] == b"MZ" or head[:2] == b"\x1f\x8b":
        return (
            "it is a packed kernel; what is needed is the vmlinux it was made of, with its symbols "
            "(scripts/extract-vmlinux of the kernel unpacks it, without them)"
        )
    return "it is no ELF file"
