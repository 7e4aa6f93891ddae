# SPDX-License-Identifier: GPL-2.0-or-later
"""Rebuild the series that "mm: fix lazy mmu docs and usage" began as, from differences of trees.

``python -m tools.thread_series linux-6.12.8 linux-6.12.38 linux-6.18 > series.mbox``: the first is
what it is for; the second has its set_ptes(), its comment and sparc's part, the third Xen's. No
line of the kernel is kept here: what changes is cut out of the trees by the definitions that it is
in.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from lazymmu.kernelc.parse.slices import definitions

_API = "include/linux/pgtable.h"
_PAGEMAP = "fs/proc/task_mmu.c"
_SPARC = "arch/sparc/mm/tlb.c"
_SPARC_PTES = "arch/sparc/include/asm/pgtable_64.h"
_XEN, _XEN_PV = "arch/x86/include/asm/xen/hypervisor.h", "arch/x86/xen/enlighten_pv.c"


def main() -> int:
    """Print the mailbox; the exit code is 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path, help="the tree that the series is for")
    parser.add_argument("fixed", type=Path, help="one with set_ptes() and sparc mended")
    parser.add_argument("later", type=Path, help="one with pagemap mended and Xen's nesting gone")
    asked = parser.parse_args()
    old, fixed, later = asked.old, asked.fixed, asked.later
    mode = _comment(old), _comment(fixed)
    patches = [
        ("mm: fix lazy mmu docs and usage", {
            _API: _with(_read(old, _API).replace(*mode), _read(fixed, _API), "set_ptes"),
            _PAGEMAP: _pagemap(_read(old, _PAGEMAP)),
        }),
        ("sparc/mm: disable preemption in lazy mmu mode", {
            _SPARC: _with(_read(old, _SPARC), _read(fixed, _SPARC), "arch_enter_lazy_mmu_mode",
                          "arch_leave_lazy_mmu_mode"),
        }),
        ("sparc/mm: avoid calling arch_enter/leave_lazy_mmu() in set_ptes", {
            _SPARC_PTES: _with(_read(old, _SPARC_PTES), _read(fixed, _SPARC_PTES), "set_ptes"),
        }),
        ('Revert "x86/xen: allow nesting of same lazy mode"', {
            _XEN: _without(_with(_read(old, _XEN), _read(later, _XEN), "enter_lazy", "leave_lazy")),
            _XEN_PV: _without(_read(old, _XEN_PV)),
        }),
    ]  # fmt: skip
    for number, (subject, files) in enumerate(patches, 1):
        sys.stdout.write(_mail(number, len(patches), subject, old, files))
    return 0


def _read(tree: Path, rel: str) -> str:
    return (tree / rel).read_text(encoding="utf-8")


def _comment(tree: Path) -> str:
    """The comment above the mode's hooks."""
    text = _read(tree, _API)
    end = text.index("#ifndef __HAVE_ARCH_ENTER_LAZY_MMU_MODE")
    return text[text.rindex("/*", 0, end) : end]


def _with(text: str, other: str, *names: str) -> str:
    """A text with some definitions as another has them."""
    for name in names:
        mine, theirs = _definition(text, name), _definition(other, name)
        text = text.replace(mine, theirs)
    return text


def _definition(text: str, name: str) -> str:
    raw = text.encode()
    one = next(one for one in definitions(raw) if one.name == name and one.kind == "function")
    return raw[one.start : one.end].decode()


def _pagemap(text: str) -> str:
    """The section within the page-table lock, as ad449d856bd7 has it."""
    name = "pagemap_scan_pmd_entry"
    before = _definition(text, name)
    enter, leave = "arch_enter_lazy_mmu_mode();", "arch_leave_lazy_mmu_mode();"
    lines = [line for line in before.split("\n") if line.strip() not in (enter, leave)]
    after = []
    for line in lines:
        if line.strip().startswith("pte_unmap_unlock("):
            after.append(f"\t{leave}")
        after.append(line)
    at = next(n for n, line in enumerate(after) if "pte_offset_map_lock(" in line)
    at = next(n for n, line in enumerate(after[at:], at) if line == "\t}")
    after.insert(at + 1, f"\n\t{enter}")
    return text.replace(before, "\n".join(after).replace("\n\n\n", "\n\n"))


def _without(text: str) -> str:
    """A text without the counter of nested modes."""
    return "".join(
        line for line in text.splitlines(keepends=True) if "xen_lazy_nesting);" not in line
    )


def _mail(number: int, total: int, subject: str, old: Path, files: dict[str, str]) -> str:
    head = (
        f"From {number:040x} Mon Sep 17 00:00:00 2001\n"
        f"From: A Developer <dev@example.org>\nDate: Mon, 3 Mar 2025 14:00:0{number} +0000\n"
        f"Subject: [PATCH {number}/{total}] {subject}\n"
        f"Message-ID: <lazy-{number}@example.org>\n"
    )
    if number > 1:
        head += "In-Reply-To: <lazy-1@example.org>\n"
    diffs = []
    for rel, text in files.items():
        before = _read(old, rel).splitlines(keepends=True)
        after = text.splitlines(keepends=True)
        diff = difflib.unified_diff(before, after, f"a/{rel}", f"b/{rel}")
        diffs.append(f"diff --git a/{rel} b/{rel}\n{''.join(diff)}")
    return f"{head}\nRebuilt from the difference of trees.\n\n---\n{''.join(diffs)}\n"


if __name__ == "__main__":
    sys.exit(main())
