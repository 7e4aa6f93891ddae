# SPDX-License-Identifier: GPL-2.0-or-later
"""Forms of a recording that are not read, and what makes one that is; and forms that wrap the text.

What cannot be read is named with its remedy: "no trace" helps nobody who has one.  Sources:
kernel/trace/trace_functions_graph.c, trace_output.c (trace_print_lat_context(), print_raw_fmt()),
Documentation/trace/ftrace.rst (trace_options), perf-script(1), bpftrace(8),
babeltrace-convert(1), strace(1).
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["TextWrapping", "addressed", "named", "packed", "remedy"]

_MAGICS: Final = (
    (b"\x04\x22\x4d\x18", "it is packed with lz4: unpack it, or pack it with zstd"),
    (b"PK\x03\x04", "it is a zip archive: unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it"),
    (b"\xff\xfe", "it is UTF-16, as PowerShell writes: iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "it is UTF-16: iconv -f UTF-16 -t UTF-8"),
    (b"PERFILE2", "it is a perf.data, which shows no callers: record with lazymmu record"),
    (b"\x7fELF", "it is a program or a core file (crash's trace command prints a core's trace)"),
    (b"%PDF", "it is a PDF"),
    (b'{"trace', "it is JSON, as Perfetto and Chrome write: text of tracefs is needed"),
    (b"[{", "it is JSON, as Chrome writes: text of tracefs is needed"),
)

_PACKED: Final = (
    (b"\x1f\x8b", "packed with gzip"),
    (b"\xfd7zXZ\x00", "packed with xz"),
    (b"BZh", "packed with bzip2"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"\x17\x08\x44tracing", "a trace.dat"),
)

_FORMS: Final = (
    (
        re.compile(
            rb"^# tracer: function_graph|^[^\n|]{0,80}\|[^\n|]{0,80}\|  +\w+\(\) ?[;{]", re.M
        ),
        "it is the function_graph tracer's, which shows no callers: echo function > current_tracer",
    ),
    (
        re.compile(
            rb"^ *\S[^\n]{0,20}? +\d+ +\d+ \d+ [0-9a-f]{8} [0-9a-f]{8} \[[0-9a-f]{8,16}\] ", re.M
        ),
        "it was printed with options/verbose: echo 0 > options/verbose, and print it again",
    ),
    (
        re.compile(rb"^[^\n\[]{0,60}\[\d+\] +\d+\.\d+: +(?:\d+ )?[\w-]+:[\w-]+:", re.M),
        "it is perf script's, which shows neither callers nor interrupts: record with lazymmu "
        "record",
    ),
    (
        re.compile(rb"^(?:\d+ \d+ \d+ [0-9a-f ]+|(?:[0-9a-f]{8,16} ){3,}[0-9a-f ]*)$", re.M),
        "it was printed as numbers: echo 0 > options/raw (hex, bin), and print it again",
    ),
    (
        re.compile(rb"^[^\n]{1,80}-\d{1,10} +\d{1,5}-0x[0-9a-f]{1,8} +\d{1,12}\.\d{1,9}: ", re.M),
        "its flags are numbers: trace-cmd report -l -N -O parent, without -R",
    ),
    (
        re.compile(
            rb"^(?:Kernel buffer statistics:|CPU: \d+\nentries: |task: [^\n]{1,80}-\d+\n +Event: )",
            re.M,
        ),
        "it is a summary of trace-cmd report, which has no lines: leave out --profile and --stat",
    ),
    (
        re.compile(rb"^(?:\w+ <-\w+|\w+: \w+=[^\n]*)$", re.M),
        "its lines have no task, CPU and time: echo 1 > options/context-info, and print it again",
    ),
    (
        re.compile(rb"^Attach(?:ing|ed) \d+ probes?\b|^@\w{0,40}\[", re.M),
        "it is of a bpftrace script that does not print lines of a trace: lazymmu probes "
        "--bpftrace makes one that does",
    ),
    (
        re.compile(rb"^\[[\d:.]{8,30}\] \(\+[?.\d]{1,20}\) [^\n]{1,80}?: \{", re.M),
        "it is LTTng's, as babeltrace prints it: record with lazymmu record",
    ),
    (
        re.compile(rb"^(?:\[pid +\d+\] |\d+ +)?(?:[\d:.]+ )?\w+\([^\n]*\) += -?\w+", re.M),
        "it is strace's, which shows system calls and not the kernel's functions: record with "
        "lazymmu record",
    ),
)

_ADDRESSES: Final = re.compile(
    rb"function:[ \t]+ip=0x[0-9a-f]+ parent_ip=0x|: 0x[0-9a-f]{8,16} <-0x[0-9a-f]{8,16}\b"
)


def named(magic: bytes) -> str:
    """What a file is that begins like this and is no trace: a phrase, or ""."""
    return next((words for begin, words in _MAGICS if magic.startswith(begin)), "")


def packed(magic: bytes) -> str:
    """Why what begins like this is not followed: a phrase, or ""."""
    for begin, words in _PACKED:
        if magic.startswith(begin):
            return f"it is {words}, which is not followed as it grows: read it when it is whole"
    return ""


def remedy(block: bytes) -> str:
    """What a text is of which no line is a record, or none shows a name, and what to do; or ""."""
    for form, words in _FORMS:
        if form.search(block) is not None:
            return words
    return ""


def addressed(block: bytes) -> str:
    """Why no function has a name in a text, and what to do; or ""."""
    if _ADDRESSES.search(block) is None:
        return ""
    return (
        "functions are shown as addresses: trace-cmd report without -R, or read the trace as root, "
        "on the machine that it was recorded on"
    )


_ELAPSED: Final = re.compile(rb"(?<=[0-9]: )\(\+\d{1,20}\)[ \t]+")
"""What `trace-cmd report --ts-diff` has behind a time: how long after the line before it is."""

_COLOURS: Final = re.compile(rb"\x1b\[[0-9;]{0,32}[A-Za-z]")
_ENTITIES: Final = {b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&#39;": b"'", b"&amp;": b"&"}
_ENTITY: Final = re.compile(b"|".join(_ENTITIES))


class TextWrapping:
    """Takes off what a terminal, a web page or trace-cmd has put into a text.

    Times between lines go where the first block has them.  Colours of a terminal (grep --color) go
    wherever they are.  A page's entities are taken back where its first block has no arrow but such
    a one: else a task's name may hold one.
    """

    def __init__(self) -> None:
        """Before the first block."""
        self._page: bool | None = None
        self._elapsed = False

    def off(self, block: bytes) -> bytes:
        """The block as it was before."""
        # One byte is found many times faster than two.
        if b"\x1b" in block:
            block = _COLOURS.sub(b"", block)
        if self._page is None:
            self._page = b" &lt;-" in block and b" <-" not in block
            self._elapsed = b": (+" in block and _ELAPSED.search(block) is not None
        if self._page:
            block = _ENTITY.sub(lambda found: _ENTITIES[found[0]], block)
        return _ELAPSED.sub(b"", block) if self._elapsed else block
