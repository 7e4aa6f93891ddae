# SPDX-License-Identifier: GPL-2.0-or-later
"""Make kernel C parseable: blank or rewrite what a C grammar cannot know, byte for byte.

Every step keeps the length and the newlines, so that offsets and lines of the masked text are
those of the file. Forms that a reader of the syntax tree will meet:

    for_each_x(a, b) stmt                 while     (a, b) stmt       the body runs 0 to n times
    other_macro(a) { ... }                while      (a) { ... }      likewise, names not declared
    scoped_guard(name, args) stmt         if(__guard__,name, args) stmt
    scoped_cond_guard(name, fail, args)   if(__cond_guard__,name, fail, args) stmt
        where fail is RETURN+expr, GOTO+label, BREAK or CONTINUE in place of the statement
    guard(name)(args);                    as it is: a call of a call
    case A ... B:                         case A ||  B:
    SYSCALL_DEFINE2(x, T, a, U, b)        long            x(T  a, U  b)
    f(struct x *, a)                      f(struct_x  , a)            a type as an argument
    typeof(x)                             typeof                      a type's name
    asm templates and all strings         spaces inside the quotes
"""

from __future__ import annotations

import re
from functools import lru_cache

from lazymmu.kernelc.slices import RawDef, blank, closing, read_head

__all__ = ["macro_body", "mask"]

_LEX = re.compile(
    rb"/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)|//(?:[^\\\n]++|\\[\s\S])*+"
    rb'|"(?:[^"\\\n]++|\\[\s\S])*+"|' rb"'(?:[^'\\\n]++|\\[^\n])++'"
    rb"|^[ \t]*+\#[ \t]*+(?:define|undef|include|pragma|error|warning|line|ident)\b(?:[^\\\n/]++|\\[\s\S]"
    rb"|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)|/)*+",
    re.M,
)
_KEEP_CONTINUED = bytes(b if b in (0x0A, 0x5C) else 0x20 for b in range(256))

_WORDS = frozenset(
    b"""
    __user __iomem __percpu __rcu __kernel __force __nocast __private __bitwise __safe __percpu_qual
    __init __exit __initdata __initconst __exitdata __meminit __meminitdata __memexit __ref __refdata
    __init_or_module __initdata_or_module __initconst_or_module __net_init __net_exit __net_initdata
    __devinit __sched __lockfunc __cpuidle __noendbr __latent_entropy __randomize_layout
    __no_randomize_layout __always_inline __inline __inline__ __always_unused __maybe_unused __unused
    __used __must_check __pure __attribute_const__ __cold __hot __weak __noreturn __noretpoline
    __nocfi __no_kcsan __no_kcsan_or_inline __no_kasan_or_inline __no_sanitize_or_inline
    __no_sanitize_address __no_sanitize_undefined __no_sanitize_memory __no_sanitize_thread
    __no_kmsan_checks __no_stack_protector __no_profile __no_caller_saved_registers __notrace_funcgraph
    notrace noinline noinstr noinline_for_stack noinline_for_kasan __noclone __noscs __flatten
    __visible __malloc __read_mostly __ro_after_init __cacheline_aligned
    __cacheline_aligned_in_smp ____cacheline_aligned ____cacheline_aligned_in_smp
    ____cacheline_internodealigned_in_smp __page_aligned_data __page_aligned_bss __packed
    __designated_init __nonstring __uninitialized __kprobes nokprobe_inline asmlinkage fastcall
    __extension__ __volatile__ __restrict __restrict__ __head __startup_code __syscall_return
    __irq_entry __softirq_entry __exception_irq_entry __entry_text __noinitretpoline __no_fgcse
    __gcc_jump_table __bpf_kfunc __bpf_hook_start __bpf_hook_end __kcsan_const __kstackerase __noendbr
    __efi_runtime __efiapi efi_runtime_call __init_memblock __initdata_memblock __paginginit
    __flash_text __ipipe __overloadable __signed__ __xchg_wrong_size __fallthrough fallthrough
    __init_or_cpufreq __cpuinit __mb_bad __sanitizer __pgtbl_missing __register __vsyscall __private
    __nostackprotector __noinstr_section __private_extern __lockdep_no_validate __rust_helper
    __init_refok __init_margin __must_check_fn __compiletime_object_size __guarded_by_rcu __nonull
    """.split()
) - {b"fallthrough", b"__volatile__", b"__extension__"}

