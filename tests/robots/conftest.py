# SPDX-License-Identifier: GPL-2.0-or-later
"""A server of a small tree, and clients of the SDK's own over both transports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
TOKEN = "a token that is long enough"


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A kernel tree of one architecture, and a secret beside it."""
    top = tmp_path_factory.mktemp("served")
    (top / "secret").write_text("what nobody may read\n")
    return EXAMPLES / "linux-new", top


@pytest.fixture(scope="session")
def words(small):
    """The command that serves that tree."""
    tree, top = small
    return [
        "-m", "lazymmu", "mcp", "--tree", f"linux={tree}", "--cache-dir", str(top / "cache"),
    ]  # fmt: skip


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


@pytest.fixture(scope="session")
def over_http(words):
    """A server on the loopback address: its URL."""
    pytest.importorskip("mcp", reason="the SDK of the protocol is not installed (lazymmu[mcp])")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, *words, "--http", str(port)],
        env={**os.environ, "LAZYMMU_MCP_TOKEN": TOKEN},
        stderr=subprocess.PIPE,
        text=True,
    )
    line = server.stderr.readline()
    found = re.search(r"http://\S+/mcp", line)
    assert found, line
    # It says where it will be before it listens there.
    for _ in range(500):
        with socket.socket() as made:
            if made.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield found[0]
    server.terminate()
    server.wait(20)
    server.stderr.close()


@pytest.fixture(params=["stdio", "http"])
def ask(request, words):
    """Ask tools one after another by the SDK's client; gives their results."""
    pytest.importorskip("mcp", reason="the SDK of the protocol is not installed (lazymmu[mcp])")
    if request.param == "http":
        url = request.getfixturevalue("over_http")

        def client(stack):
            return http_client(url, stack)
    else:

        def client(stack):
            return stdio(words, stack)

    def asked(*calls):
        async def talk():
            async with contextlib.AsyncExitStack() as stack:
                speaking = await client(stack)
                return [await speaking.call_tool(name, given) for name, given in calls]

        return asyncio.run(talk())

    return asked


async def stdio(words, stack):
    """A client of a server that it starts."""
    from mcp.client.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    params = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))
    return await stack.enter_async_context(Client(stdio_client(params)))


async def http_client(url, stack, headers=None):
    """A client of a server that listens."""
    import httpx2
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    given = {"authorization": f"Bearer {TOKEN}"} if headers is None else headers
    web = await stack.enter_async_context(httpx2.AsyncClient(headers=given, timeout=60))
    return await stack.enter_async_context(Client(streamable_http_client(url, http_client=web)))
