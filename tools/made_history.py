# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a git repository of the differences between trees, a commit a file.

    python -m tools.made_history REPO TREE TREE... [--below DIR] [--most N]

The first tree is the first commit. From each tree to the next one every file that differs is a
commit of its own, in the order of their paths, so that there are thousands of commits of which
each is small and almost all have nothing to do with the mode. Each tree's own state is a tag
(v6.12.8). What lies in between was never anybody's: a function may be used before it is there.
That is what a history has to bear, and what makes figures that may be taken with any trees.

Files are those that a check may read. With --below only what is in that directory is a commit of
its own, with --most only so many, spread evenly; the rest is one commit before the tag.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.snapshot.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

_WHO = b"made_history <nobody@example.org> %d +0000"
_BEGAN = 1_700_000_000
"""When the first commit was made; each later one is a second later, so that names never change."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the repository that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("repository", type=Path, help="a directory that is not there yet")
    parser.add_argument("trees", nargs="+", help="top directories of kernel trees, oldest first")
    parser.add_argument("--below", default="", help="only files in it are commits of their own")
    parser.add_argument("--most", type=int, default=1 << 30, help="commits from a tree to the next")
    asked = parser.parse_args(arguments)
    made = make(asked.repository, asked.trees, asked.below, asked.most)
    print(f"{asked.repository}: {made} commits")
    return 0


def make(repository: Path, trees: Sequence[str], below: str = "", most: int = 1 << 30) -> int:
    """Make a repository of trees; returns the number of its commits.

    :raises subprocess.CalledProcessError: git cannot make it.
    """
    quiet = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "init", "-q", "-b", "main", str(repository)]
    subprocess.run(command, check=True, env=quiet)
    importing = subprocess.Popen(
        ["git", "-C", str(repository), "fast-import", "--quiet"],
        stdin=subprocess.PIPE,
        env=quiet,
    )
    assert importing.stdin is not None  # a pipe was asked for
    writer = _Writer(importing.stdin)
    for number, path in enumerate(trees):
        tree = Tree.open(path)
        if number:
            writer.go_on(tree, below, most)
        else:
            writer.begin(tree)
    importing.stdin.close()
    if importing.wait():
        raise subprocess.CalledProcessError(importing.returncode, command)
    subprocess.run(
        ["git", "-C", str(repository), "reset", "-q", "--hard", "main"], check=True, env=quiet
    )
    return writer.commits


class _Writer:
    """Writes commits as `git fast-import` reads them."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._ids: dict[str, str | None] = {}
        self.commits = 0

    def begin(self, tree: Tree) -> None:
        """The first commit: a tree as it is."""
        self._ids = {rel: tree.content_id(rel) for rel in tree.manifest()}
        self._commit(f"Linux {tree.release}", tree, self._ids)
        self._tag(tree)

    def go_on(self, tree: Tree, below: str, most: int) -> None:
        """The commits from the tree before to this one."""
        now = {rel: tree.content_id(rel) for rel in tree.manifest()}
        changed = [rel for rel in sorted({*self._ids, *now}) if self._ids.get(rel) != now.get(rel)]
        top = below.rstrip("/") + "/"
        alone = [rel for rel in changed if top == "/" or rel.startswith(top)]
        alone = alone[:: -(-len(alone) // most) or 1]
        rest = set(changed) - {*alone} | {"Makefile"}
        for rel in alone:
            if rel != "Makefile":
                self._commit(f"{rel}: as in {tree.release}", tree, [rel])
        self._commit(f"Linux {tree.release}", tree, sorted(rest))
        self._ids = now
        self._tag(tree)

    def _commit(
        self, subject: str, tree: Tree, rels: Sequence[str] | dict[str, str | None]
    ) -> None:
        who = _WHO % (_BEGAN + self.commits)
        self._out.write(b"commit refs/heads/main\ncommitter " + who + b"\n")
        self._data(subject.encode())
        self.commits += 1
        for part in self._files(tree, rels):
            self._out.write(part)

    def _files(self, tree: Tree, rels: Sequence[str] | dict[str, str | None]) -> Iterator[bytes]:
        for rel in rels:
            name = b'"' + rel.encode("utf-8", "surrogateescape").replace(b'"', b'\\"') + b'"'
            if not tree.has(rel):
                yield b"D " + name + b"\n"
                continue
            content = tree.read(rel)
            yield b"M 100644 inline " + name + b"\ndata %d\n" % len(content) + content + b"\n"

    def _tag(self, tree: Tree) -> None:
        plain = tree.release.split("-")[0]
        self._out.write(b"reset refs/tags/v" + plain.encode() + b"\nfrom refs/heads/main\n\n")

    def _data(self, text: bytes) -> None:
        self._out.write(b"data %d\n" % len(text) + text + b"\n")


if __name__ == "__main__":
    sys.exit(main())