_CALLS = frozenset(
    b"""
    __attribute__ __attribute __printf __scanf __aligned __section __no_sanitize __alloc_size
    __assume_aligned __acquires __releases __acquire_shared __acquires_shared __releases_shared
    __must_hold __must_hold_shared __must_not_hold __cond_acquires __cond_acquires_shared
    __cond_lock_context __counted_by __counted_by_le __counted_by_be __free __cleanup __nonstring_array
    __guarded_by __pt_guarded_by __realloc_size __alloc_align __diagnose_as __target __weakref
    __context_unsafe __no_sanitize_coverage __malloc_like __nonnull __format_arg __declspec
    __compiletime_error __compiletime_warning __noreturn_if __retain_if __section_init_or
    __printf_like __acquires_ret __releases_ret __assumes __sized_by __aligned_largest
    """.split()
)
_MARKED = re.compile(rb"\b_?(?:_[_a-z]\w*+|no(?:trace|in)\w*+|nokprobe_inline|asmlinkage|fastcall)\b")

_TYPEOF = re.compile(rb"\b(typeof(?:_unqual|_member)?|__typeof(?:_unqual)?(?:__)?|__auto_typeof)\s*+\(")
_RANGE = re.compile(rb"(\bcase\b[^:;{}?\n]*?)[ \t]*\.\.\.[ \t]*")
_GUARD = re.compile(rb"\bscoped_(cond_)?guard[ \t]*+\(")
_FAIL = re.compile(rb"\b(return|goto|break|continue)\b(\s*)")
_TYPE_ARGUMENT = re.compile(
    rb"(?<=[(,])([ \t\n]*+)((?:(?:const|volatile)\s++)?(?:struct|union|enum)\s++\w++|"
    rb"(?:(?:const|volatile|unsigned|signed|long|short|int|char|void|bool|float|double)\b[ \t\n]*+)+"
    rb"|[A-Za-z_]\w*+(?=[ \t\n]*\*+[ \t\n]*[,)]))"
    rb"([ \t\n]*+(?:\*[ \t\n*]*+(?:const\b)?+[ \t\n*]*+)?+)(\[\w*\])?(?=[,)])"
)
_OPERATORS = frozenset(
    {b"sizeof", b"_Alignof", b"__alignof__", b"alignof", b"if", b"while", b"for", b"switch", b"return",
     b"case", b"typeof", b"__typeof__", b"offsetof", b"do", b"else", b"goto"}
)
_STRING_CALL = re.compile(rb'(?<=")([ \t\n]*+)([A-Za-z_]\w*+[ \t]*+)\(|\b(__?stringify|__stringify_1)[ \t]*+\(')
_STATEMENT = re.compile(
    rb"(?:(?<=[;{}\n):])|(?<=else))([ \t]*+)(?!(?:if|while|for|switch|return|sizeof|else|do|case|goto|asm|__asm__)\b)"
    rb"([A-Za-z_]\w*+)([ \t]*+)(\((?:[^();{}]++|\((?:[^();{}]++|\((?:[^();{}]++|\((?:[^();{}]++|\([^();{}]*+\))*+\))*+\))*+\))*+\))"
    rb"([ \t]*+(?:\n[ \t\n]*+)?)(?=([{A-Za-z_*(+~-]))"
)
_ASM = re.compile(
    rb"\b(asm|__asm__|__asm|asm_inline|asm_volatile_goto|asm_goto_output)((?:\s+(?:volatile|__volatile__|inline|__inline|goto))*+)\s*+\("
)


@lru_cache(maxsize=8)
def _loops(names: frozenset[str]) -> re.Pattern[bytes]:
    """A pattern for calls whose name looks like one of the loop macros of the tree."""
    return re.compile(rb"\b(\w*for_each\w*+|\w*foreach\w*+)([ \t\n]*+)\(", re.I)


def mask(text: bytes, loop_macros: frozenset[str]) -> bytes:
    """Mask one function's slice, or a macro's body prepared by `macro_body`.

    loop_macros: the names under ForEachMacros in the tree's .clang-format. Never raises; the
    result has the length and the newlines of `text`.
    """
    out = _LEX.sub(_lexeme, text)
    out = _MARKED.sub(_Marks(out).replace, out) if b"_" in out else out
    out = _attribute_calls(out)
    out = _head(out)
    out = _body(out, loop_macros)
    return out


