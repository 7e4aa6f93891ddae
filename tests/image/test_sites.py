# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions that touch the counters: found, told apart, and written as events."""

from __future__ import annotations

import io
import platform
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.image.btf import CounterLayout
from lazymmu.image.code import code_of
from lazymmu.image.elf import ElfFile
from lazymmu.image.error import ImageError
from lazymmu.image.sites import find_sites
from tests import images
from tests.images import ARM64, BEGIN, EC, END, PC, PID, Image, x86

LAYOUT = CounterLayout(PID, EC, PC, 1)


def found(image: Image):
    """What is found in an image."""
    return find_sites(code_of(ElfFile(io.BytesIO(image.build())), "made"), LAYOUT)


def lines(image: Image) -> list[str]:
    """The events, without what is fetched."""
    return [" ".join(one.line().split()[:2]) for one in found(image).probes]


def test_a_section_of_x86_shows_guard_begin_and_end():
    """A guard is one only where a beginning follows; the guard of an end is left out."""
    image = Image([("copy", BEGIN), ("zap", END)])
    assert lines(image) == [
        "p:lazymmu/ge1 copy+0x0",
        "p:lazymmu/en1 copy+0x9",
        "p:lazymmu/st1 zap+0x13",
    ]
    assert found(image).probes[2].fetched == (
        f"pid=+{PID}(%bx):s32 ec=+{EC}(%bx):u8 pc=+{PC}(%bx):u8 nv=%ax:u8"
    )


@pytest.mark.parametrize(
    ("code", "event"),
    [
        (b"\x41\x80\x87@EC@\x01", "en1 f+0x0 %r15"),  # addb $1, EC(%r15)
        (b"\x41\x80\x84\x24@EC@\x01", "en1 f+0x0 %r12"),  # addb $1, EC(%r12): with a SIB byte
        (b"\x80\xaf@EC@\x01", "di1 f+0x0 %di"),  # subb $1, EC(%rdi)
        (b"\x80\x87@EC@\xff", "di1 f+0x0 %di"),  # addb $-1, EC(%rdi)
        (b"\xfe\x87@EC@", "en1 f+0x0 %di"),  # incb EC(%rdi)
        (b"\xfe\x8f@PC@", "re1 f+0x0 %di"),  # decb PC(%rdi)
        (b"\x80\x87@PC@\x01", "pa1 f+0x0 %di"),  # addb $1, PC(%rdi)
        (b"\x8d\x50\x01\x88\x97@PC@", "pa1 f+0x3 %di"),  # lea 1(%rax), %edx; mov %dl, PC(%rdi)
        (b"\x83\xea\x01\x88\x97@PC@", "re1 f+0x3 %di"),  # sub $1, %edx; mov %dl, PC(%rdi)
        (b"\xc6\x87@EC@\x00", r"st1 f+0x0 %di \0"),  # movb $0, EC(%rdi)
        (b"\x44\x88\x87@EC@", "st1 f+0x0 %di %r8"),  # mov %r8b, EC(%rdi)
        (b"\x88\xa7@EC@", "st1 f+0x0 %di %ax:b8@8/16"),  # mov %ah, EC(%rdi)
    ],
)
def test_every_form_of_x86_is_known(code, event):
    """Whatever registers and forms a compiler takes, the event reads the right ones."""
    (probe,) = found(Image([("f", x86(code, b"\xc3"))])).probes
    name, place, base, *value = event.split()
    assert (probe.name, probe.place) == (name, place)
    assert f"ec=+{EC}({base}):u8" in probe.fetched
    assert [part for part in probe.fetched.split() if part.startswith("nv=")] == [
        f"nv={one}" if ":" in one else f"nv={one}:u8" for one in value
    ]


def test_what_changes_a_counter_otherwise_is_said():
    """An instruction without an event that changes a counter is a loss with its place."""
    image = Image([("f", x86(b"\x90\x80\xa7@PC@\x00\xc3"))])  # andb $0, PC(%rdi)
    assert found(image).probes == ()
    assert found(image).unseen == ("what changes a counter in a way that is not known: f+0x1 (1)",)


def test_the_address_of_the_counters_is_a_loss_that_is_said():
    """What goes through a pointer to the counters is not seen at its instruction."""
    image = Image([("f", x86(b"\x48\x8d\x8f@EC@\xc3"))])  # lea EC(%rdi), %rcx
    assert "take the counters' address" in found(image).unseen[0]


def test_arm64_reckons_addresses_that_its_loads_cannot_hold():
    """By an addition or an index: the event counts from the register that it has."""
    assert [one.line() for one in found(Image([("f", ARM64)], arch="arm64")).probes] == [
        "p:lazymmu/ge1 f+0x8 pid=-2648(%x8):s32 ec=+1448(%x8):u8 pc=+1449(%x8):u8",
        "p:lazymmu/st1 f+0x18 pid=-2648(%x8):s32 ec=+1448(%x8):u8 pc=+1449(%x8):u8 nv=%x11:u8",
        "p:lazymmu/st2 f+0x30 pid=+1448(%x0):s32 ec=+5544(%x0):u8 pc=+5545(%x0):u8 nv=%x2:u8",
    ]


