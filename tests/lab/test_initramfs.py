# SPDX-License-Identifier: GPL-2.0-or-later
"""The first file system of a guest is what the kernel's reader of cpio takes."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.lab.initramfs import Initramfs
from lazymmu.lab.interpreter import foreign_python


def written(tree: Initramfs) -> bytes:
    """The archive of a file system."""
    out = io.BytesIO()
    tree.write(out)
    return out.getvalue()


def members(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each member, read as init/initramfs.c of the kernel reads them."""
    found, at = {}, 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        size, name_size = fields[6], fields[11]
        name = archive[at + 110 : at + 110 + name_size]
        assert name.endswith(b"\0")
        at = (at + 110 + name_size + 3) & ~3
        if name == b"TRAILER!!!\0":
            assert at == len(archive)
            return found
        found[os.fsdecode(name[:-1])] = (fields[1], archive[at : at + size])
        at = (at + size + 3) & ~3


NAMES = st.lists(
    st.text("abcdefgh.-", min_size=1, max_size=5).filter(lambda one: one not in (".", "..")),
    min_size=1,
    max_size=3,
).map("/".join)


@given(st.dictionaries(NAMES, st.binary(max_size=20), max_size=6))
def test_what_was_put_in_comes_out(files):
    """Each file is there with its bytes, below folders that come before it."""
    kept = {name: content for name, content in files.items()
            if not any(other.startswith(f"{name}/") for other in files)}  # fmt: skip
    tree = Initramfs()
    for name, content in kept.items():
        tree.add(name, content)
    found = members(written(tree))
    assert {n: c for n, (mode, c) in found.items() if stat.S_ISREG(mode)} == kept
    order = list(found)
    for name in kept:
        for parent in [str(one) for one in Path(name).parents if str(one) != "."]:
            assert stat.S_ISDIR(found[parent][0])
            assert order.index(parent) < order.index(name)


def test_a_folder_of_this_machine_keeps_its_links_and_modes(tmp_path):
    """Links stay links, programs may be executed, and what is left out is not there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "doc").mkdir()
    (tmp_path / "doc" / "page").write_text("x")
    program = tmp_path / "bin" / "program"
    program.write_text("#!")
    program.chmod(0o755)
    (tmp_path / "bin" / "link").symlink_to("program")
    tree = Initramfs()
    tree.tree(tmp_path, "/", without=frozenset({"doc"}))
    found = members(written(tree))
    assert found["bin/link"] == (stat.S_IFLNK | 0o777, b"program")
    assert found["bin/program"] == (stat.S_IFREG | 0o755, b"#!")
    assert not any("doc" in name for name in found)


@pytest.mark.skipif(shutil.which("cpio") is None, reason="there is no cpio")
def test_cpio_reads_it():
    """A second reader agrees on the names."""
    tree = Initramfs()
    tree.add("a/b", b"content")
    tree.link("lib", "usr/lib")
    told = subprocess.run(["cpio", "-t"], input=written(tree), capture_output=True, check=True)
    assert told.stdout.split() == [b"a", b"lib", b"a/b"]


def test_packages_that_are_only_unpacked_make_a_root(tmp_path):
    """The loader is found below /lib, and a library where its alternative would be."""
    libraries = tmp_path / "usr/lib/aarch64-linux-gnu"
    (libraries / "blas").mkdir(parents=True)
    (libraries / "blas" / "libblas.so.3").write_bytes(b"library")
    (libraries / "libm.so.6").write_bytes(b"library")
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/python3").write_bytes(b"python")
    tree = Initramfs()
    assert foreign_python(tree, tmp_path).executable == "/usr/bin/python3"
    links = {n: c.decode() for n, (mode, c) in members(written(tree)).items() if stat.S_ISLNK(mode)}
    assert links["lib"] == "usr/lib"
    assert links["usr/lib/aarch64-linux-gnu/libblas.so.3"] == "blas/libblas.so.3"
    assert "usr/lib/aarch64-linux-gnu/libm.so.6" not in links
