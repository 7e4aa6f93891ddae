# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hypercall takes in a Xen PV guest: two files of sysfs, of which one asks the hypervisor.

`version/major` is a hypercall (major_show() calls HYPERVISOR_xen_version()), `type` a constant;
both are read in the same way (drivers/xen/sys-hypervisor.c, 5.10 to 7.3). What a hypercall has to
do is not in it: entries are written with the mode and without; the way there and back is
saved.
"""

from __future__ import annotations

import contextlib
import os
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

from lazymmu.timing.samples import NotMeasured, Pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["guest_of_xen", "hypercall"]

_ASKS: Final = "version/major"
_KNOWS: Final = "type"
_READS: Final = 20
"""How many are read for one sample: a read takes less than a microsecond."""


def guest_of_xen(root: Path) -> str:
    """Which guest of Xen this is (`PV`, `PVH`, `HVM`), "" for none."""
    folder = root / "sys/hypervisor"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if (folder / "type").read_text("ascii").strip() == "xen":
            # It is there from v4.13 on; before, a guest that has no such file may be any.
            return (folder / "guest_type").read_text("ascii").strip()
    return ""


@contextlib.contextmanager
def hypercall(root: Path) -> Iterator[Pair]:
    """The pair of reads.

    :raises NotMeasured: with the reason.
    """
    guest = guest_of_xen(root)
    if guest != "PV":
        which = f"a guest of Xen of another kind, {guest[:20]!a}" if guest else "no guest of Xen"
        raise NotMeasured(f"this is {which}: only a Xen PV guest puts hypercalls off")
    folder = root / "sys/hypervisor"
    with contextlib.ExitStack() as opened:
        asks, knows = (_open(opened, folder / name) for name in (_ASKS, _KNOWS))
        yield Pair(
            lambda: _reads(asks),
            lambda: _reads(knows),
            _READS,
            "the way to the hypervisor and back, without what it does there",
        )


def _open(opened: contextlib.ExitStack, path: Path) -> int:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise NotMeasured(f"cannot read {path}: {error.strerror}") from None
    opened.callback(os.close, handle)
    return handle


def _reads(handle: int) -> int:
    begin = perf_counter_ns()
    for _ in range(_READS):
        os.pread(handle, 16, 0)
    return perf_counter_ns() - begin
