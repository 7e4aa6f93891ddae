# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel that runs: its types, symbols and code, without a debug package.

/proc/kcore is the memory of the kernel as an ELF core file, /proc/kallsyms its symbols, and
/sys/kernel/btf/vmlinux its types. Where a lockdown or the configuration keeps kcore away, an image
of this release in one of the usual places does as well.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.image.code import CodePart, KernelCode, functions_between, repeated
from lazymmu.image.error import ImageError

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["hidden_places", "image_of", "running_code", "running_types"]

_IMAGES: Final = (
    "usr/lib/debug/boot/vmlinux-{0}",
    "usr/lib/debug/lib/modules/{0}/vmlinux",
    "usr/lib/debug/usr/lib/modules/{0}/vmlinux",
    "lib/modules/{0}/vmlinux",
    "lib/modules/{0}/build/vmlinux",
    "boot/vmlinux-{0}",
)
_SYMBOL: Final = re.compile(rb"^([0-9a-f]{1,16}) (\w) (\S{1,512})$", re.MULTILINE)
_MAX_TEXT: Final = 256 << 20
_MAX_SYMBOLS: Final = 256 << 20


_PROBED: Final = re.compile(
    rb"^[0-9a-f]{1,16} +k +\S+\+0x(?!0\s)(?![^\n]*\[FTRACE\])", re.MULTILINE
)
"""A probe within a function, and not at its entry (kernel/kprobes.c, report_probe())."""


def hidden_places(root: Path = Path("/")) -> int:
    """How many instructions of the running kernel others have put probes on.

    A breakpoint, or the jump that it is made into, stands there in memory (kernel/kprobes.c,
    arm_kprobe()): what it replaces cannot be read. 0 where the kernel does not say.
    """
    try:
        with (root / "sys/kernel/debug/kprobes/list").open("rb") as stream:
            return len(_PROBED.findall(stream.read(_MAX_SYMBOLS)))
    except OSError:
        return 0


def running_types(root: Path = Path("/")) -> bytes:
    """The types of the running kernel.

    :raises ImageError: it does not show them.
    """
    try:
        return (root / "sys/kernel/btf/vmlinux").read_bytes()
    except OSError as error:
        raise ImageError(
            f"the running kernel shows no types, {error.strerror} "
            "(/sys/kernel/btf/vmlinux, CONFIG_DEBUG_INFO_BTF)"
        ) from None


def image_of(release: str, root: Path = Path("/")) -> Path | None:
    """An image of this release in one of the usual places; None where there is none."""
    if not re.fullmatch(r"[\w.+~-]{1,128}", release):
        return None
    places = (root / form.format(release) for form in _IMAGES)
    return next((place for place in places if place.is_file()), None)


def running_code(arch: str, release: str, root: Path = Path("/")) -> KernelCode:
    """The code of the running kernel, from its memory.

    :raises ImageError: it is not shown.
    """
    try:
        with (root / "proc/kallsyms").open("rb") as stream:
            text = stream.read(_MAX_SYMBOLS)
    except OSError as error:
        raise ImageError(f"cannot read /proc/kallsyms: {error.strerror}") from None
    functions, places = [], {}
    for address, kind, name in _SYMBOL.findall(text):
        if kind in b"tTwW" and name not in (b"_text", b"_stext"):
            functions.append((int(address, 16), 0, name.decode("ascii", "backslashreplace")))
        if name in (b"_text", b"_stext", b"_etext"):
            places[name.decode()] = int(address, 16)
    begin, end = places.get("_stext", 0), places.get("_etext", 0)
    if not begin:
        raise ImageError(
            "/proc/kallsyms shows no addresses: this needs root (kernel.kptr_restrict)"
        )
    if not begin < end <= begin + _MAX_TEXT:
        raise ImageError("/proc/kallsyms does not say where the code begins and ends")
    try:
        with (root / "proc/kcore").open("rb") as core:
            content, order = _memory(core, begin, end)
    except OSError as error:
        raise ImageError(
            f"cannot read the kernel's memory, /proc/kcore: {error.strerror}; without it, an image "
            "of this kernel is needed (--vmlinux FILE)"
        ) from None
    part = CodePart(begin, content, functions_between(begin, end, functions))
    names = repeated(name for _, _, name in functions)
    return KernelCode(arch, order, "", release, (part,), places.get("_text"), names)


def _memory(core: BinaryIO, begin: int, end: int) -> tuple[bytes, str]:
    """The bytes between two addresses of an ELF core file, and the order of its bytes."""
    head = core.read(64)
    if head[:5] != b"\x7fELF\x02" or len(head) < 64:
        raise ImageError("/proc/kcore is no 64-bit ELF file")
    mark = "<" if head[5] == 1 else ">"
    (start,) = struct.unpack_from(mark + "Q", head, 32)
    entry, number = struct.unpack_from(mark + "HH", head, 54)
    core.seek(start)
    table = core.read(entry * number)
    for at in range(0, len(table) - 55, max(entry, 56)):
        kind, _, offset, address, _, size = struct.unpack_from(mark + "IIQQQQ", table, at)
        if kind == 1 and address <= begin and end <= address + size:
            core.seek(offset + begin - address)
            content = core.read(end - begin)
            if len(content) == end - begin:
                return content, "little" if mark == "<" else "big"
    raise ImageError("/proc/kcore does not hold the kernel's code")
