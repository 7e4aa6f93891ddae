# SPDX-License-Identifier: GPL-2.0-or-later
"""Modules of a kernel, taken out of its package: those that are named, and those that they need."""

from __future__ import annotations

import gzip
import io
import lzma
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from lazymmu.ftrace.streams import zstandard
from lazymmu.lab.package import opened_package
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_modules"]

_LIMIT: Final = 64 << 20
_DEPENDS: Final = re.compile(rb"\0depends=([\w,-]*)\0")
"""scripts/mod/modpost.c, add_depends(): what a module needs, in its section .modinfo."""


def read_modules(path: str, names: Iterable[str]) -> tuple[tuple[str, bytes], ...]:
    """Modules as the kernel takes them, each after those that it needs.

    :param path: linux-image-*.deb, or linux-modules-*.deb where modules have a package of theirs.
    :param names: of the modules, without a suffix.
    :raises Problem: the package cannot be read, or has no such module.
    """
    wanted = [_plain(one) for one in names]
    found: dict[str, bytes] = {}
    while missing := [one for one in wanted if one not in found]:
        # What a module needs may stand before it: each step reads the package once.
        found |= _named(path, set(missing))
        lost = [one for one in missing if one not in found]
        if lost:
            raise Problem(
                f"there is no module {lost[0]} in {path}: where linux-image-* holds the kernel "
                "only, modules are in linux-modules-* of the same version (--modules)"
            )
        wanted = [*_needed(found[one] for one in missing), *wanted]
    return tuple((one, found[one]) for one in dict.fromkeys(wanted))


def _needed(modules: Iterable[bytes]) -> list[str]:
    return [
        _plain(name)
        for module in modules
        if (told := _DEPENDS.search(module)) is not None
        for name in told[1].decode("ascii").split(",")
        if name
    ]


def _plain(name: str) -> str:
    """A module's name with dashes and underscores alike, as the kernel takes them for the same."""
    return name.replace("-", "_")


def _named(path: str, wanted: set[str]) -> dict[str, bytes]:
    """The modules of these names that are in a package, unpacked."""
    found: dict[str, bytes] = {}
    try:
        with Path(path).open("rb") as stream, opened_package(stream, path) as files:
            for member in files:
                name, _, suffix = PurePosixPath(member.name).name.partition(".ko")
                if not member.isfile() or _plain(name) not in wanted:
                    continue
                content = files.extractfile(member)
                if content is not None and member.size <= _LIMIT:
                    found[_plain(name)] = _unpacked(content.read(), suffix, path)
                if len(found) == len(wanted):
                    break
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror or error}") from None
    return found


def _unpacked(content: bytes, suffix: str, path: str) -> bytes:
    """A module without what distributions pack it with; an older kernel does not unpack it."""
    try:
        match suffix:
            case "":
                return content
            case ".xz":
                return lzma.LZMADecompressor().decompress(content, _LIMIT)
            case ".gz":
                return gzip.GzipFile(fileobj=io.BytesIO(content)).read(_LIMIT)
            case ".zst":
                return zstandard(path, io.BytesIO(content)).read(_LIMIT)
    except (lzma.LZMAError, EOFError, OSError, ValueError) as error:
        raise Problem(f"{path}: a module is damaged: {error}") from None
    raise Problem(f"{path}: a module is packed as {suffix}, which is not read")
