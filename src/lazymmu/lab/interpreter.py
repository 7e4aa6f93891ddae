# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python that runs in a guest: this machine's own, or one of another architecture.

The recorder is Python, so a guest needs one; with it nothing else is needed, no shell either. Files
of this machine stand in the guest where they stand here, so that whatever names another finds it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem

if TYPE_CHECKING:
    from lazymmu.lab.initramfs import Initramfs

__all__ = ["GuestPython", "foreign_python", "own_python"]

_UNUSED: Final = frozenset(
    {"test", "tests", "idlelib", "lib2to3", "ensurepip", "tkinter", "turtledemo", "pydoc_data"}
    | {"site-packages", "dist-packages", "distutils", "sqlite3", "curses"}
)
"""Folders of a standard library that a recorder does not need: most of it."""

_BUILD: Final = "config-"
"""How the folder begins that only programs with a Python in them are built from."""

_NEEDED: Final = (
    "_posixsubprocess, array, binascii, bz2, ctypes, fcntl, grp, hashlib, json, lzma, math, mmap, "
    "platform, random, resource, select, shutil, signal, socket, struct, subprocess, tarfile, "
    "tempfile, termios, threading, zlib"
)
"""What a guest imports that is not plain Python: the libraries of these go along."""

_ASK: Final = f"""
import {_NEEDED}, json, sys
for name in sys.argv[1:]:
    __import__(name)
with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
    files = {{line.split(None, 5)[5].rstrip() for line in maps if "/" in line}}
print(json.dumps(sorted(files)))
"""


@dataclass(frozen=True, slots=True)
class GuestPython:
    """The interpreter as a guest sees it: its path, and where it looks for modules."""

    executable: str
    path: tuple[str, ...]


def own_python(into: Initramfs) -> GuestPython:
    """Put this machine's Python, this package and what it needs into a guest.

    :raises Problem: what this Python is made of cannot be found out.
    """
    executable = Path(os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable))
    library = Path(sysconfig.get_path("stdlib"))
    packages = [one for one in ("backports.zstd",) if _place(one)]
    _libraries(into, [Path(file) for file in _mapped(packages)])
    _copy(into, executable)
    _loader(into, executable)
    build = {one.name for one in library.glob(f"{_BUILD}*")}
    into.tree(library, str(library), without=_UNUSED | build)
    path = [str(library), str(library / "lib-dynload")]
    for name in ("lazymmu", *packages):
        place = _place(name)
        if place is None:
            continue
        top = place.parents[name.count(".")]
        into.tree(place, str(place))
        path.append(str(top))
    return GuestPython(str(executable), tuple(dict.fromkeys(path)))


def foreign_python(into: Initramfs, root: Path) -> GuestPython:
    """Put a root file system with a Python of another architecture, and this package, into a guest.

    :raises Problem: there is no Python in it.
    """
    found = next(
        (one for one in ("usr/bin/python3", "bin/python3") if (root / one).is_symlink()
         or (root / one).is_file()), None
    )  # fmt: skip
    if found is None:
        raise Problem(f"there is no usr/bin/python3 in {root}")
    into.tree(root, "/", without=frozenset({"__pycache__", "doc", "man", "locale", "dev", "proc"}))
    _as_installed(into, root)
    package = Path(__file__).parents[1]
    into.tree(package, "/opt/lazymmu/lazymmu", without=frozenset({"__pycache__"}))
    return GuestPython(f"/{found}", ("/opt/lazymmu",))


def _as_installed(into: Initramfs, root: Path) -> None:
    """Add the links that packages' scripts make, and that packages which are only unpacked lack.

    A program names its loader below /lib, and Debian has that below /usr; a library of which there
    are several (libblas) stands in a folder of its own, and an alternative points to one.
    """
    for name in ("bin", "lib", "lib64", "sbin"):
        if not (root / name).is_symlink() and not (root / name).exists():
            into.link(name, f"usr/{name}")
    for library in sorted(root.glob("usr/lib/*-linux-gnu*/*/lib*.so.[0-9]*")):
        folder = library.parents[1]
        if not (folder / library.name).is_symlink() and not (folder / library.name).exists():
            place = folder.relative_to(root) / library.name
            into.link(str(place), str(library.relative_to(folder)))


def _place(name: str) -> Path | None:
    """The folder of a package; None where it is not installed."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def _mapped(packages: list[str]) -> list[str]:
    """The files that a process of this Python maps which has imported what a guest needs."""
    asked = subprocess.run(
        [sys.executable, "-c", _ASK, *packages], capture_output=True, check=False, timeout=60
    )
    try:
        found = json.loads(asked.stdout)
    except ValueError:
        raise Problem("this Python does not say which libraries it needs") from None
    return [one for one in found if isinstance(one, str)]


def _loader(into: Initramfs, executable: Path) -> None:
    """Add the program that loads a program, and the links under which libraries are found.

    PT_INTERP (include/uapi/linux/elf.h) names it; on most systems /lib is a link to /usr/lib.
    """
    for name in ("lib", "lib32", "lib64", "libx32"):
        if Path("/", name).is_symlink():
            into.link(name, os.readlink(Path("/", name)))
    loader = interpreter_of(executable)
    if loader is not None:
        into.add(
            os.path.join(os.path.realpath(loader.parent), loader.name), loader, executable=True
        )


def interpreter_of(program: Path) -> Path | None:
    """The loader that a 64-bit ELF program names; None where it is static, or no such program."""
    with program.open("rb") as stream:
        head = stream.read(64)
        if head[:5] != b"\x7fELF\x02" or len(head) < 64:
            return None
        order = "<" if head[5] == 1 else ">"
        (start,) = struct.unpack_from(order + "Q", head, 32)
        entry, number = struct.unpack_from(order + "HH", head, 54)
        for at in range(number):
            stream.seek(start + at * entry)
            part = stream.read(56)
            if len(part) == 56 and struct.unpack_from(order + "I", part)[0] == 3:
                offset, _, _, size = struct.unpack_from(order + "QQQQ", part, 8)
                stream.seek(offset)
                return Path(os.fsdecode(stream.read(min(size, 4096)).rstrip(b"\0")))
    return None


def _libraries(into: Initramfs, files: list[Path]) -> None:
    """Add files that a process maps, and the links by which its loader found them."""
    there = {file for file in files if file.is_file()}
    for folder in {file.parent for file in there}:
        for one in folder.iterdir():
            if one.is_symlink() and Path(os.path.realpath(one)) in there:
                into.link(str(one), os.readlink(one))
    for file in there:
        _copy(into, file)


def _copy(into: Initramfs, file: Path) -> None:
    """Add a file under its own name, executable: libraries and the loader must be."""
    into.add(str(file), file, executable=True)
