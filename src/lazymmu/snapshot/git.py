# SPDX-License-Identifier: GPL-2.0-or-later
"""The one place that calls git, so that nobody but us says what git does.

git runs the programs that a configuration names: filters, hooks, monitors, transports. A tree or a
patch of a stranger may bring a configuration. So git is never run in a repository of somebody
else: it gets a git directory of our own, made for the call and empty but for what the caller puts
into it, and an environment in which no other configuration is read. docs/security.rst has what
this promises and what was tried against it.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from lazymmu.interrupt import Terminated
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["OUTPUT_LIMIT", "TIME_LIMIT", "Answer", "Git", "private_git"]

TIME_LIMIT = 120.0
"""Seconds that one call of git may take. To hash the 60,000 files of a kernel anew takes it three
if they are in memory, and a minute from a slow disk."""

OUTPUT_LIMIT = 256 << 20
"""Bytes that git may write to one file, its output being one."""

_MEMORY_LIMIT = 2 << 30
"""Bytes of memory of git's own (RLIMIT_DATA: a mapped pack does not count)."""

_CONFIGURATION = """\
[core]
	repositoryformatversion = 1
	bare = false
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	fsmonitor = false
	commitGraph = false
[protocol]
	allow = never
[gc]
	auto = 0
[maintenance]
	auto = false
"""
"""What git is configured with. `commitGraph`: it says what the parents of a commit are, and may
lie."""

