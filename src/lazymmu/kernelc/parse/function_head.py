# SPDX-License-Identifier: GPL-2.0-or-later
"""The head of a function: where its name is, and how to make a C head of it.

Kernel heads carry attributes before and after the name, return types on lines of their own,
macros that stand in place of the whole head (SYSCALL_DEFINE3), and sometimes macros in front that
are not part of them. All is read by structure: which words are types and which are attributes
follows from their place and number, and a list of attribute names decides the rest.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lazymmu.kernelc.parse.lexemes import COMMENT, STRING, blank, closing, fill

__all__ = ["ATTRIBUTES", "ATTRIBUTE_CALLS", "DIRECTIVE", "Head", "mask_head", "read_head"]


class Head(NamedTuple):
    """What stands before the `{` of a function; offsets are relative to the head.

    :param start: where the function begins, behind macros that stand before it without a semicolon.
    :param name: the function's, `sys_x` for SYSCALL_DEFINEn(x, ...), `compat_sys_x` for its compat
        forms, else the first argument of the macro that makes it.
    :param at: where the name or that macro begins.
    :param open: the parentheses behind it.
    :param close: likewise.
    :param maker: the macro's name, or empty.
    """

    start: int
    name: str
    at: int
    open: int
    close: int
    maker: str


ATTRIBUTES = frozenset(
    b"""
    __aligned_largest __always_inline __always_unused __always_used __annotate_jump_table
    __arg_ctx asmlinkage __attribute_const__ __bitwise __bpf_kfunc __bpfcall __bss_decrypted
    __bss_pgtbl ____cacheline_aligned __cacheline_aligned ____cacheline_aligned_in_smp
    __cacheline_aligned_in_smp ____cacheline_internodealigned_in_smp __cold __const__ __cpuidle
    __deprecated __designated_init __disable_sanitizer_instrumentation __efiapi
    __exception_irq_entry __exit __exitdata fastcall __flatten __force __function_aligned
    __gnu_inline __init __init_memblock __init_or_module __initconst
    __initconst_or_module __initdata __initdata_memblock __initdata_or_meminfo
    __initdata_or_module __inline __inline__ __iomem __irq_entry __kernel __kprobes
    __latent_entropy __lockfunc __malloc __maybe_unused __meminit __meminitconst __meminitdata
    __must_check __net_exit __net_init __net_initdata __no_caller_saved_registers
    __no_context_analysis __no_kasan_or_inline __no_kcsan __no_kmsan_checks __no_kstack_erase
    __no_profile __no_randomize_layout __no_sanitize_address __no_sanitize_coverage
    __no_sanitize_memory __no_sanitize_or_inline __no_sanitize_thread __no_sanitize_undefined
    __no_stack_protector __nocast __nocfi __noclone __noendbr __noinitretpoline noinline
    noinline_for_kasan noinline_for_stack noinline_for_tracing noinstr __noipa nokprobe_inline
    __nonstring __noreturn __nosavedata __noscs notrace __overloadable __packed
    __page_aligned_bss __page_aligned_data __percpu __percpu_qual __private __prombss __pure
    __randomize_layout __rcu __read_mostly __ref __refconst __refdata __restrict __restrict__
    __retain __ro_after_init __safe __seg_fs __seg_gs __signed__ __softirq_entry
    __tracepoint_string __uninitialized __unused __used __user __visible __weak
    """.split()
)
"""Words that say how to compile or place a thing and nothing about what it does: compiler_types.h,
compiler_attributes.h, init.h, cache.h, linkage.h and kprobes.h of include/linux."""

ATTRIBUTE_CALLS = frozenset(
    b"""
    __access __acquires __acquires_ret __acquires_shared __acquires_shared_ret __alias __aligned
    __alloc_size __assume_aligned __attribute __attribute__ __cleanup __compiletime_error
    __compiletime_warning __cond_acquires __cond_acquires_shared __cond_releases __copy
    __counted_by __counted_by_be __counted_by_le __declspec __diagnose_as __error __free
    __guarded_by __malloc __must_hold __must_hold_shared __must_not_hold __nonnull
    __nonnull_args __printf __pt_guarded_by __realloc_size __releases __releases_shared __scanf
    __section
    """.split()
)
"""Likewise with arguments; `__free(x)` is a cleanup attribute of include/linux/cleanup.h."""

DIRECTIVE = re.compile(rb"^[ \t]*#(?:[^\\\n]|\\\r?[\s\S])*", re.M)

_NOISE = re.compile(COMMENT + rb"|//[^\n]*+|" + STRING)
_SIMPLE = re.compile(rb"([\w \t\n*]*[\s*])([A-Za-z_]\w*)[ \t]*\(([^()]*)\)\s*\Z")
_PLAIN = re.compile(
    rb"\s*+(?>(?:(?:static|inline|extern|const)\b\s*+)*)(?:(?:struct|union|enum)\s++\w++"
    rb"|(?>(?:(?:void|int|char|long|short|unsigned|signed|bool|float|double)\b\s*+)+)"
    rb"|(?!const\b|volatile\b|if\b|while\b|for\b|switch\b|else\b|do\b|return\b)\w++)\s*+"
    rb"(?>(?:const\b\s*+)?)(?>(?:\*\s*+)*)[A-Za-z_]\w*+\s*+"
    rb"\((?>(?:[^()*\[]++|\[\w*+\]|\*\s*+(?>(?:const\b\s*+)?)\w*+(?=\s*[,)\[]))*)\)\s*+\Z"
)
"""A head that needs no change."""
_EXPRESSION = re.compile(rb"[?:&|<>!+/%^~-]")
"""What may stand before a call in the body of a macro, and not before the name of a function."""
_GROUP = re.compile(rb"([A-Za-z_]\w*+)?[ \t\n]*+\(")
_WORD = re.compile(rb"[A-Za-z_]\w*+")
_RETURNS_FUNCTION = re.compile(rb"[\s*]*+([A-Za-z_]\w*+)\s*+\(")
_FIRST_ARGUMENT = re.compile(rb"\s*+([A-Za-z_]\w*+)\s*+[,)]")
_MAKER = re.compile(rb"_*[A-Z][A-Z0-9_]*[A-Z0-9](?:_[a-z0-9]+)?\Z")
"""A macro in place of a head is upper case: SYSCALL_DEFINE3, BPF_CALL_2, DEFINE_IDTENTRY."""
_SYSCALL = re.compile(r"(COMPAT_)?(?:SYSCALL|SYSCALL32|SYSCALL_COMPAT|SYSCALL_METADATA)_DEFINE\d\Z")
_POINTER_WORDS = re.compile(rb"\*([^,()*\[\]]*)(?=[,)\[])")
_SIZED = re.compile(rb"\[\s*(\w++)\s++(?=\w)")
_PARAM_CALL = re.compile(rb"\w\s++(_*[A-Z]\w*+)\s*+\(")
_CALL = re.compile(rb"\s*+[A-Za-z_]\w*+\s*+\(\s*+\w++\s*+\)\s*+\Z")

_STORAGE = frozenset({b"static", b"extern", b"inline", b"register", b"typedef"}) | ATTRIBUTES
_QUALIFIERS = frozenset(
    {b"static", b"extern", b"inline", b"register", b"const", b"volatile", b"restrict", b"_Noreturn"}
)
_AGGREGATES = frozenset({b"struct", b"union", b"enum"})
_CONTROL = frozenset({b"if", b"while", b"for", b"switch", b"do", b"else", b"return", b"sizeof"})
_TYPES = frozenset(
    {b"void", b"int", b"char", b"long", b"short", b"unsigned", b"signed", b"float", b"double"}
)
_PREFIXES = ATTRIBUTE_CALLS | frozenset(
    {b"typeof", b"__typeof__", b"__typeof", b"typeof_unqual", b"asm", b"__asm__", b"__deprecated"}
)
_NO_NAMES = _PREFIXES | _TYPES | _CONTROL


def read_head(head: bytes) -> Head | None:
    """Read what stands before a `{` at file level; None if it is not the head of a function.

    `head` is the text from a left margin up to the brace, comments and directives included.
    """
    simple = _SIMPLE.match(head)
    if simple is not None:
        word = simple[2]
        if word not in _NO_NAMES and not word.isupper():
            opened, closed = simple.span(3)
            return Head(0, word.decode("ascii"), simple.start(2), opened - 1, closed, "")
    text = head
    if b"/" in head or b'"' in head:
        text = _NOISE.sub(lambda noise: blank(noise[0]), text)
    if b"#" in text:
        text = DIRECTIVE.sub(lambda line: blank(line[0]), text)
    fallback: Head | None = None
    position = 0
    while (group := _GROUP.search(text, position)) is not None:
        opened = group.end() - 1
        closed = closing(text, opened)
        if closed < 0:
            return None
        position = closed + 1
        word = group[1]
        if word is None or word in _PREFIXES:
            continue
        if word in _CONTROL:
            return None
        at = group.start()
        if word in _TYPES:
            # A function that returns a pointer to a function: int (*name(args))(args).
            inner = _RETURNS_FUNCTION.match(text, opened + 1, closed)
            if inner is None:
                continue
            at, opened, word = inner.start(1), inner.end() - 1, inner[1]
            closed = closing(text, opened)
        start = _true_start(text, at)
        before = _WORD.findall(text, start, at)
        if all(words in _STORAGE for words in before):
            # No return type: a macro in place of the head, or a macro on a line of its own.
            made = _made(text, start, at, opened, closed)
            if made is None and before and fallback is None:
                made = Head(start, word.decode("ascii"), at, opened, closed, "")
            fallback = made or fallback
            continue
        if before[0] in _AGGREGATES and len(before) < 2:
            continue
        return Head(start, word.decode("ascii"), at, opened, closed, "")
    return fallback


def _made(text: bytes, start: int, at: int, opened: int, closed: int) -> Head | None:
    """Read SYSCALL_DEFINE2(name, ...) and its like."""
    maker = text[at:opened].strip()
    inner = _FIRST_ARGUMENT.match(text, opened + 1, closed + 1)
    if inner is None or not _MAKER.match(maker):
        return None
    name, made_by = inner[1].decode("ascii"), maker.decode("ascii")
    if call := _SYSCALL.match(made_by):
        name = ("compat_sys_" if call[1] else "sys_") + name
    return Head(start, name, at, opened, closed, made_by)


def _true_start(text: bytes, at: int) -> int:
    """Where the definition whose name is at `at` begins.

    Macros on lines of their own before it, without a semicolon, are not part of it, nor is
    anything before a blank line (a directive has been blanked).
    """
    line = text.rfind(b"\n", 0, at) + 1
    while line > 0:
        previous = text.rfind(b"\n", 0, line - 1) + 1
        piece = text[previous : line - 1].strip()
        if not piece:
            break
        if piece.endswith(b")"):
            word = _WORD.match(piece)
            if word and piece[word.end() : word.end() + 1] == b"(" and word[0] not in _PREFIXES:
                break
        line = previous
    while line < at and text[line] in b" \t\n":
        line += 1
    return line


def mask_head(out: bytearray, brace: int) -> bool:
    """Make the head of a function, out[:brace], a head that a C grammar knows.

    Comments and strings must have been blanked. Returns whether it is a head; what is none, as in
    the body of a macro, is left as it is.
    """
    raw = bytes(out[:brace])
    if _PLAIN.match(raw):
        return True
    head = read_head(raw) if b"(" in raw and b";" not in raw and b"=" not in raw else None
    if head is None or _EXPRESSION.search(raw, 0, head.at):
        return False
    out[: head.start] = blank(raw[: head.start])
    if head.maker:
        _mask_maker(out, raw, head)
    else:
        _mask_params(out, raw, head)
    if raw.count(b"(", head.start, head.at) == raw.count(b")", head.start, head.at):
        out[head.close + 1 : brace] = blank(raw[head.close + 1 : brace])
        _mask_type(out, raw, head)
    return True


def _mask_type(out: bytearray, raw: bytes, head: Head) -> None:
    """Leave one type of the words before a function's name."""
    position, start, end = head.start, head.start, head.at
    while (group := _GROUP.search(raw, position, end)) is not None:
        closed = closing(raw, group.end() - 1, end)
        if closed < 0 or group[1] is None:
            return
        position = closed + 1
        keep = group[1] in _PREFIXES and b"typeof" in group[1]
        first = group.end() - 1 if keep else group.start()
        out[first:position] = blank(raw[first:position])
    plain: list[re.Match[bytes]] = []
    base = False
    star = raw.find(b"*", start, end)
    previous = b""
    for word in _WORD.finditer(bytes(out[start:end])):
        text = word[0]
        if previous in _AGGREGATES or text in _TYPES:
            base = True
        elif text not in _QUALIFIERS and text not in _AGGREGATES:
            plain.append(word)
        previous = text
    if not plain or head.maker:
        chosen = None
        base = True
    else:
        real = [w for w in plain if w[0] not in ATTRIBUTES]
        real = [w for w in real if star < 0 or start + w.start() < star] or real
        real = [w for w in real if _rank(w[0]) == min(_rank(w[0]) for w in real)]
        chosen = real[-1] if real else plain[-1]
    for word in plain:
        if base or word is not chosen:
            out[start + word.start() : start + word.end()] = b" " * len(word[0])


