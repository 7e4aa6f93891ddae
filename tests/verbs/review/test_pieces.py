# SPDX-License-Identifier: GPL-2.0-or-later
"""Which hunks of a series depend on each other, by the names that they make and use."""

from __future__ import annotations

import difflib

import pytest

from lazymmu.snapshot.patches.series import read_series
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.review.looks import Looks
from lazymmu.verbs.review.pieces import grouped, pieces
from lazymmu.verbs.review.values import Submitted

HOOKS = """\
static inline void begin(int mode)
{
	int old = this_cpu_read(depth);

	if (!old)
		this_cpu_write(kind, mode);
	this_cpu_write(depth, old + 1);
}

static inline int between(void)
{
	return 0;
}

static inline void finish(void)
{
	if (this_cpu_dec_return(depth))
		return;
	this_cpu_write(kind, 0);
}
"""
PLAIN = (
    HOOKS.replace("\tint old = this_cpu_read(depth);\n\n\tif (!old)\n\t\tthis", "\tthis")
    .replace("\tthis_cpu_write(depth, old + 1);\n", "")
    .replace("\tif (this_cpu_dec_return(depth))\n\t\treturn;\n", "")
)

USER = """\
static int first(struct batch *b)
{
	return 1;
}

static int other(void)
{
	return 2;
}

static int second(struct batch *b)
{
	return 3;
}
"""


@pytest.fixture
def parts(tmp_path):
    """Says which files each independent part of a series is in, by file and function."""

    def found(*states):
        before, *later = ({**states[0], **state} for state in states)
        mails = []
        for after in later:
            mails.append("".join(_diff(before, after)))
            before = after
        base = Tree(tmp_path, "7.3").over(
            {rel: text.encode() for rel, text in states[0].items() if text}
        )
        series = [read_series(mail.encode())[0] for mail in mails]
        looks = Looks(base, lambda _tree: None)
        seen = [looks.of(series[:number]) for number in range(len(series) + 1)]
        sent = [Submitted(one, None) for one in series]
        groups = grouped(pieces(seen, sent), base, sent)
        return [sorted({_called(piece) for piece in group}) for group in groups]

    def _called(piece):
        names = sorted(one.partition(":")[2] for one in piece.things)
        return f"{piece.path.rpartition('/')[2]} {' '.join(names)}".strip()

    def _diff(before, after):
        for rel in sorted(before.keys() | after.keys()):
            was, now = before.get(rel, ""), after.get(rel, "")
            if was != now:
                yield f"diff --git a/{rel} b/{rel}\n"
                yield "" if was else "new file mode 100644\n"
                yield from difflib.unified_diff(
                    was.splitlines(True), now.splitlines(True),
                    f"a/{rel}" if was else "/dev/null", f"b/{rel}", n=1,
                )  # fmt: skip

    return found


