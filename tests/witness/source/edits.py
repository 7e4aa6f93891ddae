# SPDX-License-Identifier: GPL-2.0-or-later
"""Edits of a kernel tree, as people make them and as nobody would, drawn by Hypothesis."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

import lazymmu
from lazymmu.kernelc.parse.slices import RawDef, definitions
from lazymmu.snapshot.tree import Tree

__all__ = ["ARCHES", "TREE", "Edits", "Files", "checked", "some_edits", "sub", "text"]

Files = dict[str, bytes | None]
"""The files of a tree that are not as they were, None for those that are gone."""

TREE = Path(__file__).parents[3] / "examples" / "linux-new"
ARCHES = ["x86", "arm64"]

some_edits = settings(
    max_examples=int(os.environ.get("LAZYMMU_EDITS", "12")),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # To shrink takes minutes.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""Twelve edits, or sequences of them, are tried; more when somebody looks for a mistake."""


def text(name: str) -> bytes:
    """A file of the example tree."""
    return (TREE / name).read_bytes()


def sub(name: str, old: bytes, new: bytes, count: int = 0) -> dict[str, bytes]:
    """One file in which a pattern is replaced."""
    found = re.sub(old, new, text(name), count=count)
    assert found != text(name)
    return {name: found}


def checked(files: Files, store: Path | None) -> object:
    """All that a check says of the tree with some files changed."""
    return lazymmu.check(Tree.open(TREE).over(files), arches=ARCHES, jobs=1, cache_dir=store)


_WORD = re.compile(rb"[A-Za-z_]\w+")

_MEMBER = re.compile(rb"(\.\w+\s*=\s*)&?(\w+),")

_STATEMENTS = (
    b"cond_resched();",
    b"arch_enter_lazy_mmu_mode();",
    b"arch_leave_lazy_mmu_mode();",
    b"lazy_mmu_mode_enable();",
    b"lazy_mmu_mode_disable();",
    b"msleep(1);",
    b"return;",
    b"/* lazy_mmu */",
    b"/* a note */",
    b"// a note",
    b"\n\n/* a comment\n * of some lines\n */",
    b"if (IS_ENABLED(CONFIG_NUMA)) return;",
    b"kmalloc(8, GFP_KERNEL);",
)

_HEADS = (b"void %s(void)", b"static void %s(void)", b"static inline int %s(int x)")

_LINES = (
    b"/* a comment */",
    b"// lazy_mmu in a comment",
    b"#include <linux/pgtable.h>",
    b"#include <linux/none.h>",
    b"#define lazy_helper() arch_leave_lazy_mmu_mode()",
    b"#define cond_resched() do { } while (0)",
    b"#undef CONFIG_SMP",
    b"#ifdef CONFIG_NUMA",
    b"#endif",
    b"#if 0",
    b"#else",
    b"",
    b"<<<<<<< HEAD",
    b"obj-y += added.o",
    b"obj-$(CONFIG_NUMA) += memory.o",
    b"config NUMA",
    b"\tdef_bool y",
    b"config NOBODY_HAS_IT",
    b'\tbool "nobody"',
    b"#define NOBODY_SAYS_IT 1",
    b"\tselect ARCH_HAS_LAZY_MMU_MODE",
    b'source "mm/Kconfig"',
)


