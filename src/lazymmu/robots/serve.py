# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the server until it is told to stop, and read the trees before if that is wanted."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import os
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Final

import anyio

from lazymmu.problem import Problem
from lazymmu.robots.jobs import BusyError
from lazymmu.robots.server import RobotServer, http_application
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.robots.jobs import JobLimits
    from lazymmu.robots.questions import ServedTrees

__all__ = ["TOKEN", "place", "serve", "warm"]

TOKEN: Final = "LAZYMMU_MCP_TOKEN"
"""The environment variable with the bearer token: never an argument, which others can read."""

_SHORTEST: Final = 16
"""Characters of a token."""


def place(given: str) -> tuple[str, int]:
    """A host and a port from ``[HOST:]PORT``.

    :raises Problem: for what is not on this machine.
    """
    host, _, port = given.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 1 << 16:
        raise Problem(f"{clean(given, 80)} is no [HOST:]PORT")
    if host != "localhost":
        try:
            own = ipaddress.ip_address(host).is_loopback
        except ValueError:
            own = False
        if not own:
            raise Problem(f"{clean(host, 80)} is no loopback address; others need a proxy in front")
    return ("127.0.0.1" if host == "localhost" else host), int(port)


def token() -> str:
    """The bearer token of the environment.

    :raises Problem: without a good one.
    """
    found = os.environ.get(TOKEN, "")
    if len(found) < _SHORTEST or not found.isascii() or not found.isprintable():
        raise Problem(f"{TOKEN} must hold a token of {_SHORTEST} characters or more")
    return found


def serve(
    trees: ServedTrees,
    limits: JobLimits,
    *,
    http: str | None,
    first: bool,
    say: Callable[[str], None],
) -> None:
    """Serve until the client goes away (stdio), or until a signal comes (HTTP).

    :param first: read all trees first, so that the first question finds what it needs.
    :param say: told what happens, a line each.
    :raises Problem: with the reason.
    """
    where = None if http is None else (*place(http), token())
    robots = RobotServer(trees, limits)
    if first:
        threading.Thread(target=warm, args=(robots, say), daemon=True).start()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            anyio.run(functools.partial(_serve, robots, where, say))
    finally:
        robots.jobs.end()


async def _serve(
    robots: RobotServer, where: tuple[str, int, str] | None, say: Callable[[str], None]
) -> None:
    if where is None:
        await robots.server.run_stdio_async()
    else:
        await _http(robots, *where, say)


def warm(robots: RobotServer, say: Callable[[str], None]) -> None:
    """Read all trees, so that what is kept of them is there."""
    for name in robots.trees.trees:
        with contextlib.suppress(BusyError, RuntimeError, CancelledError, KeyError):
            handle = robots.jobs.begin(robots.trees.check(name, "", "", ()).command)
            outcome = robots.jobs.wait(handle, robots.limits.seconds)
            good = outcome is not None and outcome.code in (0, 1, 3)
            say(f"{name} is read" if good else f"{name} could not be read")


async def _http(
    robots: RobotServer, host: str, port: int, secret: str, say: Callable[[str], None]
) -> None:
    import uvicorn

    application = http_application(robots, host, port, secret)
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        limit_concurrency=32,
        timeout_graceful_shutdown=2,
    )
    say(f"http://{f'[{host}]' if ':' in host else host}:{port}/mcp")
    await uvicorn.Server(config).serve()