def test_arm64_code_that_no_branch_leads_to_is_read():
    """A static key leads there once the kernel has set it."""
    ret = images.words(0xD65F03C0)
    probes = found(Image([("f", ret + ARM64)], arch="arm64")).probes
    assert [one.place for one in probes] == ["f+0xc", "f+0x1c", "f+0x34"]


def test_arm64_without_its_decoder_says_what_to_install(monkeypatch):
    """One sentence names the package and the extra that brings it."""
    monkeypatch.setitem(sys.modules, "capstone", None)
    with pytest.raises(ImageError, match="install capstone"):
        found(Image([("f", ARM64)], arch="arm64"))


@pytest.mark.parametrize("order", ["<", ">"])
def test_powerpc_is_read_in_both_orders_of_bytes(order):
    """Loads and stores of bytes hold the whole offset; pauses are told by what is added."""
    image = Image([("f", images.powerpc(order))], arch="powerpc", order=order)
    assert lines(image) == [
        "p:lazymmu/ge1 f+0x0",
        "p:lazymmu/st1 f+0x14",
        "p:lazymmu/pa1 f+0x24",
    ]


def test_sparc64_follows_numbers_through_delay_slots():
    """What is stored is known although probes cannot fetch its register; the task is in %g4."""
    image = Image([("f", images.sparc64())], arch="sparc", order=">")
    task = f"pid=+{images.PID}(%g4):s32 ec=+{images.EC}(%g4):u8 pc=+{images.PC}(%g4):u8"
    assert [one.line() for one in found(image).probes] == [
        f"p:lazymmu/ge1 f+0x14 {task}",
        f"p:lazymmu/en1 f+0x30 {task}",
        f"p:lazymmu/di1 f+0x48 {task}",
    ]


def test_a_register_that_probes_on_sparc64_cannot_fetch_is_said():
    """Another task's address in a local register: the place is named, and no probe is made."""
    code = images.words(
        0x9DE3BF50,  # save
        0x82102000 | images.EC >> 3,  # mov enable_count / 8, %g1
        0x83287003,  # sllx %g1, 3, %g1
        0xC40C0001,  # ldub [%l0 + %g1], %g2
        0x8400A001,  # add %g2, 1, %g2
        0xC42C0001,  # stb %g2, [%l0 + %g1]
        order=">",
    )
    answer = found(Image([("f", code)], arch="sparc", order=">"))
    assert answer.probes == ()
    assert any("f+0x14" in sentence for sentence in answer.unseen)


@given(st.binary(max_size=400))
def test_any_words_of_sparc64_are_read(code):
    """Whatever they are, a function ends somewhere."""
    found(Image([("f", code)], arch="sparc", order=">"))


def test_a_name_that_two_functions_have_is_told_from_the_beginning_of_the_code():
    """The kernel refuses a name that is not unique, and takes the distance from _text."""
    image = Image([("same", END), ("same", BEGIN)])
    assert lines(image)[1] == "p:lazymmu/ge1 _text+0x20"


def test_events_of_a_module_name_it():
    """A module's own code is probed by the module's name."""
    assert lines(Image([("f", BEGIN)], module="our_mod")) == [
        "p:lazymmu/ge1 our_mod:f+0x0",
        "p:lazymmu/en1 our_mod:f+0x9",
    ]


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc here")
@pytest.mark.parametrize("level", ["-O2", "-Os"])
def test_what_a_compiler_makes_of_the_api_is_found_whole(tmp_path, level):
    """Each call of a begin, end, pause and resume is found once, with its guard."""
    machine = platform.machine()
    if machine != "x86_64":
        pytest.skip("its code is for x86-64")
    (tmp_path / "a.c").write_text(
        f"""
struct task {{ char before[{EC}]; unsigned char enabled, paused; }};
struct task *now(void); void enter(void); void leave(void); void flush(void);
static inline __attribute__((always_inline)) void begin(struct task *t)
{{ if (t->paused) return; if (t->enabled++ == 0) enter(); }}
static inline __attribute__((always_inline)) void end(struct task *t)
{{ if (t->paused) return; if (--t->enabled == 0) leave(); else flush(); }}
void section(void) {{ struct task *t = now(); begin(t); flush(); end(t); }}
void stop(void) {{ struct task *t = now(); if (t->paused++ == 0) leave(); }}
void go(void) {{ struct task *t = now(); if (--t->paused == 0) enter(); }}
"""
    )
    subprocess.run(
        ["gcc", level, "-fcf-protection=none", "-c", "a.c", "-o", "a.o"], cwd=tmp_path, check=True
    )
    with (tmp_path / "a.o").open("rb") as stream:
        probes = find_sites(code_of(ElfFile(stream), "a.ko"), LAYOUT).probes
    kinds = {}
    for one in probes:
        kinds.setdefault(one.function, []).append(one.kind.value)
    assert kinds["stop"] == ["pa"]
    assert kinds["go"] == ["re"]
    assert kinds["section"][0] == "ge"
    assert [kind for kind in kinds["section"] if kind in ("en", "di", "st")][:2] in (
        ["st", "st"],
        ["en", "di"],
        ["en", "st"],
        ["st", "di"],
    )