class Edits:
    """Draws edits of one tree, each from what the ones before it left."""

    def __init__(self, root: Path) -> None:
        """Edit the tree at `root`, in memory alone."""
        self._whole = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.name != "README.md"
        }
        self.names = sorted(self._whole)
        self.sources = [name for name in self.names if name.endswith((".c", ".h"))]
        self.build = [name for name in self.names if not name.endswith((".c", ".h"))]

    def text(self, files: Files, name: str) -> bytes:
        """What a file has now; nothing if it is gone."""
        return (files[name] if name in files else self._whole.get(name)) or b""

    def edited(self, files: Files, data: st.DataObject) -> Files:
        """Return the files after one more edit."""
        kinds: Mapping[str, Callable[[Files, st.DataObject], Files]] = {
            "function": self._function,
            "statement": self._statement,
            "definition": self._definition,
            "line": self._line,
            "word": self._word,
            "file": self._file,
            "moved": self._moved,
            "table": self._table,
        }
        kind = data.draw(st.sampled_from(sorted(kinds)), label="kind")
        return {**files, **kinds[kind](files, data)}

    def _some(self, data: st.DataObject, build: bool = False) -> str:
        return data.draw(st.sampled_from(self.names if build else self.sources), label="file")

    def _raws(self, files: Files, name: str) -> list[RawDef]:
        return list(definitions(self.text(files, name)))

    def _function(self, files: Files, data: st.DataObject) -> Files:
        """A function is added, under a new name or one that there is."""
        name = self._some(data)
        text = self.text(files, name)
        words = [b"added", b"helper", *sorted(set(_WORD.findall(text)))]
        head = data.draw(st.sampled_from(_HEADS)) % data.draw(st.sampled_from(words))
        call = data.draw(st.sampled_from(words))
        body = data.draw(st.sampled_from(_STATEMENTS))
        whole = b"%s\n{\n\t%s\n\t%s();\n}\n" % (head, body, call)
        top = data.draw(st.booleans())
        return {name: whole + text if top else text + whole}

    def _statement(self, files: Files, data: st.DataObject) -> Files:
        """A statement or a comment is put anywhere into a function, on a line of its own or not."""
        name = self._some(data)
        text = self.text(files, name)
        raws = [raw for raw in self._raws(files, name) if raw.kind == "function"]
        if not raws:
            return {}
        raw = data.draw(st.sampled_from(raws))
        ends = [at for at in range(raw.body, raw.end) if text[at : at + 1] == b"\n"]
        at = data.draw(st.sampled_from([raw.body + 1, raw.end - 1, *ends]))
        around = data.draw(st.sampled_from([b"\n\t%s\n", b"\n\t%s", b" %s"]))
        return {name: text[:at] + around % data.draw(st.sampled_from(_STATEMENTS)) + text[at:]}

    def _definition(self, files: Files, data: st.DataObject) -> Files:
        """A definition is removed, renamed, doubled, or moved to another file."""
        name = self._some(data)
        text = self.text(files, name)
        raws = self._raws(files, name)
        if not raws:
            return {}
        raw = data.draw(st.sampled_from(raws))
        cut, whole = text[: raw.start] + text[raw.end :], text[raw.start : raw.end]
        word = raw.name.encode()
        match data.draw(st.sampled_from(["remove", "rename", "rename all", "double", "move"])):
            case "remove":
                return {name: cut}
            case "rename":
                renamed = whole.replace(word, word + b"_new", 1)
                return {name: text[: raw.start] + renamed + text[raw.end :]}
            case "rename all":
                return {name: re.sub(rb"\b" + re.escape(word) + rb"\b", word + b"_new", text)}
            case "double":
                return {name: text + b"\n" + whole + b"\n"}
        other = self._some(data)
        moved = self.text(files, other) if other != name else cut
        return {name: cut, other: moved + b"\n" + whole + b"\n"}

    def _line(self, files: Files, data: st.DataObject) -> Files:
        """A line is added, removed, doubled, or changes its place with the next."""
        name = self._some(data, build=True)
        lines = self.text(files, name).split(b"\n")
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["add", "add", "remove", "double", "swap"])):
            case "add":
                lines.insert(at, data.draw(st.sampled_from(_LINES)))
            case "remove":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case _:
                lines[at : at + 2] = reversed(lines[at : at + 2])
        return {name: b"\n".join(lines)}

    def _word(self, files: Files, data: st.DataObject) -> Files:
        """A word becomes another one of the same file."""
        name = self._some(data, build=True)
        text = self.text(files, name)
        words = list(_WORD.finditer(text))
        if not words:
            return {}
        at = data.draw(st.sampled_from(words))
        other = data.draw(st.sampled_from(sorted({word[0] for word in words})))
        return {name: text[: at.start()] + other + text[at.end() :]}

    def _file(self, files: Files, data: st.DataObject) -> Files:
        """A file goes, comes, or is what it was."""
        name = self._some(data, build=True)
        match data.draw(st.sampled_from(["delete", "restore", "restore all", "copy"])):
            case "delete":
                # Without these there is no kernel tree.
                return {} if name in ("Makefile", "Kconfig") else {name: None}
            case "restore":
                return {name: self._whole[name]}
            case "restore all":
                return {each: self._whole.get(each) for each in files}
        return {name.replace(".", "_copy."): self.text(files, name)}

    def _moved(self, files: Files, data: st.DataObject) -> Files:
        """A file has another name, in its Makefile and where it is included, or in none of them."""
        name = self._some(data)
        old = name.rpartition("/")[2]
        new = old.replace(".", "_moved.")
        found: Files = {name: None, name.removesuffix(old) + new: self.text(files, name)}
        if data.draw(st.booleans(), label="told"):
            words = [(old.encode(), new.encode())]
            if old.endswith(".c"):
                words.append((old[:-1].encode() + b"o", new[:-1].encode() + b"o"))
            for other in self.names:
                text = self.text(files, other)
                for before, after in words:
                    text = re.sub(rb"(?<![\w/])" + re.escape(before) + rb"\b", after, text)
                if other != name and text != self.text(files, other):
                    found[other] = text
        return found

    def _table(self, files: Files, data: st.DataObject) -> Files:
        """A member of a table holds another function of its file, is gone, or is doubled."""
        name = self._some(data)
        text = self.text(files, name)
        members = list(_MEMBER.finditer(text))
        if not members:
            return {}
        at = data.draw(st.sampled_from(members))
        names = sorted({raw.name.encode() for raw in self._raws(files, name)} | {at[2]})
        match data.draw(st.sampled_from(["other", "gone", "double"])):
            case "other":
                whole = at[1] + data.draw(st.sampled_from(names)) + b","
            case "gone":
                whole = b""
            case _:
                whole = at[0] + b"\n\t" + at[0]
        return {name: text[: at.start()] + whole + text[at.end() :]}
