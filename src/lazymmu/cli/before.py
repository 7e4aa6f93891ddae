# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree as it was before a change, for --since and --diff.

Both options mean "only what is new", and both get it the same way: check the tree as it was as
well, and report the findings that were not there. Looking for findings on changed lines instead
would miss what a change breaks elsewhere: who deletes a call that ended a section touches neither
the return that is now reached inside it nor the caller that now sleeps in it.

The former tree costs little: it is a directory of links to the files of the present one, with the
changed files put beside them as they were. Links keep size and time of modification, by which the
cache knows a file, so the second check reads only what differs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.cli.outcome import Problem
from lazymmu.kernelc.tree import Tree, TreeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["at_revision", "tree_with", "without_patch"]

_PREFIX = "lazymmu-before-"
"""Begins the name of a former tree's directory; the maker's process number follows."""

_FILE_MODES = {b"100644", b"100755"}


def at_revision(tree: str, revision: str) -> dict[str, bytes | None]:
    """What differs between a git revision and the files in `tree`, as it was then.

    Keys are paths relative to `tree`, values the former content, None for what was not there.
    Files that git neither tracks nor ignores count as added. Raises Problem if `tree` is in no git
    repository or the revision is not in it.
    """
    name = f"{revision}^{{commit}}"
    done = _git(tree, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    if done.returncode:
        inside = _git(tree, "rev-parse", "--git-dir")
        if inside.returncode:
            raise Problem(
                f"--since: {tree} is not in a git repository: {_first_line(inside.stderr)}"
            )
        raise Problem(f"--since: the git repository of {tree} has no revision {revision!r}")
    commit = done.stdout.decode().strip()
    # --raw names the object of the former content; --no-ext-diff and --no-renames keep it plain.
    raw = _checked(
        tree, "diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff",
        "--ignore-submodules", "--relative", commit, "--", ".",
    )  # fmt: skip
    fields = raw.split(b"\0")
    former: dict[str, bytes | None] = {}
    objects: dict[str, bytes] = {}
    for head, path in zip(fields[0::2], fields[1::2], strict=False):
        mode, _, old, *_ = head.lstrip(b":").split(b" ")
        rel = os.fsdecode(path)
        former[rel] = None
        if mode in _FILE_MODES:
            objects[rel] = old
    untracked = _checked(tree, "ls-files", "--others", "--exclude-standard", "-z")
    former.update((os.fsdecode(path), None) for path in untracked.split(b"\0") if path)
    contents = _contents(tree, sorted(set(objects.values())))
    former.update((rel, contents[old]) for rel, old in objects.items())
    return former


def without_patch(tree: str, patch: bytes, name: str) -> dict[str, bytes | None]:
    """What a patch that is applied to `tree` changed, as it was before; as for `at_revision`.

    patch: a unified diff or mails with such, in order; paths in it have one leading directory (a/,
    b/), as git and diff write them; name: the patch's, for messages. It is applied backwards by
    git in a directory of copies, so the tree itself is not touched and need not be git's. Raises
    Problem if it is no patch, or not one that is applied to `tree`.
    """
    with tempfile.TemporaryDirectory(prefix="lazymmu-") as directory:
        copies = Path(directory, "tree")
        copies.mkdir()
        file = Path(directory, "patch")
        file.write_bytes(patch)
        names: set[str] = set()
        for direction in ([], ["--reverse"]):  # the new names, then the old ones
            listed = _git(str(copies), "apply", *direction, "--numstat", "-z", str(file))
            if listed.returncode:
                raise Problem(f"{name}: not a patch: {_first_line(listed.stderr)}")
            entries = listed.stdout.split(b"\0")
            names.update(os.fsdecode(e.split(b"\t", 2)[2]) for e in entries if e.count(b"\t") >= 2)
        for rel in names:
            if ".." in Path(rel).parts or Path(rel).is_absolute():
                raise Problem(f"{name}: leads out of the tree: {rel}")
            source = Path(tree, rel)
            if source.is_file():
                copy = copies / rel
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(_read(source))
        undone = _git(str(copies), "apply", "--reverse", "--whitespace=nowarn", str(file))
        if undone.returncode:
            why = _first_line(undone.stderr)
            raise Problem(
                f"{name}: this patch is not applied to {tree} (--diff wants it so): {why}"
            )
        return {
            rel: (copies / rel).read_bytes() if (copies / rel).is_file() else None for rel in names
        }


@contextlib.contextmanager
def tree_with(tree: str, former: Mapping[str, bytes | None]) -> Iterator[Path]:
    """A directory that reads like `tree` with `former` contents, gone when the context ends.

    Raises Problem if `tree` is no kernel tree or there is no room.
    """
    try:
        present = Tree.open(tree)
    except TreeError as error:
        raise Problem(str(error)) from None
    parent = _in_memory() or tempfile.gettempdir()
    _sweep(Path(parent))
    with tempfile.TemporaryDirectory(
        prefix=f"{_PREFIX}{os.getpid()}-", dir=parent, ignore_cleanup_errors=True
    ) as directory:
        top = Path(directory)
        try:
            made = {""}
            for rel in present.manifest():
                if rel not in former:
                    _make_parents(top, rel, made)
                    os.symlink(os.path.join(present.root, rel), os.path.join(top, rel))
            for rel, content in former.items():
                if content is not None:
                    _make_parents(top, rel, made)
                    Path(top, rel).write_bytes(content)
        except OSError as error:
            raise Problem(
                f"cannot lay out the former tree in {directory}: {error.strerror}"
            ) from None
        yield top


def _sweep(parent: Path) -> None:
    """Remove former trees whose makers were killed before they could: a reboot may be far."""
    for left in parent.glob(f"{_PREFIX}*-*"):
        maker = left.name.removeprefix(_PREFIX).partition("-")[0]
        if maker.isdecimal() and not Path("/proc", maker).exists() and Path("/proc/self").exists():
            shutil.rmtree(left, ignore_errors=True)  # another user's stays, and should


def _in_memory() -> str | None:
    """A directory for many small things, None for the usual one.

    Sixty thousand links take a second in memory and up to a minute on a busy disk. Who sets TMPDIR
    has chosen; a container may have a tiny /dev/shm, hence the look at what is free.
    """
    memory = "/dev/shm"  # noqa: S108 - the directory made below it has a random name
    if "TMPDIR" in os.environ or not os.access(memory, os.W_OK | os.X_OK):
        return None
    room = os.statvfs(memory)
    # Some file systems do not count inodes and say 0.
    inodes = room.f_favail if room.f_files else 1 << 20
    return memory if inodes > 200_000 and room.f_bavail * room.f_frsize > 512 << 20 else None


def _make_parents(top: Path, rel: str, made: set[str]) -> None:
    parent = os.path.dirname(rel)
    if parent not in made:
        os.makedirs(os.path.join(top, parent), exist_ok=True)
        made.add(parent)


def _contents(tree: str, objects: list[bytes]) -> dict[bytes, bytes]:
    """The contents of git objects by their names."""
    asked = b"".join(name + b"\n" for name in objects)
    done = _git(tree, "cat-file", "--batch", stdin=asked)
    contents: dict[bytes, bytes] = {}
    rest = memoryview(done.stdout)
    at = 0
    for name in objects:
        # `NAME blob SIZE` and the bytes, or `NAME missing` in a partial clone that is offline.
        end = done.stdout.find(b"\n", at)
        head = bytes(rest[at:end]).split(b" ")
        if end < 0 or len(head) != 3:
            raise Problem(f"--since: git lacks the former content of a file ({name.decode()})")
        size = int(head[2])
        contents[name] = bytes(rest[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return contents


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}") from None


def _checked(tree: str, *arguments: str) -> bytes:
    done = _git(tree, *arguments)
    if done.returncode:
        raise Problem(f"--since: git {arguments[0]} failed in {tree}: {_first_line(done.stderr)}")
    return done.stdout


def _git(
    directory: str, *arguments: str, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    # A git hook that calls lazymmu exports where its own repository is; ours is `directory`.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    # The ceiling keeps `git apply` from mistaking a repository around the temporary directory for
    # the tree. No optional locks, and no refresh by `git diff`, which locks all the same: reading
    # must not rewrite the user's index.
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    if arguments[0] == "apply":
        environment["GIT_CEILING_DIRECTORIES"] = str(Path(directory).parent)
    quiet = ("-c", "core.fsmonitor=false", "-c", "diff.autoRefreshIndex=false")
    command = ["git", *quiet, "-C", directory, *arguments]
    try:
        return subprocess.run(
            command, input=stdin or b"", capture_output=True, env=environment, check=False
        )
    except FileNotFoundError:
        raise Problem("git is not installed, and --since and --diff need it") from None


def _first_line(message: bytes) -> str:
    text = message.decode(errors="replace").strip().splitlines()
    return text[0].removeprefix("error: ").removeprefix("fatal: ") if text else "git says nothing"