def _rank(word: bytes) -> int:
    """How little a word looks like a type: pte_t, then __u32, then U16 or INLINE."""
    return 2 if word.isupper() else int(word.startswith(b"__"))


def _mask_params(out: bytearray, raw: bytes, head: Head) -> None:
    """Blank what is no C in parameters: `void * const POS p`, `u8 x[at_least 16]`, macros."""
    text = raw[head.open : head.close + 1]
    for match in _SIZED.finditer(text):
        fill(out, head.open + match.start(1), head.open + match.end(1))
    for match in _PARAM_CALL.finditer(text):
        close = closing(text, match.end() - 1)
        if close >= 0:
            fill(out, head.open + match.start(1), head.open + close + 1)
    for match in _POINTER_WORDS.finditer(text):
        words = [w for w in _WORD.finditer(match[1]) if w[0] not in _QUALIFIERS]
        for word in words[:-1]:
            first = head.open + match.start(1) + word.start()
            out[first : first + len(word[0])] = b" " * len(word[0])


def _mask_maker(out: bytearray, raw: bytes, head: Head) -> None:
    """Make `long name(T a, U b)` of SYSCALL_DEFINE2(name, T, a, U, b), in place."""
    inner = _FIRST_ARGUMENT.match(raw, head.open + 1, head.close + 1)
    if inner is None:
        return
    first, behind = inner.start(1), inner.end() - 1
    kind = b"long" if head.maker[-1].isdecimal() else b"void"
    pieces = _split(raw, behind + 1, head.close) if raw[behind : behind + 1] == b"," else []
    if pieces and head.maker[-1].isdecimal():
        commas = []
        waiting = False
        for start, end in pieces:
            if not waiting and _CALL.match(raw[start:end]):
                piece = raw[start:end].replace(b"(", b" ").replace(b")", b" ")
                out[start:end] = piece
                continue
            if waiting:
                commas.append(start - 1)
            waiting = not waiting
        if not waiting:
            out[head.at : first] = kind + blank(raw[head.at + 4 : first])
            out[behind] = 0x28
            for comma in commas:
                out[comma] = 0x20
            return
    room = head.close + 1 - head.at
    made = kind + b" " + inner[1] + b"()"
    tail = blank(raw[head.at + len(made) : head.close + 1])
    if len(made) <= room and b"\n" not in raw[head.at : head.at + len(made)]:
        out[head.at : head.close + 1] = made + tail


def _split(raw: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """The pieces between commas outside parentheses, as offsets."""
    pieces = []
    depth = 0
    first = start
    for offset in range(start, end):
        byte = raw[offset]
        depth += (byte == 0x28) - (byte == 0x29)
        if byte == 0x2C and depth == 0:
            pieces.append((first, offset))
            first = offset + 1
    pieces.append((first, end))
    return pieces
