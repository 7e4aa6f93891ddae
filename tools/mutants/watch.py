# SPDX-License-Identifier: GPL-2.0-or-later
"""The part that runs inside pytest (``-p tools.mutants.watch``): it records, or it hurries.

With ``record`` in its plan it writes down which tests run which line, and how long each takes. Else
it runs the tests that the plan names, or all others, ends a test that takes far longer than it
should, and writes down the first that failed. The plan is a file of JSON, as is what is written.
"""

from __future__ import annotations

import json
import os
import resource
import signal
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NEVER_ENDS: Final = 99
"""Exit code of a process in which a test took too long."""

MAX_BYTES: Final = 4 << 30
"""Memory of a process: a mutant may collect without end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the plan's file."""
    parser.addoption("--mutants-plan", type=Path, required=True, help="what to do, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Do as the plan says from now on."""
    plan = json.loads(config.getoption("mutants_plan").read_text(encoding="utf-8"))
    config.pluginmanager.register(Recording(plan) if plan["record"] else Hurrying(plan))


class Recording:
    """Writes down the tests of each line of the modules in the plan, and each test's seconds."""

    def __init__(self, plan: dict[str, Any]) -> None:
        from coverage import Coverage

        self._plan = plan
        self._seconds: dict[str, float] = defaultdict(float)
        self._coverage = Coverage(data_file=None, include=plan["record"], config_file=False)
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Charge what runs to this test."""
        self._coverage.switch_context(item.nodeid)
        yield
        self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up a test's seconds."""
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Write both down."""
        self._coverage.stop()
        data = self._coverage.get_data()
        lines = {
            file: {line: list(filter(None, tests)) for line, tests in found.items()}
            for file in data.measured_files()
            if (found := data.contexts_by_lineno(file))
        }
        said = {"lines": lines, "seconds": self._seconds}
        Path(self._plan["said"]).write_text(json.dumps(said), encoding="utf-8")


class Hurrying:
    """Runs the tests that the plan names, or all but those, and none for ever."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._tests = frozenset(plan["tests"])
        self._only: bool = plan["only"]
        self._seconds: dict[str, float] = plan["seconds"]
        self._patience: float = plan["patience"]
        self._said = Path(plan["said"])
        self._by = ""
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
        signal.signal(signal.SIGALRM, self._give_up)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out, and begin with the quickest."""
        items[:] = [item for item in items if (item.nodeid in self._tests) == self._only]
        items.sort(key=lambda item: self._seconds.get(item.nodeid, 0.0))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Wait for a test as long as is reasonable."""
        self._by = item.nodeid
        usual = self._seconds.get(item.nodeid, 0.0)
        signal.setitimer(signal.ITIMER_REAL, self._patience * (1 + usual))
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say which test failed."""
        if report.failed:
            self._say(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Say which file cannot even be imported."""
        if report.failed:
            self._say(report.nodeid)

    def _give_up(self, *_: object) -> None:
        self._say(self._by)
        os._exit(NEVER_ENDS)

    def _say(self, test: str) -> None:
        self._said.write_text(json.dumps({"by": test}), encoding="utf-8")
