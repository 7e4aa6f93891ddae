# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder of the user's own: nobody else can have put anything there.

What is kept between runs answers for what was not looked at again, so whoever writes it decides
what a run says. That must be the user alone. Links are followed nowhere below the folder's own
name: somebody else's link would make a run write into a file of the user's that it names.
"""

from __future__ import annotations

import os
import stat

__all__ = ["distrust", "own_file"]

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def distrust(folder: str | os.PathLike[str]) -> str | None:
    """Make a folder unless it is there; returns why it is not to be used, None if it may be.

    It may when it is a directory of the user's that nobody else can write, and if its name is a
    link, when the link is the user's. The text continues a sentence that begins with the folder.

    :raises OSError: there is no folder, and none can be made.
    :raises ValueError: likewise.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    link = os.lstat(folder)
    status = os.stat(folder)
    me = os.geteuid()
    if stat.S_ISLNK(link.st_mode) and link.st_uid != me:
        return "is a link that belongs to another user"
    if status.st_uid != me:
        return "belongs to another user"
    if stat.S_IMODE(status.st_mode) & _OTHERS:
        return "can be written by other users"
    return None


def own_file(path: str, *, make: bool = False) -> bool:
    """Leave a file of the user's alone, take anything else away; whether there is a file then.

    The folder must be one that `distrust` says nothing of. A link, a device, another user's file or
    one that others can write is unlinked.

    :param make: make an empty file when there is none.
    :raises OSError: that is not possible.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        status = None
    if status is not None:
        mode = status.st_mode
        if stat.S_ISREG(mode) and status.st_uid == os.geteuid() and not mode & _OTHERS:
            return True
        os.unlink(path)
    if make:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            os.close(os.open(path, flags, 0o600))
        except FileExistsError:
            return own_file(path)  # another run of the user's was quicker
    return make
