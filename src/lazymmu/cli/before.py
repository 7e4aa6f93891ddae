# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree as it was before a change, for --since and --diff.

Both options mean "only what is new", and both get it the same way: check the tree as it was as
well, and report the findings that were not there. Looking for findings on changed lines instead
would miss what a change breaks elsewhere: who deletes a call that ended a section touches neither
the return that is now reached inside it nor the caller that now sleeps in it.

The former tree costs little: it is the present one with the changed files as they were, in memory
(`Tree.over`). The cache knows all the others, so the second check reads only what differs.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from lazymmu.cli.outcome import Problem

__all__ = ["at_revision", "without_patch"]

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
