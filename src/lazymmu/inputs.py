# SPDX-License-Identifier: GPL-2.0-or-later
"""Open what the user names: a file, a pipe, standard input; nothing that never ends or answers.

Patches, baselines, suppressions, litmus files, event lists, ports and traces come through here.
What stands in a tree does not: a tree is a stranger's, and its readers are stricter.

A leaf: every layer that reads may import this module, and it imports none of ours.
"""

from __future__ import annotations

import errno
import os
import re
import select
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["LIMIT", "WAIT", "open_input", "read_all", "read_input"]

LIMIT: Final = 256 << 20
"""Bytes that are read of one input that is read whole: forty times the largest patch of a release.

A trace is read in pieces and has no such limit.
"""

WAIT: Final = 5.0
"""Seconds that a named pipe may have nobody who writes into it."""

# What Linux calls the descriptors that this process has already. Opened by name they would be
# opened anew: a pipe whose writer has ended would then look like one that has none yet.
_OURS: Final = re.compile(r"/dev/(?:fd/(?P<fd>\d{1,6})|stdin)|/proc/self/fd/(?P<proc>\d{1,6})")
_NULL: Final = (1, 3)


def open_input(path: str, *, patient: bool = False) -> BinaryIO:
    """The file or pipe at `path`, open for reading in binary.

    :param patient: whether somebody who writes into a pipe is waited for without end, and not for
        `WAIT` seconds.
    :raises OSError: `strerror` is the reason: also for a device (`/dev/null` and a terminal are
        none in this sense), and for a pipe that nobody has opened for writing by then.
    :raises ValueError: the name holds a null character.
    """
    ours = _OURS.fullmatch(path)
    if ours is not None:
        descriptor = os.dup(int(ours["fd"] or ours["proc"] or 0))
    else:
        # Opening a pipe to read it waits for a writer, for ever if need be; not so with O_NONBLOCK.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if stat.S_ISBLK(status.st_mode) or (
            stat.S_ISCHR(status.st_mode)
            and not os.isatty(descriptor)
            and (os.major(status.st_rdev), os.minor(status.st_rdev)) != _NULL
        ):
            raise OSError(errno.EINVAL, "it is a device")
        if ours is None:
            if stat.S_ISFIFO(status.st_mode):
                _await_writer(descriptor, None if patient else WAIT)
            os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_input(path: str) -> bytes:
    """All that is at `path`; raises as `open_input`, and OSError for more than `LIMIT` bytes."""
    with open_input(path) as stream:
        return read_all(stream)


def read_all(stream: BinaryIO) -> bytes:
    """The rest of `stream`.

    :raises OSError: for more than `LIMIT` bytes.
    """
    content = stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise OSError(errno.EFBIG, f"it holds more than {LIMIT >> 20} MiB")
    return content


def _await_writer(descriptor: int, patience: float | None) -> None:
    """Wait until a pipe has something to read, or has somebody who may still write."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if poll.poll(None if patience is None else patience * 1000):
        return  # something to read, or a writer who came and went
    try:
        os.read(descriptor, 1)
    except BlockingIOError:
        return  # a writer who is slow
    raise OSError(errno.EPIPE, f"it is a pipe that nobody writes into (waited {patience:.0f} s)")
