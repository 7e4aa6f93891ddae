# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the counters are, from debugging information where an image has no BTF."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.image.btf import CounterLayout
from lazymmu.image.dwarf import dwarf_counters
from lazymmu.image.error import ImageError
from lazymmu.verbs.probes import ProbesRequest, find_probes
from tests import images
from tests.images import EC, PC, PID, Image, dwarf


def image(content: tuple[bytes, bytes] | None) -> Image:
    """An image of sparc64 with this debugging information."""
    return Image([("f", images.sparc64())], arch="sparc", order=">", types=None, dwarf=content)


def read(content: tuple[bytes, bytes] | None) -> CounterLayout:
    """What is read of it."""
    return dwarf_counters(io.BytesIO(image(content).build()))


def test_the_task_is_found_behind_a_declaration_a_typedef_and_a_nameless_part():
    """The same places as from BTF."""
    assert read(dwarf()) == CounterLayout(PID, EC, PC, 1)


def test_probes_of_an_image_without_btf_are_found(tmp_path):
    """They are those that `lazymmu probes --vmlinux` prints for it."""
    path = tmp_path / "vmlinux"
    path.write_bytes(image(dwarf()).build())
    answer = find_probes(ProbesRequest(vmlinux=str(path)))
    assert [one.place for one in answer.found[0].probes] == ["f+0x14", "f+0x30", "f+0x48"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (dwarf(state=False), "has no lazy_mmu_state"),
        (dwarf(width=8), "no integers of one width"),
        ((dwarf()[0], dwarf()[1][:30]), "debugging information"),
        ((b"", dwarf()[1]), "debugging information"),
    ],
)
def test_what_is_wrong_with_it_is_a_sentence(content, sentence):
    """An older kernel, nonsense, and damage."""
    with pytest.raises(ImageError, match=sentence):
        read(content)


def test_without_its_reader_it_says_what_to_install(monkeypatch):
    """The sentence names the extra that has to be installed."""
    monkeypatch.setitem(sys.modules, "elftools.elf.elffile", None)
    with pytest.raises(ImageError, match="pyelftools"):
        read(dwarf())


@given(st.data())
def test_damage_is_a_sentence_wherever_it_is(data):
    """Some bytes of it are others: it is read, or refused."""
    abbreviations, information = (bytearray(part) for part in dwarf())
    for part in (abbreviations, information):
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(part) - 1))
            part[at] = data.draw(st.integers(0, 255))
    try:
        assert read((bytes(abbreviations), bytes(information))).width in (1, 2, 4)
    except ImageError as error:
        assert "\n" not in str(error)
