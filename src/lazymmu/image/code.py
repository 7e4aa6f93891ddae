# SPDX-License-Identifier: GPL-2.0-or-later
"""The code of a kernel or module: bytes, and whose they are; from an ELF file."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lazymmu.image.error import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.image.elf import ElfFile

__all__ = ["CodePart", "KernelCode", "code_of", "functions_between", "repeated"]

_GONE: Final = re.compile(r"\.(init|exit|meminit|altinstr|devinit|cpuinit)\b")
"""Sections that are freed once the kernel runs, or are only copied from."""

_MAX_CODE: Final = 1 << 30
"""Bytes of all code: sections of a stranger's file may lie over each other."""

_BANNER: Final = re.compile(rb"Linux version ([\w.+~-]{1,64}) ")
_NAME: Final = re.compile(rb"(?:^|\0)name=([\w-]{1,64})\0")


@dataclass(frozen=True, slots=True)
class CodePart:
    """Bytes that lie together, and their functions as begin, end and name, by place.

    :param address: where the first byte is loaded; the functions' places count from it.
    """

    address: int
    content: bytes
    functions: tuple[tuple[int, int, str], ...]

    def owner(self, at: int) -> tuple[str, int] | None:
        """The function that a place is in, and how far; None where it is in none."""
        number = bisect_right(self.functions, (at, 1 << 64, "")) - 1
        if number < 0:
            return None
        begin, end, name = self.functions[number]
        return (name, at - begin) if at < end else None


@dataclass(frozen=True, slots=True)
class KernelCode:
    """All code of one kernel or module.

    :param module: its name, "" for the kernel.
    :param release: the kernel's, "" where the image does not say.
    :param text: the address of `_text`, from which a place can be told whose function's name is not
        unique (None in a module).
    :param repeated: names that several functions have, also outside of what is probed.
    """

    arch: str
    order: str
    module: str
    release: str
    parts: tuple[CodePart, ...]
    text: int | None = None
    repeated: frozenset[str] = frozenset()


def code_of(file: ElfFile, path: str) -> KernelCode:
    """The code of an image or, when it is relocatable, of a module; path: for a module's name.

    :raises ImageError: it has no code, or no symbols.
    """
    symbols = file.functions()
    if not symbols:
        raise ImageError("it has no symbols: it was stripped")
    by_section: dict[int, list[tuple[int, int, str]]] = {}
    for one in symbols:
        by_section.setdefault(one.section, []).append((one.address, one.size, one.name))
    parts, size = [], 0
    for number, section in enumerate(file.sections):
        if not section.is_code or _GONE.search(section.name):
            continue
        size += section.size
        if size > _MAX_CODE:
            raise ImageError(f"it has more than {_MAX_CODE >> 20} MiB of code")
        content = file.content(section)
        mine = by_section.get(number, ())
        parts.append(
            CodePart(
                section.address,
                content,
                functions_between(
                    section.address,
                    section.address + len(content),
                    mine,
                ),
            )
        )
    return KernelCode(
        arch=file.arch,
        order=file.order,
        module=_module(file, path) if file.is_module else "",
        release=_release(file),
        parts=tuple(parts),
        text=None if file.is_module else file.address_of("_text"),
        repeated=repeated(one.name for one in symbols),
    )


def repeated(names: Iterable[str]) -> frozenset[str]:
    """The names that are there more than once."""
    return frozenset(name for name, times in Counter(names).items() if times > 1)


def functions_between(
    begin: int, end: int, symbols: Iterable[tuple[int, int, str]]
) -> tuple[tuple[int, int, str], ...]:
    """Functions from address, size (0: not known) and name of symbols, the first of each address.

    Places count from `begin`. A function ends where the next begins, or before.
    """
    first: dict[int, tuple[int, str]] = {}
    for address, size, name in symbols:
        if begin <= address < end and name:
            first.setdefault(address, (size, name))
    ordered = [*sorted(first), end]
    found = []
    for address, after in pairwise(ordered):
        size, name = first[address]
        last = min(address + size, after) if size else after
        found.append((address - begin, last - begin, name))
    return tuple(found)


def _module(file: ElfFile, path: str) -> str:
    """A module's name: its own word, else that of its file."""
    information = file.section(".modinfo")
    found = None if information is None else _NAME.search(file.content(information))
    name = found[1].decode() if found else re.split(r"\.ko\b", path.rsplit("/", 1)[-1])[0]
    name = name.replace("-", "_")
    if not re.fullmatch(r"\w{1,64}", name):
        raise ImageError("it says no name of a module")
    return name


def _release(file: ElfFile) -> str:
    section = file.section(".rodata")
    found = None if section is None else _BANNER.search(file.content(section))
    return found[1].decode() if found else ""
