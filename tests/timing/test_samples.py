# SPDX-License-Identifier: GPL-2.0-or-later
"""What one of something takes is the difference that it makes, or it is not measured."""

from __future__ import annotations

import ctypes
import itertools
import platform

import pytest

from lazymmu.timing.barriers import LOOP, barrier, code
from lazymmu.timing.hypercalls import hypercall
from lazymmu.timing.invalidations import invalidation
from lazymmu.timing.mapped import called, pages
from lazymmu.timing.samples import NotMeasured, Pair, measure


def made_up(with_, without, times=1):
    """A pair whose times come from lists, again and again."""
    ones, others = itertools.cycle(with_), itertools.cycle(without)
    return Pair(lambda: next(ones), lambda: next(others), times, "made up")


def test_a_difference_is_divided_among_those_that_made_it():
    """Ten in each call, 2,000 to 2,400 ns more: 220 each, 210 to 230 in half of all."""
    found = measure(made_up([3000, 3100, 3200, 3300, 3400], [1000], 10), 500)
    assert (found.low, found.median, found.high) == (210, 220, 230)
    assert found.samples == 500


def test_what_disturbs_both_disturbs_nothing():
    """A machine that slows down slows the call without it as well."""
    found = measure(made_up([500, 900, 5500], [300, 700, 5300]), 300)
    assert (found.low, found.median, found.high) == (200, 200, 200)


def test_what_is_lost_in_the_noise_is_not_measured():
    """A quarter of the samples say that it takes less than nothing."""
    with pytest.raises(NotMeasured, match="lost in the noise: with it 10 ns more, and -40 to 60"):
        measure(made_up([110, 60, 160, 60, 160], [100]), 500)


def test_the_loop_of_arm64_has_the_barriers_of_the_kernel_behind_its_store():
    """Disassembled: dsb ishst and isb, in the order of emit_pte_barriers(), and no more."""
    capstone = pytest.importorskip("capstone")
    reader = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    said = [
        [f"{one.mnemonic} {one.op_str}".strip() for one in reader.disasm(code(barriers=has), 0)]
        for has in (True, False)
    ]
    rest = ["subs x0, x0, #1", "b.ne #0", "ret"]
    assert said[0] == ["str x0, [x1]", "dsb ishst", "isb", *rest]
    assert said[1] == ["str x0, [x1]", "nop", "nop", *rest]
    assert LOOP > 1


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the code is of x86-64")
def test_code_in_memory_is_called_with_a_number_and_an_address():
    """By hand: lea rax, [rdi+1]; mov [rsi], rdi; ret."""
    place = ctypes.c_uint64()
    with called(bytes.fromhex("488d4701 48893e c3")) as function:
        assert function(41, ctypes.addressof(place)) == 42
    assert place.value == 41


def test_pages_are_written_to_and_protected():
    """What is no protection is refused with the kernel's reason."""
    with pages(2) as memory:
        memory.touch(1)
        memory.protect(1, 1)()
        with pytest.raises(NotMeasured, match=r"mprotect\(\) failed: Invalid argument"):
            memory.protect(1, 1 << 20)()


def test_an_invalidation_is_measured_by_calls_that_work(tmp_path):
    """On whatever machine this is: both calls take time, and leave the pages usable again."""
    with invalidation(tmp_path, "x86") as pair:
        assert all(pair.with_() > 0 and pair.without() > 0 for _ in range(20))


@pytest.mark.parametrize(
    ("guest", "said"), [("", "no guest of Xen"), ("HVM", "another kind, 'HVM'")]
)
def test_only_a_pv_guest_puts_hypercalls_off(tmp_path, guest, said):
    """Elsewhere the reason is said, with what it is."""
    if guest:
        xen(tmp_path, guest)
    with pytest.raises(NotMeasured, match=said), hypercall(tmp_path):
        pass


def test_a_hypercall_is_a_file_that_asks_the_hypervisor_against_one_that_does_not(tmp_path):
    """Both are read; an invalidation is a hypercall there."""
    xen(tmp_path, "PV")
    with hypercall(tmp_path) as pair:
        assert pair.with_() > 0
        assert pair.without() > 0
    with pytest.raises(NotMeasured, match="is a hypercall"), invalidation(tmp_path, "x86"):
        pass
    (tmp_path / "sys/hypervisor/version/major").unlink()
    with pytest.raises(NotMeasured, match="No such file"), hypercall(tmp_path):
        pass


def xen(root, guest):
    """The files of a guest of Xen."""
    folder = root / "sys/hypervisor"
    (folder / "version").mkdir(parents=True)
    for name, text in (("type", "xen\n"), ("guest_type", f"{guest}\n"), ("version/major", "4\n")):
        (folder / name).write_text(text)


def test_barriers_are_measured_on_arm64_alone(tmp_path):
    """And invalidations on powerpc where its MMU is the one that defers them."""
    with pytest.raises(NotMeasured, match="this is x86"), barrier("x86"):
        pass
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nMMU\t\t: Radix\n")
    with pytest.raises(NotMeasured, match="not the hash MMU"), invalidation(tmp_path, "powerpc"):
        pass
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nMMU\t\t: Hash\n")
    with invalidation(tmp_path, "powerpc") as pair:
        assert pair.times == 1