_ENVIRONMENT = {
    "LC_ALL": "C",
    # Nobody's configuration and attributes: not the machine's, not the user's own.
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    # What the commit says, not what another object says in its place.
    "GIT_NO_REPLACE_OBJECTS": "1",
    # Nothing is fetched. The configuration of a partial clone is not read anyway.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    # Or git would ask the system who we are and what our host is called, which asks who knows whom.
    "GIT_AUTHOR_NAME": "lazymmu",
    "GIT_AUTHOR_EMAIL": "lazymmu",
    "GIT_COMMITTER_NAME": "lazymmu",
    "GIT_COMMITTER_EMAIL": "lazymmu",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call of git ended: its exit code, its output, and the first line of its complaint."""

    code: int
    out: bytes
    why: str


@dataclass(frozen=True, slots=True)
class Git:
    """git, with a git directory of our own.

    :param directory: that git directory.
    :param work_tree: what it takes for its work tree.
    :param objects: where it finds objects beside its own.
    """

    directory: Path
    work_tree: Path
    objects: Path | None = None

    def configure(self, more: str) -> None:
        """Write the configuration: ours, and `more`, which must be trusted word for word."""
        Path(self.directory, "config").write_text(_CONFIGURATION + more, encoding="ascii")

    def ask(self, *arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> Answer:
        """Run git and return how it ended, whatever that was.

        :param cwd: where, by default in the work tree.
        :raises Problem: git is not there, takes longer than TIME_LIMIT, or gives more than
            OUTPUT_LIMIT. git and all that it started are dead when this returns or raises, also for
            a signal.
        """
        command = [_program(), "-C", str(cwd or self.work_tree), *arguments]
        try:
            with (
                tempfile.TemporaryFile(dir=self.directory) as asked,
                tempfile.TemporaryFile(dir=self.directory) as said,
                tempfile.TemporaryFile(dir=self.directory) as complained,
            ):
                asked.write(stdin)
                asked.seek(0)
                code = _run(command, self._environment(), (asked, said, complained))
                # Also looked at, because the limit is set when git runs already.
                if code == -signal.SIGXFSZ or said.seek(0, os.SEEK_END) > OUTPUT_LIMIT:
                    raise Problem(f"git {arguments[0]} gives more than {OUTPUT_LIMIT >> 20} MB")
                said.seek(0)
                complained.seek(0)
                return Answer(code, said.read(), _first_line(complained.read(4096)))
        except (OSError, ValueError) as error:
            raise Problem(f"cannot run git {arguments[0]}: {_reason(error)}") from None

    def must(self, *arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
        """Run git and return its output.

        :raises Problem: with git's reason, if it fails.
        """
        answer = self.ask(*arguments, stdin=stdin, cwd=cwd)
        if answer.code:
            raise Problem(f"git {arguments[0]} failed: {answer.why}")
        return answer.out

    def _environment(self) -> dict[str, str]:
        # A git hook that calls lazymmu exports where its own repository is.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        own = str(self.directory)
        # HOME: a git before 2.32 does not know GIT_CONFIG_GLOBAL.
        kept |= _ENVIRONMENT | {"HOME": own, "XDG_CONFIG_HOME": own, "TMPDIR": own, "GIT_DIR": own}
        kept |= {"PATH": _path(), "GIT_WORK_TREE": str(self.work_tree)}
        if self.objects is not None:
            # Beside ours, not in their place: git may write objects where it only reads, as when it
            # spells out a sparse index. In quotes, since a colon would divide it.
            path = str(self.objects).replace("\\", "\\\\").replace('"', '\\"')
            kept["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = f'"{path}"'
        return kept


@contextlib.contextmanager
def private_git() -> Iterator[Git]:
    """git with an empty repository and work tree of our own, gone when the context ends.

    :raises Problem: there is no room for it.
    """
    with contextlib.ExitStack() as stack:
        try:
            name = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="lazymmu-git-", ignore_cleanup_errors=True)
            )
            own = Path(name).resolve()
            for below in ("objects", "refs", "work"):
                (own / below).mkdir()
            (own / "HEAD").write_text("ref: refs/heads/none\n")
            git = Git(own, own / "work")
            git.configure("")
        except OSError as error:
            raise Problem(f"cannot make a temporary directory: {_reason(error)}") from None
        yield git


def _run(command: list[str], environment: dict[str, str], files: tuple[IO[bytes], ...]) -> int:
    """Run a command with standard streams that are files, limited; returns how it ended."""
    stdin, stdout, stderr = files
    with _Signals() as signals:
        # A session of its own: a group to kill, and no terminal to ask for a password on.
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            start_new_session=True,
        )
        try:
            signals.heed()
            _limit(process.pid)
            if not _ends(process.pid, TIME_LIMIT):
                raise Problem(f"git {command[3]} did not end within {TIME_LIMIT:g} seconds")
        finally:
            # Also after an exception of any kind, and what git started may outlive it. The process
            # is waited for last, so that its number is still its own here.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return process.returncode


def _ends(pid: int, seconds: float) -> bool:
    """Wait for a child to end, and leave it to be waited for; whether it did in that time."""
    deadline = time.monotonic() + seconds
    pause = 0.0005
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.02)
    return True


class _Signals:
    """Lets signals that would end the program unwind it instead, for who must clean up.

    Until `heed` is called they are only kept: while a process is being started there is nothing
    yet that could be killed.
    """

    def __init__(self) -> None:
        self._kept: list[int] = []
        self._heeded = False
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                known = signal.getsignal(number)
                # Whoever ignores one (nohup) or handles it has a reason.
                if known in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = known
                    signal.signal(number, self._came)
        return self

    def __exit__(self, *_: object) -> None:
        for number, known in self._before.items():
            signal.signal(number, known)
        if not self._heeded:
            # Nothing was started, and who sent it still wants to be heard.
            for number in self._kept:
                os.kill(os.getpid(), number)

    def heed(self) -> None:
        """From now on a signal raises; so does one that came before."""
        self._heeded = True
        for number in self._kept:
            self._stop(number)

    def _came(self, number: int, _: FrameType | None) -> None:
        if self._heeded:
            self._stop(number)
        self._kept.append(number)

    def _stop(self, number: int) -> None:
        if self._before[number] is signal.default_int_handler:
            raise KeyboardInterrupt
        raise Terminated(number)


def _limit(pid: int) -> None:
    """Bound what a process writes and keeps in memory; it leaves no core in somebody's tree."""
    for what, limit in (
        (resource.RLIMIT_FSIZE, OUTPUT_LIMIT),
        (resource.RLIMIT_DATA, _MEMORY_LIMIT),
        (resource.RLIMIT_CORE, 0),
    ):
        # It may have ended by now, and a limit of the user's may be tighter.
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, what, (limit, limit))


def _path() -> str:
    """Where programs are, without what depends on the directory: that may be a stranger's."""
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(place for place in places if os.path.isabs(place))


def _program() -> str:
    git = shutil.which("git", path=_path())
    if git is None:
        raise Problem("git is not installed, and --since and --diff need it")
    return git


def _first_line(message: bytes) -> str:
    text = message.decode(errors="replace").strip().splitlines()
    return text[0].removeprefix("error: ").removeprefix("fatal: ") if text else "git says nothing"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