@pytest.mark.parametrize(
    ("made", "declared"),
    [
        ("DEFINE_PER_CPU(unsigned int, depth);", "DECLARE_PER_CPU(unsigned int, depth);"),
        ("DEFINE_PER_CPU_ALIGNED(u64, depth) = 1;", "DECLARE_PER_CPU_ALIGNED(u64, depth);"),
        ("unsigned int depth __read_mostly;", "extern unsigned int depth;"),
        ("struct counter depth = { .n = 1 };", "extern struct counter depth;"),
    ],
)
def test_what_takes_a_variable_away_is_one_part_with_who_used_it(parts, made, declared):
    """Its definition, its declaration, and both functions: none of them goes alone."""
    h, c = "arch/x86/include/asm/hooks.h", "arch/x86/xen/hooks.c"
    kept = "int kept;\n\n\n\n"
    before = {h: f"{kept}{declared}\n\n\n\n{HOOKS}", c: f"{kept}{made}\n"}
    after = {h: f"{kept}\n\n\n{PLAIN}", c: kept}
    assert parts(before, after) == [["hooks.c depth", "hooks.h begin", "hooks.h depth",
                                     "hooks.h finish"]]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "before", "after", "use"),
    [
        ("mm/x.c", "", "static int limit;\n", "return limit;"),
        ("mm/x.c", "", "#define LIMIT(x) (x)\n", "return LIMIT(1);"),
        ("include/linux/x.h", "#define LIMIT 1\n", "#define LIMIT 2\n", "return LIMIT;"),
        ("include/linux/x.h", "", "typedef unsigned long limit_t;\n", "limit_t n = 1; return n;"),
        ("include/linux/x.h", "", "enum { LOW, HIGH };\n", "return HIGH;"),
        ("include/linux/x.h", "", "struct limit { int n; };\n", "struct limit l = {}; return 1;"),
        ("include/linux/x.h", "struct batch {\n\tint a;\n};\n",
         "struct batch {\n\tint a;\n\tu8 depth;\n};\n", "return b->depth;"),
        ("include/linux/x.h", "struct batch {\n\tint depth;\n};\n",
         "struct batch {\n\tu8 depth;\n};\n", "return b->depth + 1;"),
        ("include/linux/x.h", "", "int helper(void);\n", "return helper();"),
        ("mm/Kconfig", "config A\n\tbool\n", "config A\n\tbool\n\nconfig LIMIT\n\tbool\n",
         "return IS_ENABLED(CONFIG_LIMIT);"),
        ("mm/Kconfig", "config LIMIT\n\tbool\n", "config LIMIT\n\tbool\n\tdepends on MMU\n",
         "return IS_ENABLED(CONFIG_LIMIT);"),
    ],
)  # fmt: skip
def test_who_makes_a_name_is_one_part_with_who_uses_it(parts, file, before, after, use):
    """Variables, macros, types, enumerators, members, prototypes, symbols: over two patches."""
    top = "/* A file. */\n\n\n\n"
    made = top + after + (USER if file == "mm/x.c" else "")
    start = {file: top + before + (USER if file == "mm/x.c" else ""), "mm/x.c": ""}
    start["mm/x.c"] = start["mm/x.c"] or (top + before if file == "mm/x.c" else top) + USER
    text = made if file == "mm/x.c" else start["mm/x.c"]
    second = text.replace("return 3;", use)
    third = second.replace("return 2;", "return 7;")
    groups = parts(start, {file: made}, {file: made, "mm/x.c": second},
                   {file: made, "mm/x.c": third})  # fmt: skip
    assert len(groups) == 2
    assert groups[1] == ["x.c other"]
    assert "x.c second" in groups[0]


def test_a_member_is_not_a_variable_of_the_same_name(parts):
    """`b->depth` has nothing to do with an int of that name, nor with one of another file."""
    one = "struct batch {\n\tint a;\n\tint depth;\n};\n"
    before = {"mm/x.c": USER, "include/linux/x.h": "struct batch {\n\tint a;\n};\n", "mm/y.c": USER}
    after = {
        "mm/x.c": USER.replace("return 1;", "int depth = 0; return depth;"),
        "include/linux/x.h": one,
        "mm/y.c": "static int a;\n\n\n" + USER,
    }
    assert len(parts(before, after)) == 3


def test_what_one_architecture_makes_no_other_uses(parts):
    """Names of arch/sparc are not those of arch/x86, though they are spelled alike."""
    before = {
        f"arch/{arch}/include/asm/x.h": "int kept;\n\n\n\n" + USER for arch in ("x86", "sparc")
    }
    after = {
        rel: text.replace("kept;\n", "kept;\nextern int depth;\n").replace(
            "return 2", "return depth"
        )
        for rel, text in before.items()
    }
    assert len(parts(before, after)) == 2


def test_a_file_that_comes_is_one_part_with_who_names_it(parts):
    """A Makefile its object, an #include its header."""
    before = {"mm/Makefile": "obj-y := x.o\n", "mm/x.c": "#include <linux/mm.h>\n\n\n" + USER}
    header = {"include/linux/batch.h": "struct batch;\n"}
    including = {**header, "mm/x.c": "#include <linux/mm.h>\n#include <linux/batch.h>\n\n\n" + USER}
    assert len(parts(before, header, including)) == 1
    source = {"mm/new.c": "int there;\n"}
    assert len(parts(before, source, {**source, "mm/Makefile": "obj-y := x.o new.o\n"})) == 1


def test_hunks_of_one_initialiser_are_one_part(parts):
    """A table of functions is one variable, wherever it is changed."""
    table = (
        "static const struct ops t = {\n"
        + "".join(f"\t.m{n} = f{n},\n" for n in range(12))
        + "};\n"
    )
    after = table.replace("= f1,", "= g1,").replace("= f11,", "= g11,")
    assert parts({"mm/x.c": table}, {"mm/x.c": after}) == [["x.c t"]]
