# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of kernels that tests make: an ELF file with code, symbols and types, byte by byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

EC, PC, PID = 5544, 5545, 1448
"""Where the counters and the process's number are in the task of these images."""

MACHINES = {"x86": 62, "arm64": 183, "powerpc": 21, "sparc": 43}
TEXT = 0xFFFFFFFF81000000


def types(order: str = "<", *, width: int = 1, state: bool = True, circle: bool = False) -> bytes:
    """BTF of a task_struct: the counters in a nameless part and behind a typedef, as kernels do."""
    names = bytearray(b"\0")

    def name(text: str) -> int:
        names.extend(text.encode() + b"\0")
        return len(names) - len(text) - 1

    def kind(number: int, text: str, size: int, parts: int = 0) -> bytes:
        return struct.pack(order + "III", name(text) if text else 0, number << 24 | parts, size)

    def member(text: str, of: int, at: int) -> bytes:
        return struct.pack(order + "III", name(text) if text else 0, of, at * 8)

    made = [
        kind(1, "unsigned char", width) + struct.pack(order + "I", 8 * width),
        kind(1, "int", 4) + struct.pack(order + "I", 1 << 24 | 32),
        kind(8, "u8", 3 if circle else 1),
        kind(4, "lazy_mmu_state", 2 * width, 2)
        + member("enable_count", 3, 0)
        + member("pause_count", 3, width),
        kind(4, "", 8000, 2 if state else 1)
        + member("pid", 2, PID - 64)
        + (member("lazy_mmu_state", 4, EC - 64) if state else b""),
        kind(6, "color", 4, 1) + struct.pack(order + "Ii", name("RED"), 0),
        kind(4, "task_struct", 9000, 2) + member("flags", 2, 0) + member("", 5, 64),
    ]
    body = b"".join(made)
    head = struct.pack(order + "HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(names))
    return head + body + bytes(names)


@dataclass
class Image:
    """An image; functions: name and code, one behind the other; the rest as fields are called."""

    functions: list[tuple[str, bytes]]
    arch: str = "x86"
    order: str = "<"
    module: str = ""
    types: bytes | None = field(default_factory=types)
    stripped: bool = False
    dwarf: tuple[bytes, bytes] | None = None

    def build(self) -> bytes:
        """The bytes of the file."""
        base = 0 if self.module else TEXT
        code, strings, symbols = b"", b"\0", bytes(24)
        if not self.module:
            strings += b"_text\0"
            symbols += struct.pack(self.order + "IBBHQQ", 1, 0x10, 0, 1, base, 0)
        for name, body in self.functions:
            symbols += struct.pack(
                self.order + "IBBHQQ", len(strings), 0x12, 0, 1, base + len(code), len(body)
            )
            strings += name.encode() + b"\0"
            code += body + b"\x90" * (-len(body) % 16)
        parts = [(".text", 1, 0x6, base, code, 0), (".strtab", 3, 0, 0, strings, 0)]
        if not self.stripped:
            parts.append((".symtab", 2, 0, 0, symbols, 2))
        if self.module:
            parts.append((".modinfo", 1, 2, 0, f"name={self.module}\0".encode(), 0))
        else:
            parts.append((".rodata", 1, 2, 0, b"Linux version 7.3.4-made (x) ", 0))
        if self.types is not None:
            parts.append((".BTF", 1, 0, 0, self.types, 0))
        if self.dwarf is not None:
            parts.append((".debug_abbrev", 1, 0, 0, self.dwarf[0], 0))
            parts.append((".debug_info", 1, 0, 0, self.dwarf[1], 0))
        return self._file(parts)

    def _file(self, parts: list[tuple[str, int, int, int, bytes, int]]) -> bytes:
        names = b"\0" + b"".join(one[0].encode() + b"\0" for one in parts) + b".shstrtab\0"
        parts = [*parts, (".shstrtab", 3, 0, 0, names, 0)]
        table, body = [bytes(64)], b""
        for name, kind, flags, address, content, link in parts:
            at = names.index(name.encode() + b"\0")
            table.append(
                struct.pack(
                    self.order + "IIQQQQIIQQ",
                    *(
                        at,
                        kind,
                        flags,
                        address,
                        64 + len(body),
                        len(content),
                        link,
                        0,
                        1,
                        24 * (kind == 2),
                    ),
                )
            )
            body += content
        head = b"\x7fELF\x02" + (b"\x01" if self.order == "<" else b"\x02") + b"\x01" + bytes(9)
        head += struct.pack(
            self.order + "HHIQQQIHHHHHH",
            *(1 if self.module else 2, MACHINES[self.arch], 1, 0, 0, 64 + len(body), 0),
            *(64, 0, 0, 64, len(table), len(table) - 1),
        )
        return head + body + b"".join(table)


def x86(*parts: bytes) -> bytes:
    """Code of x86-64 with EC and PC for the displacements."""
    return (
        b"".join(parts)
        .replace(b"@EC@", struct.pack("<i", EC))
        .replace(b"@PC@", struct.pack("<i", PC))
    )


BEGIN = x86(
    b"\x80\xb8@PC@\x00",  # cmpb $0, pause_count(%rax)
    b"\x75\x07",  # jne
    b"\x80\x80@EC@\x01",  # addb $1, enable_count(%rax)
    b"\xc3",
)
"""A function that begins a section, as v7.2 and later are compiled: guard, and an addition."""

END = x86(
    b"\x80\xbb@PC@\x00",  # cmpb $0, pause_count(%rbx)
    b"\x75\x11",  # jne
    b"\x0f\xb6\x83@EC@",  # movzbl enable_count(%rbx), %eax
    b"\x83\xe8\x01",  # sub $1, %eax
    b"\x88\x83@EC@",  # mov %al, enable_count(%rbx)
    b"\xc3",
)
"""A function that ends one: guard, and a store."""


def words(*numbers: int, order: str = "<") -> bytes:
    """Code of an architecture whose instructions have four bytes."""
    return struct.pack(f"{order}{len(numbers)}I", *numbers)


ARM64 = words(
    0xD5384100,  # mrs x0, sp_el0
    0x91400408,  # add x8, x0, #1, lsl #12
    0x39400000 | (PC & 0xFFF) << 10 | 8 << 5 | 9,  # ldrb w9, [x8, #pause_count - 4096]
    0x350000A9,  # cbnz w9, behind
    0x39400000 | (EC & 0xFFF) << 10 | 8 << 5 | 10,  # ldrb w10, [x8, #enable_count - 4096]
    0x1100054B,  # add w11, w10, #1
    0x39000000 | (EC & 0xFFF) << 10 | 8 << 5 | 11,  # strb w11, [x8, #enable_count - 4096]
    0x94000000,  # bl
    0xD5384100,  # mrs x0, sp_el0
    0x52800000 | EC << 5 | 3,  # mov w3, #enable_count
    0x38636802,  # ldrb w2, [x0, x3]
    0x51000442,  # sub w2, w2, #1
    0x38236802,  # strb w2, [x0, x3]
    0xD65F03C0,  # ret
)
"""A section's begin and end: one address by an addition, the other by an index."""


def powerpc(order: str = "<") -> bytes:
    """A section's begin, and a pause."""
    return words(
        34 << 26 | 9 << 21 | 5 << 16 | PC,  # lbz r9, pause_count(r5)
        0x2C090000,  # cmpwi r9, 0
        0x40820014,  # bne
        34 << 26 | 10 << 21 | 5 << 16 | EC,  # lbz r10, enable_count(r5)
        14 << 26 | 10 << 21 | 10 << 16 | 1,  # addi r10, r10, 1
        38 << 26 | 10 << 21 | 5 << 16 | EC,  # stb r10, enable_count(r5)
        0x4E800020,  # blr
        34 << 26 | 9 << 21 | 6 << 16 | PC,  # lbz r9, pause_count(r6)
        14 << 26 | 9 << 21 | 9 << 16 | 1,  # addi r9, r9, 1
        38 << 26 | 9 << 21 | 6 << 16 | PC,  # stb r9, pause_count(r6)
        0x4E800020,
        order=order,
    )


def sparc64() -> bytes:
    """A section's begin and end with the task in %g4: guard and count by a number that is reckoned.

    The branches have delay slots, one of which is left out where the branch is not taken.
    """
    return words(
        0x9DE3BF50,  # save %sp, -176, %sp
        0xBA100004,  # mov %g4, %i5
        0x82102000 | EC >> 3,  # mov enable_count / 8, %g1
        0x83287003,  # sllx %g1, 3, %g1
        0x84074001,  # add %i5, %g1, %g2
        0xC408A000 | PC - EC,  # ldub [%g2 + 1], %g2
        0x80A0A000,  # cmp %g2, 0
        0x32400006,  # bne,a behind
        0x82102000 | EC >> 3,  # mov enable_count / 8, %g1
        0xC40F4001,  # ldub [%i5 + %g1], %g2
        0x8600A001,  # add %g2, 1, %g3
        0x7FFFFFFF,  # call
        0xC62F4001,  # stb %g3, [%i5 + %g1]
        0x03000000 | EC >> 10,  # behind: sethi %hi(enable_count), %g1
        0x82106000 | EC & 0x3FF,  # or %g1, %lo(enable_count), %g1
        0xFA090001,  # ldub [%g4 + %g1], %i5
        0xBA077FFF,  # add %i5, -1, %i5
        0x81C7E008,  # ret
        0xFA290001,  # stb %i5, [%g4 + %g1]
        order=">",
    )


_ABBREVIATIONS = bytes.fromhex(
    "01110100 00"  # 1: a unit with parts
    "02130103080b050000"  # 2: a structure: name, size (data2)
    "030d0003084913380500 00"  # 3: a member: name, type (ref4), place (data2)
    "040d00491338050000"  # 4: a nameless member
    "0524000308 0b0b0000"  # 5: a base type: name, size (data1)
    "0616000308491300 00"  # 6: a typedef: name, type
    "071301 0b05 0000"  # 7: a nameless structure
    "08130003083c190000"  # 8: a structure that is only declared
    "00".replace(" ", "")
)


def dwarf(*, state: bool = True, width: int = 1) -> tuple[bytes, bytes]:
    """DWARF of the same task: .debug_abbrev and .debug_info, big endian, of version 4."""
    begin = 11
    body = b"\x01" + b"\x08task_struct\0"
    places: dict[str, int] = {}

    def entry(name: str, content: bytes) -> None:
        nonlocal body
        places[name] = begin + len(body)
        body += content

    def reference(name: str) -> bytes:
        return struct.pack(">I", places[name])

    entry("u8 itself", b"\x05unsigned char\0" + bytes([width]))
    entry("int", b"\x05int\0\x04")
    entry("u8", b"\x06u8\0" + reference("u8 itself"))
    entry("state", b"\x02lazy_mmu_state\0" + struct.pack(">H", 2 * width))
    body += b"\x03enable_count\0" + reference("u8") + struct.pack(">H", 0)
    body += b"\x03pause_count\0" + reference("u8") + struct.pack(">H", width) + b"\0"
    entry("part", b"\x07" + struct.pack(">H", 8000))
    body += b"\x03pid\0" + reference("int") + struct.pack(">H", PID - 64)
    if state:
        body += b"\x03lazy_mmu_state\0" + reference("state") + struct.pack(">H", EC - 64)
    body += b"\0"
    body += b"\x02task_struct\0" + struct.pack(">H", 9000)
    body += b"\x04" + reference("part") + struct.pack(">H", 64) + b"\0\0"
    head = struct.pack(">IHIB", len(body) + 7, 4, 0, 8)
    return _ABBREVIATIONS, head + body
