# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the git repository of a tree is, found without git, and its files, read with care.

Limits and refusals are for repositories that a stranger sent: pipes, devices and files without end
in place of what git writes.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from lazymmu.problem import Problem
from lazymmu.snapshot import git_config

__all__ = ["INDEX_LIMIT", "SMALL_LIMIT", "GitDirectory", "find", "read_file"]

SMALL_LIMIT = 4 << 20
"""Bytes of a small file of a repository, such as its configuration."""

INDEX_LIMIT = 512 << 20
"""Bytes of an index. That of a kernel has 9 MB."""


@dataclass(frozen=True, slots=True)
class GitDirectory:
    """The git directory of a tree.

    :param top: the top of the work tree that the tree is in.
    :param own: the git directory of that work tree.
    :param common: what it shares with other work trees of its repository; `own`, if it is alone.
    """

    top: Path
    own: Path
    common: Path


def find(tree: Path) -> GitDirectory:
    """The git directory of the repository that a tree, a path without links, is in.

    Only what is named `.git` counts: a directory that looks like a git directory itself is what a
    stranger can send.

    :raises Problem: there is none, or it is somebody else's.
    :raises OSError: it cannot be looked at.
    """
    for top in (tree, *tree.parents):
        mark = top / ".git"
        if mark.is_file():
            text = read_file(mark, SMALL_LIMIT).rstrip(b"\r\n")
            if not text.startswith(b"gitdir: "):
                raise Problem(f"{mark} is no file of git")
            own = Path(top, os.fsdecode(text.removeprefix(b"gitdir: ")))
        elif os.path.lexists(mark / "HEAD"):
            own = mark
        else:
            continue
        # As git's safe.directory, but for one's own tree in a container: a repository that lies
        # around a tree belongs to who has the tree.
        owners = {0, os.geteuid(), os.stat(tree).st_uid}
        if os.stat(mark).st_uid not in owners and not _is_trusted(top):
            raise Problem(
                f"the git repository {mark} belongs to somebody else than {tree}; if you trust it: "
                f"git config --global --add safe.directory {top}, or chown one of them, so that "
                "they are the same user's"
            )
        common = _common(own)
        if not own.is_dir() or not (common / "objects").is_dir():
            raise Problem(f"{tree} is not in a git repository: {own} is none")
        return GitDirectory(top, own, common)
    raise Problem(f"{tree} is not in a git repository: there is no .git in it or above it")


def read_file(path: Path, cap: int) -> bytes:
    """The bytes of a regular file of at most `cap` bytes; OSError otherwise, and never a hang."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path} is not a regular file")
        content = file.read(cap + 1)
    if len(content) > cap:
        raise OSError(f"{path} has more than {cap >> 20} MB")
    return content


def _is_trusted(top: Path) -> bool:
    """Whether the user's own configuration of git says so (git-config, safe.directory).

    It is the one thing that is asked of it: not what a repository means, but whether to look.
    """
    home = Path(os.environ.get("HOME") or "/nonexistent")
    above = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    said: list[str] = []
    for path in (above / "git" / "config", home / ".gitconfig"):
        with contextlib.suppress(OSError, Problem):
            found = git_config.parse(read_file(path, SMALL_LIMIT))
            said += [value for key, value in found if key == "safe.directory"]
    return any(
        value == "*"
        or value.rstrip("/") == str(top)
        or (value.endswith("/*") and f"{top}/".startswith(value[:-1]))
        for value in said
    )


def _common(own: Path) -> Path:
    mark = own / "commondir"
    if not mark.is_file():
        return own
    return Path(own, os.fsdecode(read_file(mark, SMALL_LIMIT).rstrip(b"\r\n")))
