# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a task's counters are, from the debugging information (DWARF) of an image without BTF.

pyelftools reads it, an optional extra: it knows the versions, forms and compressions, and a
kernel's task is in one of its first units. A stranger's file: what is unpacked, and the units and
entries that are looked at, are bounded, and links to other files are not followed.
"""

from __future__ import annotations

import zlib
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lazymmu.image.btf import CounterLayout, layout_of
from lazymmu.image.error import ImageError
from lazymmu.problem import needs_package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["dwarf_counters"]

_MAX_UNITS: Final = 64
"""Units of compilation that are looked at: nearly each of a kernel's has the task."""

_MAX_ENTRIES: Final = 1 << 18
"""Entries of one unit, and members of one task; a unit of a kernel has some ten thousand."""

_MAX_UNPACKED: Final = 4 << 30
"""Bytes of packed debugging information once it is unpacked: ten times a kernel's."""

_MAX_STEPS: Final = 32
_ALIASES: Final = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type")


def dwarf_counters(stream: BinaryIO) -> CounterLayout:
    """Where a task's counters are; the stream can be positioned.

    :raises ImageError: pyelftools is not installed, or the information is damaged.
    """
    try:
        from elftools.common.exceptions import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
            DWARFError,
            ELFError,
        )
        from elftools.elf.elffile import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
            ELFFile,
        )
    except ImportError:
        raise ImageError(
            needs_package("it has no BTF, and DWARF", "pyelftools", "probes")
        ) from None
    try:
        file = ELFFile(stream)
        if sum(one.data_size for one in file.iter_sections() if one.compressed) > _MAX_UNPACKED:
            raise ImageError("its debugging information is larger than any kernel's")
        known = file.get_dwarf_info(relocate_dwarf_sections=False, follow_links=False)
        return _found(islice(known.iter_CUs(), _MAX_UNITS))
    except (DWARFError, ELFError) as error:
        raise ImageError(f"its debugging information is damaged: {error}") from None
    except (LookupError, ValueError, ArithmeticError, AttributeError, TypeError) as error:
        # The library trusts what it reads; what it stumbles over is the file's.
        raise ImageError(f"its debugging information is damaged ({error})") from None
    except (AssertionError, RecursionError, MemoryError, zlib.error) as error:
        raise ImageError(f"its debugging information is damaged ({type(error).__name__})") from None


def _found(units: Iterator[Any]) -> CounterLayout:
    for unit in units:
        for entry in islice(unit.iter_DIEs(), _MAX_ENTRIES):
            if (
                entry.tag == "DW_TAG_structure_type"
                and _name(entry) == "task_struct"
                and "DW_AT_declaration" not in entry.attributes
            ):
                return _layout(entry)
    raise ImageError("its debugging information has no task_struct")


def _layout(task: Any) -> CounterLayout:
    pid, state = _member(task, "pid"), _member(task, "lazy_mmu_state")
    if pid is None or state is None:
        return layout_of(pid and pid[0], None, None, None, 0, 0)
    inner = _plain(state[1])
    enabled, paused = _member(inner, "enable_count"), _member(inner, "pause_count")
    return layout_of(
        pid[0],
        state[0],
        enabled and enabled[0],
        paused and paused[0],
        _width(enabled),
        _width(paused),
    )


def _member(structure: Any, name: str, depth: int = 0) -> tuple[int, Any] | None:
    """The offset and the type's entry of a member, also one of a nameless part; else None."""
    if structure is None or depth > _MAX_STEPS:
        return None
    for one in islice(structure.iter_children(), _MAX_ENTRIES):
        if one.tag != "DW_TAG_member":
            continue
        place = one.attributes.get("DW_AT_data_member_location")
        at = place.value if place is not None and isinstance(place.value, int) else 0
        called = _name(one)
        if called == name:
            return at, one.get_DIE_from_attribute("DW_AT_type")
        if not called and "DW_AT_type" in one.attributes:
            part = _plain(one.get_DIE_from_attribute("DW_AT_type"))
            if part is not None and part.tag in ("DW_TAG_structure_type", "DW_TAG_union_type"):
                found = _member(part, name, depth + 1)
                if found is not None:
                    return at + found[0], found[1]
    return None


def _plain(entry: Any) -> Any:
    """The type behind typedefs and qualifiers; None where they go round in a circle."""
    for _ in range(_MAX_STEPS):
        if entry.tag not in _ALIASES:
            return entry
        if "DW_AT_type" not in entry.attributes:
            return None
        entry = entry.get_DIE_from_attribute("DW_AT_type")
    return None


def _width(member: tuple[int, Any] | None) -> int:
    kind = _plain(member[1]) if member is not None else None
    if kind is None or kind.tag != "DW_TAG_base_type" or "DW_AT_byte_size" not in kind.attributes:
        return 0
    return int(kind.attributes["DW_AT_byte_size"].value)


def _name(entry: Any) -> str:
    name = entry.attributes.get("DW_AT_name")
    return "" if name is None else bytes(name.value).decode("ascii", "backslashreplace")
