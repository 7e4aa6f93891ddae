# SPDX-License-Identifier: GPL-2.0-or-later
"""Modules come out of a package by name, with those that they need, as the kernel takes them."""

from __future__ import annotations

import gzip
import lzma

import pytest

from lazymmu.lab.modules import read_modules
from lazymmu.problem import Problem
from tests.lab.test_kernel import package


def module(depends: str = "") -> bytes:
    """As much of a module as says what it needs."""
    return b"\x7fELF\0license=GPL\0depends=" + depends.encode() + b"\0vermagic=7.3.4\0"


FILES = {
    "./lib/modules/7.3.4/kernel/drivers/block/zram.ko.xz": lzma.compress(module("zsmalloc,lz-o")),
    "./lib/modules/7.3.4/kernel/mm/zsmalloc.ko.gz": gzip.compress(module()),
    "./lib/modules/7.3.4/kernel/lib/lz-o.ko": module("zsmalloc"),
    "./lib/modules/7.3.4/kernel/lib/odd.ko.lz4": b"odd",
    "./lib/modules/7.3.4/kernel/lib/bad.ko.xz": b"bad",
}


@pytest.fixture
def packed(tmp_path):
    """A package that holds them."""
    file = tmp_path / "linux-modules.deb"
    file.write_bytes(package(FILES, ".xz"))
    return str(file)


def test_a_module_comes_behind_those_that_it_needs(packed):
    """Each is unpacked, and once, whatever their order in the package is."""
    found = read_modules(packed, ["zram"])
    assert dict(found)["zram"] == module("zsmalloc,lz-o")
    names = [name for name, _ in found]
    assert set(names) == {"zram", "zsmalloc", "lz_o"}
    assert names[-1] == "zram"
    assert names.index("zsmalloc") < names.index("lz_o")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("brd", "there is no module brd in .*linux-modules-"),
        ("odd", "a module is packed as .lz4, which is not read"),
        ("bad", "a module is damaged"),
    ],
)
def test_a_module_that_cannot_be_had_is_one_sentence(packed, name, told):
    """It says which, where it was looked for, and where it may be."""
    with pytest.raises(Problem, match=told):
        read_modules(packed, [name])


def test_modules_that_need_each_other_do_not_go_round(tmp_path):
    """A package may say anything, and ends the search all the same."""
    file = tmp_path / "a.deb"
    file.write_bytes(package({"./a.ko": module("b"), "./b.ko": module("a")}, ""))
    assert {name for name, _ in read_modules(str(file), ["a"])} == {"a", "b"}
