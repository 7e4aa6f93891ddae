# SPDX-License-Identifier: GPL-2.0-or-later
"""A copy of the project in a temporary folder, and the tests of an area on it.

They run in a process of their own that imports the copied package. Nothing is ever written into the
work tree, and what is edited there meanwhile makes no difference.
"""

from __future__ import annotations

import compileall
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tools.mutants import sites
from tools.mutants.watch import NEVER_ENDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tools.mutants.areas import Area
    from tools.mutants.sites import Mutant

PATIENCE: Final = 10.0
"""How many times its usual seconds, and one second more, a test may take on a mutant."""

_TOOLS: Final = Path(__file__).parents[2]
"""Where the plugin is imported from."""

_LEFT_OUT: Final = (".*", "__pycache__", "_build", "_generated", "build", "dist")
"""What of a project is not copied: what is made from the rest."""

_PASSED: Final = 0
_NONE: Final = 5
"""Of pytest, too: there was no test to run."""

_NOTICED: Final = frozenset({1, 2, 3})
"""Exit codes of pytest: a test failed; no test could be collected; pytest itself fell over."""


class Verdict(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict, and the first test that failed or did not end."""

    verdict: Verdict
    by: str = ""


class RunError(Exception):
    """The tests cannot be run, or do not pass on the package as it is."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the tests of an area do on the package as it is.

    lines: the tests of each line, by module; seconds: how long each test takes.
    """

    lines: Mapping[str, Mapping[int, Sequence[str]]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def only(cls, mutant: Mutant, test: str, top: Path) -> Baseline:
        """That one test is known to run the lines of a mutant; nothing, if its file is gone."""
        if not (top / test.partition("::")[0]).is_file():
            return cls()
        return cls({mutant.module: {line: [test] for line in mutant.lines}})

    def first(self, mutant: Mutant) -> list[str]:
        """The tests that run a line of the mutant's change."""
        found = self.lines.get(mutant.module, {})
        return sorted({test for line in mutant.lines for test in found.get(line, ())})


class Workshop:
    """A copy of a project, in which one module of its package at a time is changed.

    top: the folder of the project, with its tests; package: the folder of the package in it; place:
    an empty folder elsewhere, which is whoever makes the workshop's to delete.
    """

    def __init__(self, top: Path, package: Path, place: Path) -> None:
        self._original = package
        self._place = place
        self._top = place / "project"
        shutil.copytree(top, self._top, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        self.package = self._top / package.relative_to(top)
        compileall.compile_dir(self.package, quiet=2)

    def baseline(self, area: Area) -> Baseline:
        """Run the tests of an area on the package as it is; RunError when one fails."""
        modules = {str(path.resolve()): module for module, path in area.sources(self.package)}
        code, said, told = self._pytest(area.tests, {"record": list(modules)}, limit=None)
        if code != _PASSED:
            raise RunError(f"the tests of {area.name} fail on the code as it is:\n{told}")
        lines = {
            modules[file]: {int(line): tests for line, tests in found.items()}
            for file, found in said["lines"].items()
        }
        if not lines:
            raise RunError(f"the tests of {area.name} run none of its modules in {self.package}")
        return Baseline(lines, said["seconds"])

    def attempt(
        self, area: Area, mutant: Mutant, known: Baseline | None = None, *, quick: bool = False
    ) -> Outcome:
        """Run the tests of an area on a mutant, until one fails.

        quick: only those that run the changed line, where that is known. They are all that could
        notice, but for what a test keeps for the next one, and what it does in another process.
        """
        known = known or Baseline()
        path = dict(area.sources(self.package))[mutant.module]
        source = dict(area.sources(self._original))[mutant.module].read_text(encoding="utf-8")
        path.write_text(sites.planted(source, mutant), encoding="utf-8")
        _forget(path)
        first = known.first(mutant)
        try:
            outcome = self._on(area, known, first, only=True) if first else None
            if outcome is None or (outcome.verdict is Verdict.SURVIVED and not quick):
                outcome = self._on(area, known, first, only=False)
        finally:
            path.write_text(source, encoding="utf-8")
        return outcome

    def _on(self, area: Area, known: Baseline, first: Sequence[str], *, only: bool) -> Outcome:
        """Run the tests in `first`, or all the others."""
        plan = {
            "record": False,
            "tests": first,
            "only": only,
            "seconds": dict(known.seconds),
            "patience": PATIENCE,
        }
        limit = 60 + PATIENCE * (1 + sum(known.seconds.values()))
        files = sorted({test.partition("::")[0] for test in first}) if only else area.tests
        code, said, told = self._pytest(files, plan, limit=limit)
        by = said.get("by", "")
        if code == _PASSED or (code == _NONE and (only or first)):
            return Outcome(Verdict.SURVIVED)
        if code == NEVER_ENDS:
            return Outcome(Verdict.TIMED_OUT, by)
        if code in _NOTICED or code < 0:
            return Outcome(Verdict.KILLED, by or "a process that died")
        raise RunError(f"pytest ended with {code}:\n{told}")

    def _pytest(
        self, tests: Sequence[str], plan: dict[str, Any], *, limit: float | None
    ) -> tuple[int, dict[str, Any], str]:
        """Exit code, what the plugin wrote, and the end of what pytest printed."""
        said = self._place / "said.json"
        said.unlink(missing_ok=True)
        file = self._place / "plan.json"
        file.write_text(json.dumps({**plan, "said": str(said)}), encoding="utf-8")
        arguments = [
            *("-q", "-x", "--no-header", "-p", "no:cacheprovider", "-p", "tools.mutants.watch"),
            *("--rootdir", str(self._top)),
            *(("-c", "pyproject.toml") if (self._top / "pyproject.toml").is_file() else ()),
            *("--mutants-plan", str(file), "--basetemp", str(self._place / "tests")),
            *tests,
        ]
        with subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self._top,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                told = process.communicate(timeout=limit)[0].decode(errors="replace")
                code = process.returncode
            except subprocess.TimeoutExpired:
                told, code = "", NEVER_ENDS
            finally:
                _end(process.pid)
        answer = json.loads(said.read_text(encoding="utf-8")) if said.is_file() else {}
        return code, answer, "\n".join(told.splitlines()[-20:])

    def _environment(self) -> dict[str, str]:
        """That of whoever calls, but: the copy is imported, no kernel tree is there, no dice roll.

        With CI set, hypothesis draws the same examples every time (tests/conftest.py).
        """
        here = [str(self.package.parent), str(_TOOLS), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, here)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAZYMMU_KERNELS": str(self._place / "no-trees"),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self._place / "hypothesis"),
            "COVERAGE_CORE": "ctrace",
            "CI": "1",
        }


def all_mutants(area: Area, package: Path) -> Iterable[Mutant]:
    """Every mutant of an area."""
    for module, path in area.sources(package):
        yield from sites.mutants(module, path.read_text(encoding="utf-8"))


def _forget(path: Path) -> None:
    """Delete what is compiled of a module: its time is that of the original."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()


def _end(group: int) -> None:
    """End what a test may have left running."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
