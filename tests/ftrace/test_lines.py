# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of traces in all their shapes, as real kernels and trace-cmd printed them."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lazymmu.ftrace import RecordKind, read

NORMAL = "          insmod-499     [000] .....     9.107628: xen_enter_lazy_mmu <-copy_page_range"
TGID = "            init-1       (      1) [001] ...2.    67.611739: paravirt_enter_lazy_mmu <-f"
IDLE = (
    "          <idle>-0       (-------) [001] d.h1.    99.754585: irq_handler_entry: irq=33 name=x"
)
NO_IRQ = "          insmod-499     [000]     9.107628: xen_enter_lazy_mmu <-copy_page_range"
OLD = "          insmod-499     [000] d..1     9.107628: xen_enter_lazy_mmu <-copy_page_range"
LATENCY = "  <idle>-0         0d.h1. 35904us!: irq_handler_entry: irq=28 name=callfuncsingle0"
LATENCY_2 = "    init-1         1..... 57144us+: vmap_small_pages_range_noflush <-__vmalloc_node"
CMD = "          insmod-727   [000]    70.777745: function:             xen_enter_lazy_mmu"
CMD_PARENT = "  insmod-727     0...1.    70.777745: function:             xen_enter_lazy_mmu <-- f"
CMD_RAW = "          insmod-727   [000]    70.777745: function:              ip=f parent_ip=g"
SPACES = (
    "   my odd - task-12      [003] dNs3.     1.000001: sched_waking: comm=insmod pid=514 prio=120"
)
LAZY = "            init-1       [001] .ls..     1.000001: softirq_exit: vec=7 [action=SCHED]"
COUNTS = "            init-1       [001] .....  123456789: xen_enter_lazy_mmu <-f"
ARGS = "            init-1       [001] .....     1.000001: xen_enter_lazy_mmu(mm=0x1) <-f"
OFFSET = (
    "            init-1       [001] .....     1.000001: foo+0x10/0x20 <-bar.constprop.0+0x1/0x9"
)
MODULE = "            init-1       [001] .....     1.000001: xfs_foo [xfs] <-xfs_bar [xfs]"
PRINTK = "          insmod-499     [000] .....     9.107527: 0xffffffffc020f1fd: lv: BEGIN ok <- a"
TRIMMED = "init-1 [001] ..... 1.000001: xen_enter_lazy_mmu <-f"


def records(*lines):
    """The records of these lines."""
    return list(read("made-up", io.BytesIO(("\n".join(lines) + "\n").encode())))


def one(line):
    """The only record of one line."""
    found = records(line)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("line", "comm", "pid", "cpu", "flags", "stamp"),
    [
        (NORMAL, "insmod", 499, 0, ".....", "9.107628"),
        (TGID, "init", 1, 1, "...2.", "67.611739"),
        (IDLE, "<idle>", 0, 1, "d.h1.", "99.754585"),
        (NO_IRQ, "insmod", 499, 0, "", "9.107628"),
        (OLD, "insmod", 499, 0, "d..1", "9.107628"),
        (LATENCY, "<idle>", 0, 0, "d.h1.", "35904"),
        (LATENCY_2, "init", 1, 1, ".....", "57144"),
        (CMD, "insmod", 727, 0, "", "70.777745"),
        (CMD_PARENT, "insmod", 727, 0, "...1.", "70.777745"),
        (SPACES, "my odd - task", 12, 3, "dNs3.", "1.000001"),
        (LAZY, "init", 1, 1, ".ls..", "1.000001"),
        (COUNTS, "init", 1, 1, ".....", "123456789"),
        (TRIMMED, "init", 1, 1, ".....", "1.000001"),
    ],
)
def test_the_columns_of_every_format(line, comm, pid, cpu, flags, stamp):
    """Task, CPU, flags and time, whatever is left out or glued together."""
    record = one(line)
    assert (record.comm, record.pid, record.cpu) == (comm, pid, cpu)
    assert (record.flags, record.stamp) == (flags, stamp)
    assert record.time == float(stamp)


@pytest.mark.parametrize(
    ("line", "kind", "name", "caller"),
    [
        (NORMAL, RecordKind.FUNCTION, "xen_enter_lazy_mmu", "copy_page_range"),
        (CMD, RecordKind.FUNCTION, "xen_enter_lazy_mmu", ""),
        (CMD_PARENT, RecordKind.FUNCTION, "xen_enter_lazy_mmu", "f"),
        (CMD_RAW, RecordKind.FUNCTION, "f", "g"),
        (ARGS, RecordKind.FUNCTION, "xen_enter_lazy_mmu", "f"),
        (OFFSET, RecordKind.FUNCTION, "foo", "bar"),
        (MODULE, RecordKind.FUNCTION, "xfs_foo", "xfs_bar"),
        (LATENCY, RecordKind.EVENT, "irq_handler_entry", ""),
        (PRINTK, RecordKind.EVENT, "0xffffffffc020f1fd", ""),
    ],
)
def test_what_a_line_says(line, kind, name, caller):
    """Functions with their callers, without what the tracer and the compiler add; events."""
    record = one(line)
    assert (record.kind, record.name, record.caller) == (kind, name, caller)


def test_the_thread_group_is_kept_where_it_is_recorded():
    """options/record-tgid adds a column, dashes for idle."""
    assert [r.tgid for r in records(TGID, IDLE)] == [1, -1]