def macro_body(text: bytes, rawdef: RawDef) -> bytes:
    """Return a macro's replacement text, ready for `mask`: same length as text[body:end].

    Line continuations become spaces (the newline stays), `a ## b` becomes one word, `#x` becomes a
    string, `, ##__VA_ARGS__` loses its `##`, `__VA_OPT__(x)` loses its parentheses' content.
    """
    out = text[rawdef.body : rawdef.end]
    out = re.sub(rb"\\(?=\r?\n)", b" ", out)
    if b"#" in out:
        out = re.sub(rb"(,\s*)##(?=\s*\w)", rb"\1  ", out)
        out = re.sub(rb"(?<=\w)([ \t]*)##([ \t]*)(?=\w)", lambda m: b"_" * len(m[0]), out)
        out = out.replace(b"##", b"  ")
        out = re.sub(rb"#[ \t]*\w+", lambda m: b'""' + b" " * (len(m[0]) - 2), out)
    if b"__VA_OPT__" in out:
        out = re.sub(rb"__VA_OPT__\([^()]*\)", lambda m: blank(m[0]), out)
    return out


def _lexeme(match: re.Match[bytes]) -> bytes:
    piece = match[0]
    if piece[0] == 0x22:
        return b'"' + piece[1:-1].translate(_KEEP_CONTINUED).replace(b"\\", b" ") + b'"'
    if piece[0] == 0x27:
        return b"'" + b" " * (len(piece) - 2) + b"'"
    return blank(piece)


