# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the command line share: a way to run it, and a check that they choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lazymmu.cli import main
from lazymmu.witness.finding import CheckResult
from lazymmu.witness.source import check as source


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs `lazymmu ARGUMENT...`; whatever it does, it must not show a traceback."""

    def ran(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ran(code, said.out, said.err)

    return ran


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Callable[[CheckResult], list[dict[str, Any]]]:
    """Lets `check` of any tree give a result; returns the list of what it was then asked."""

    def results(*given: CheckResult) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []

        def check(tree: str, **asked: Any) -> CheckResult:
            calls.append({"tree": tree, **asked})
            result = given[min(len(calls), len(given)) - 1]
            return replace(result, tree=replace(result.tree, path=tree))

        monkeypatch.setattr(source, "check", check)
        return calls

    return results