def test_fields_of_events():
    """key=value pairs; sched_switch from both printers; values may hold blanks."""
    prefix = "            init-1       [001] d..2.     1.000001: "
    kernel = one(
        prefix + "sched_switch: prev_comm=a b prev_pid=1 prev_prio=120 prev_state=R+ ==> "
        "next_comm=swapper/1 next_pid=0 next_prio=120"
    )
    plugin = one(prefix + "sched_switch: a b:1 [120] R ==> swapper/1:0 [120]")
    assert kernel.fields["prev_comm"] == plugin.fields["prev_comm"] == "a b"
    assert (kernel.fields["prev_state"], plugin.fields["prev_state"]) == ("R+", "R")
    assert kernel.fields["next_pid"] == plugin.fields["next_pid"] == "0"
    probe = one(prefix + "sw: (__probestub_sched_switch+0x4/0x20) pid=1 npid=171 ec=0 pc=0 st=8193")
    assert dict(probe.fields) == {"pid": "1", "npid": "171", "ec": "0", "pc": "0", "st": "8193"}
    named = one(prefix + "sched_process_exit: comm=my task pid=77 prio=120")
    assert dict(named.fields) == {"comm": "my task", "pid": "77", "prio": "120"}


def test_a_stack_is_one_record():
    """Frames innermost first, of both printers; they are no records of their own."""
    stack = "            init-1       [001] d..2.     1.000001: <stack trace>"
    frames = [" => [FTRACE TRAMPOLINE]", " => __schedule", " => msleep+0x1/0x2"]
    found = records(NORMAL, stack, *frames, NORMAL)
    assert [r.kind for r in found] == [RecordKind.FUNCTION, RecordKind.STACK, RecordKind.FUNCTION]
    assert found[1].frames == ("[FTRACE TRAMPOLINE]", "__schedule", "msleep")
    assert [r.line for r in found] == [1, 2, 6]
    cmd = "          init-1     [001]    1.000001: kernel_stack:         <stack trace >"
    found = records(cmd, "=> __schedule (ffffffff81)", "=> msleep (ffffffff82)")
    assert found[0].frames == ("__schedule", "msleep")


def test_a_header_tells_what_it_knows():
    """Records written and kept, CPUs, and in the latency format the kernel."""
    text = (
        "# tracer: function\n#\n"
        "# function latency trace v1.1.5 on 6.18.15+deb13-amd64\n"
        "# latency: 0 us, #10/274810, CPU#0 | (M:PREEMPT(lazy) VP:0, KP:0, SP:0 HP:0 #P:2)\n#\n"
    )
    trace = read("made-up", io.BytesIO((text + LATENCY + "\n").encode()))
    assert len(list(trace)) == 1
    header = trace.header
    assert header.release == "6.18.15+deb13-amd64"
    assert (header.entries, header.written, header.cpus) == (10, 274810, 2)
    assert header.format == "latency"


@pytest.mark.parametrize(
    ("mark", "cpu", "count"),
    [
        ("CPU:1 [LOST 123 EVENTS]", 1, 123),
        ("CPU:0 [LOST EVENTS]", 0, None),
        ("CPU:1 [77 EVENTS DROPPED]", 1, 77),
        ("CPU:1 [EVENTS DROPPED]", 1, None),
        ("##### CPU 2 buffer started ####", 2, None),
    ],
)
def test_marks_of_lost_records_are_losses(mark, cpu, count):
    """They are told with their line, and are no records."""
    trace = read("made-up", io.BytesIO(f"{NORMAL}\n{mark}\n{NORMAL}\n".encode()))
    assert len(list(trace)) == 2
    assert [(loss.line, loss.cpu, loss.count) for loss in trace.losses] == [(2, cpu, count)]


def test_needles_pick_lines_and_keep_their_numbers():
    """The same records as by looking at every line, with the same numbers."""
    lines = [NORMAL, IDLE.replace("(-------) ", ""), PRINTK, NORMAL, SPACES] * 40
    text = ("\n".join(lines) + "\n").encode()
    every = [(r.line, r.name) for r in read("a", io.BytesIO(text)) if "lazy" in r.name]
    picked = [(r.line, r.name) for r in read("a", io.BytesIO(text)).records([b"_lazy_mmu"])]
    assert picked == every
    assert len(picked) == 80


@given(
    st.binary(min_size=0, max_size=15).filter(lambda b: b"\n" not in b),
    st.integers(0, 4194304),
    st.integers(0, 8191),
)
@example(b"# tracer: ", 0, 0)
def test_any_name_of_a_task_is_taken_as_it_is(comm, pid, cpu):
    """A name is 15 bytes of anything; pid and CPU are the numbers after it."""
    line = b"%16s-%-7d [%03d] ..... %5d.%06d: xen_enter_lazy_mmu <-f\n" % (comm, pid, cpu, 7, 9)
    found = list(read("made-up", io.BytesIO(line * 2)))
    assert [(r.pid, r.cpu, r.name) for r in found] == [(pid, cpu, "xen_enter_lazy_mmu")] * 2
    assert found[0].raw_comm == comm.rjust(16).strip()


def test_blocks_do_not_show():
    """A trace of several blocks has the same records as its lines one by one."""
    lines = []
    for number in range(40_000):
        lines.append(f"            init-1       [001] ..... {number:12}: f{number % 7} <-g")
        if number % 3 == 0:
            lines += [f"            init-1       [001] ..... {number:12}: <stack trace>", " => h"]
    found = records(*lines)
    assert len(found) == 40_000 + 13_334
    assert all(r.frames == ("h",) for r in found if r.kind is RecordKind.STACK)
    assert found[-1].line == len(lines) - 1