class _Marks:
    """Replaces words that are attributes, and only those."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def replace(self, match: re.Match[bytes]) -> bytes:
        word = match[0]
        return b" " * len(word) if word in _WORDS else word


def _attribute_calls(text: bytes) -> bytes:
    """Blank `__attribute__((...))` and its kin with their arguments."""
    position = 0
    out: bytearray | None = None
    for match in re.finditer(rb"\b(__\w++)[ \t\n]*+\(", text):
        if match[1] in _CALLS and match.start() >= position:
            close = closing(text, match.end() - 1)
            if close < 0:
                continue
            position = close + 1
            out = bytearray(text) if out is None else out
            out[match.start() : position] = blank(text[match.start() : position])
    return text if out is None else bytes(out)


def _head(text: bytes) -> bytes:
    """Make the head of a function slice a C function head."""
    brace = text.find(b"{")
    if brace < 0:
        return text
    raw = text[:brace]
    if b"(" not in raw or b";" in raw:
        return text
    head = read_head(raw)
    if head is None:
        return text
    out = bytearray(text)
    out[: head.start] = blank(raw[: head.start])
    if head.maker:
        _maker(out, raw, head.at, head.open, head.close)
    if b"(*" not in raw[: head.at]:
        out[head.close + 1 : brace] = blank(raw[head.close + 1 : brace])
    return bytes(out)


def _maker(out: bytearray, raw: bytes, at: int, opened: int, closed: int) -> None:
    inner = re.compile(rb"\s*+([A-Za-z_]\w*+)\s*+").match(raw, opened + 1, closed)
    if inner is None:
        return
    arguments = raw[inner.end() : closed]
    if arguments.startswith(b",") and arguments.count(b",") % 2 == 0 and re.search(rb"\d$", raw[at:opened]):
        kind = b"long"
        out[at:inner.start(1)] = blank(raw[at:inner.start(1)])
        out[at : at + len(kind)] = kind
        out[inner.end()] = 0x28
        commas = 0
        depth = 0
        for offset in range(inner.end() + 1, closed):
            byte = raw[offset]
            depth += (byte == 0x28) - (byte == 0x29)
            if byte == 0x2C and depth == 0:
                commas += 1
                if commas % 2:
                    out[offset] = 0x20
        return
    name = inner[1]
    kind = b"void " + name + b"()"
    room = closed + 1 - at
    if len(kind) <= room and b"\n" not in raw[at : closed + 1]:
        out[at : closed + 1] = kind + b" " * (room - len(kind))


def _body(text: bytes, loop_macros: frozenset[str]) -> bytes:
    if b"typeof" in text:
        text = _rewrite(text, _TYPEOF, lambda out, m, close: _fill(out, m.end(1), close + 1))
    if b"scoped_" in text:
        text = _guards(text)
    if b"..." in text:
        text = _RANGE.sub(lambda m: m[1] + b" || ".ljust(len(m[0]) - len(m[1]))[: len(m[0]) - len(m[1])], text)
    if b"asm" in text:
        text = _rewrite(text, _ASM, _asm)
    if b'"' in text:
        text = _rewrite(text, _STRING_CALL, _string_call)
    text = _TYPE_ARGUMENT.sub(lambda m: _type_argument(text, m), text)
    text = _loops(loop_macros).sub(_loop, text)
    text = _STATEMENT.sub(lambda m: _statement(text, m), text)
    return text


def _rewrite(text, pattern, change):  # type: ignore[no-untyped-def]
    out = None
    position = 0
    for match in pattern.finditer(text):
        if match.start() < position:
            continue
        close = closing(text, match.end() - 1)
        if close < 0:
            continue
        out = bytearray(text) if out is None else out
        change(out, match, close)
        position = close
    return text if out is None else bytes(out)


def _fill(out: bytearray, start: int, end: int) -> None:
    out[start:end] = bytes(out[start:end]).translate(bytes(b if b == 10 else 32 for b in range(256)))


def _guards(text: bytes) -> bytes:
    def change(out: bytearray, match: re.Match[bytes], close: int) -> None:
        word = b"if(__cond_guard__," if match[1] else b"if(__guard__,"
        out[match.start() : match.end()] = word.ljust(match.end() - match.start())
        if match[1]:
            inside = bytes(out[match.end() : close])
            out[match.end() : close] = _FAIL.sub(
                lambda m: m[1].upper() + (b"+" + m[2][1:] if m[2] and m[1] in (b"return", b"goto") else m[2]), inside
            )

    result: bytes = _rewrite(text, _GUARD, change)
    return result


def _asm(out: bytearray, match: re.Match[bytes], close: int) -> None:
    inside = bytes(out[match.end() : close])
    depth = 0
    end = len(inside)
    for i, byte in enumerate(inside):
        depth += (byte == 0x28) - (byte == 0x29)
        if byte == 0x3A and depth == 0:
            end = i
            break
    if end >= 2:
        first = len(inside) - len(inside.lstrip())
        first = min(first, end - 2)
        piece = bytearray(blank(inside[:end]))
        piece[first : first + 2] = b'""'
        out[match.end() : match.end() + end] = piece


def _string_call(out: bytearray, match: re.Match[bytes], close: int) -> None:
    start = match.start(2) if match[2] else match.start()
    _fill(out, start, close + 1)
    out[start : start + 2] = b'""'


def _type_argument(text: bytes, match: re.Match[bytes]) -> bytes:
    opener = text[match.start() - 1 : match.start()]
    words = match[2]
    if words.strip() == b"void" and not match[3].strip():
        return match[0]
    if opener == b"(":
        before = match.start() - 2
        while before >= 0 and text[before] in b" \t\n":
            before -= 1
        if before < 0 or not (text[before : before + 1].isalnum() or text[before] == 0x5F):
            return match[0]
        start = before
        while start >= 0 and (text[start : start + 1].isalnum() or text[start] == 0x5F):
            start -= 1
        if text[start + 1 : before + 1] in _OPERATORS:
            return match[0]
    tail = match[0][len(match[1]) + len(words) :]
    inner = words.rstrip()
    joined = re.sub(rb"[ \t]", b"_", inner)
    if b"\n" in inner:
        last = inner.rfind(b"\n")
        joined = blank(inner[: last + 1]) + re.sub(rb"[ \t]", b"_", inner[last + 1 :])
    if joined in (b"int", b"char", b"long", b"short", b"unsigned", b"signed", b"void", b"bool", b"float", b"double"):
        joined = b"T" + joined[1:]
    return match[1] + joined + blank(words[len(inner) :]) + blank(tail)


def _loop(match: re.Match[bytes]) -> bytes:
    return b"while" + b" " * (len(match[1]) - 5) + match[2] + b"("


def _statement(text: bytes, match: re.Match[bytes]) -> bytes:
    indent, name, gap, group, space, following = match.groups()
    return match[0]
