# SPDX-License-Identifier: GPL-2.0-or-later
"""Robots ask by the SDK's own client over both transports, and get what is proven, in its size."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from lazymmu.robots.said import MAX_BYTES
from tests.robots.conftest import TOKEN, free_port

pytest.importorskip("mcp", reason="the SDK of the protocol is not installed (lazymmu[mcp])")

HEAD = """\
From: A <a@b.example>
Subject: [PATCH] mm: a leave that is missing

--- a/mm/right_loops.c
+++ b/mm/right_loops.c
"""

ADDED = """\
int leaves_it_on(pte_t *pte, pte_t value);
int leaves_it_on(pte_t *pte, pte_t value)
{
	lazy_mmu_mode_enable();
	if (!pte)
		return -1;
	set_pte(pte, value);
	lazy_mmu_mode_disable();
	return 0;
}
"""


def patch(tree) -> str:
    """A patch that adds a function to the end of a file as it is."""
    lines = (tree / "mm" / "right_loops.c").read_text().splitlines()
    added = "".join(f"+{line}\n" for line in ADDED.splitlines())
    size = len(ADDED.splitlines())
    return f"{HEAD}@@ -{len(lines)} +{len(lines)},{size + 1} @@\n {lines[-1]}\n{added}"


def test_a_patch_is_answered_with_what_it_brings_and_what_that_rests_on(ask, small):
    """The finding of the patch and no other, its path, and the same told by review."""
    text = patch(small[0])
    (answer,) = ask(("check_change", {"tree": "linux", "patch": text, "arches": ["x86"]}))
    assert not answer.is_error
    items = answer.structured_content["items"]
    assert {one["function"] for one in items} == {"leaves_it_on"}
    item = items[0]
    assert (item["rule"], item["function"]) == ("unbalanced-section", "leaves_it_on")
    rests = answer.structured_content["rests_on"]
    assert "every path" in rests["rests on"]
    assert rests["tree"].startswith("linux, Linux 7.1")
    assert "leaves_it_on" in answer.content[0].text
    path, review = ask(
        (
            "path_of",
            {
                "tree": "linux",
                "patch": text,
                "arches": ["x86"],
                "fingerprint": item["fingerprint"],
            },
        ),
        ("review", {"tree": "linux", "series": text, "arches": ["x86"]}),
    )
    assert any("lazy_mmu_mode_enable" in one["code"] for one in path.structured_content["items"])
    assert "1 patches: " in review.content[0].text
    assert "leaves_it_on() " in review.content[0].text


def test_sections_rules_and_machines_are_told(ask):
    """What a tree has, what a rule means, and what a search shows."""
    sections, rule, run = ask(
        ("sections", {"tree": "linux", "arches": ["x86"], "function": "clean_table"}),
        ("explain", {"rule": "nested-section"}),
        ("verify", {"scenario": "nested-disable-flushes", "arch": "x86", "release": "7.3.4"}),
    )
    assert all("clean_table" in one["function"] for one in sections.structured_content["items"])
    assert "No lazy MMU section begins inside" in rule.content[0].text
    assert "1 hold" in run.content[0].text


HOSTILE = [
    ("check_change", {"tree": "/etc"}),
    ("check_change", {"tree": "../served"}),
    ("check_change", {"tree": "linux", "revision": "--output=/tmp/x"}),
    ("check_change", {"tree": "linux", "revision": "HEAD;id"}),
    ("check_change", {"tree": "linux", "revision": "a..b"}),
    ("check_change", {"tree": "linux", "revision": "HEAD:secret"}),
    ("check_change", {"tree": "linux", "arches": ["x86", "../../etc"]}),
    ("check_change", {"tree": "linux", "arches": ["--config=/etc/passwd"]}),
    ("check_change", {"tree": "linux", "patch": "x" * (1 << 20) + "y"}),
    ("check_change", {"tree": "linux", "patch": "no patch", "revision": "HEAD"}),
    ("check_change", {"tree": "linux", "patch": "\x1b]0;title\x07 no patch"}),
    ("check_change", {"tree": 7}),
    ("path_of", {"tree": "linux", "fingerprint": "../x"}),
    ("path_of", {"tree": "linux", "fingerprint": ""}),
    ("sections", {"tree": ""}),
    ("explain", {"rule": "no-such-rule"}),
    ("explain", {"arch": "/etc/passwd"}),
    ("verify", {"scenario": "../../etc/passwd"}),
    ("verify", {"scenario": "nested-disable-flushes", "arch": "--port=/tmp/x.py"}),
    ("verify", {"scenario": "nested-disable-flushes", "release": "--port=/tmp/x.py"}),
    ("review", {"tree": "linux", "series": ""}),
    ("result", {"handle": "../secret"}),
    ("read_file", {"path": "/etc/passwd"}),
]


def test_hostile_arguments_are_refused_in_a_sentence(ask):
    """Each is an error that says what is wrong, shows no file, and acts on no terminal."""
    for (name, given), answer in zip(HOSTILE, ask(*HOSTILE), strict=True):
        text = answer.content[0].text
        assert answer.is_error, (name, given)
        assert 0 < len(text) < 1000, (name, given)
        assert "root:" not in text
        assert "Traceback" not in text
        assert "\x1b" not in text


def test_a_patch_that_names_files_outside_reads_none(ask, small):
    """Paths of a patch lead nowhere out of the tree."""
    _, top = small
    text = f"--- a/../{top.name}/secret\n+++ b/../{top.name}/secret\n@@ -1 +1 @@\n-what\n+x\n"
    (answer,) = ask(("check_change", {"tree": "linux", "patch": text, "arches": ["x86"]}))
    assert "nobody may read" not in json.dumps(answer.structured_content)
    assert "nobody may read" not in answer.content[0].text


def test_all_of_a_tree_fits_into_what_a_robot_takes(ask):
    """A cold answer of forty findings is cut to the size, and says how much was cut off."""
    (answer,) = ask(("check_change", {"tree": "linux"}))
    if answer.structured_content["handle"]:
        (answer,) = ask(("result", {"handle": answer.structured_content["handle"]}))
    assert len(answer.content[0].text.encode()) <= MAX_BYTES
    assert len(json.dumps(answer.structured_content)) <= MAX_BYTES


def status(url, headers) -> int:
    """How a bare request ends."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
    common = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    request = urllib.request.Request(url, body, {**common, **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_requests_without_the_token_or_from_elsewhere_are_refused(over_http):
    """No token, a wrong one, a foreign Host, a foreign Origin: none reaches a tool."""
    token = {"authorization": "Bearer a token that is long enough"}
    assert status(over_http, {}) == 401
    assert status(over_http, {"authorization": "Bearer another"}) == 401
    assert status(over_http, {**token, "host": "evil.example"}) == 421
    assert status(over_http, {**token, "origin": "http://evil.example"}) == 403
    assert status(over_http, token) in {200, 202, 400}


def test_what_takes_long_is_asked_for_again_by_a_handle(small):
    """Nobody waits: the first answer is a handle, and the tool result has the rest."""
    from mcp.client.client import Client

    from lazymmu.robots.questions import ServedTrees
    from lazymmu.robots.server import RobotServer

    tree, _ = small
    robots = RobotServer(ServedTrees({"linux": tree}, None), wait=0.0)

    async def talk():
        async with Client(robots.server) as client:
            given = {"tree": "linux", "arches": ["x86"], "function": "clean_table"}
            first = await client.call_tool("sections", given)
            robots.wait = 60.0
            handle = first.structured_content["handle"]
            again = await client.call_tool("result", {"handle": handle})
            robots.jobs.end()
            return first, again

    first, again = asyncio.run(talk())
    assert "still working" in first.content[0].text
    assert again.structured_content["handle"] == ""
    assert "sections of the tree" in again.content[0].text


def test_trees_are_read_before_anybody_asks_when_the_server_is_warmed(small, tmp_path):
    """It says which trees are read, the cache has them, and then a question gets no handle."""
    from mcp.client.client import Client

    from lazymmu.robots.questions import ServedTrees
    from lazymmu.robots.server import RobotServer

    tree, _ = small
    cache = tmp_path / "cache"
    command = [
        sys.executable, "-m", "lazymmu", "mcp", "--tree", f"linux={tree}",
        "--cache-dir", str(cache), "--warm", "--http", str(free_port()),
    ]  # fmt: skip
    with subprocess.Popen(
        command, env={**os.environ, "LAZYMMU_MCP_TOKEN": TOKEN}, stderr=subprocess.PIPE, text=True
    ) as server:
        said = [server.stderr.readline() for _ in range(2)]
        server.terminate()
    assert any("linux is read" in line for line in said), said
    assert any(one.stat().st_size for one in cache.rglob("*") if one.is_file())

    async def talk():
        robots = RobotServer(ServedTrees({"linux": tree}, cache))
        async with Client(robots.server) as client:
            answer = await client.call_tool(
                "sections", {"tree": "linux", "function": "clean_table"}
            )
            robots.jobs.end()
            return answer

    answer = asyncio.run(talk())
    assert answer.structured_content["handle"] == ""
    assert "sections of the tree" in answer.content[0].text


def test_a_tree_that_cannot_be_read_by_the_limit_is_said_when_warmed(small, tmp_path):
    """The server goes on all the same, and says which tree it is."""
    from lazymmu.robots.jobs import JobLimits
    from lazymmu.robots.questions import ServedTrees
    from lazymmu.robots.serve import warm
    from lazymmu.robots.server import RobotServer

    tree, _ = small
    robots = RobotServer(ServedTrees({"linux": tree}, None), JobLimits(mebibytes=1))
    said = []
    warm(robots, said.append)
    robots.jobs.end()
    assert said == ["linux could not be read"]


def test_tools_keep_to_what_sashiko_takes_of_a_server(small):
    """Names of letters, digits, _ and -, descriptions below 2 KiB, a schema that is an object."""
    from mcp.client.client import Client

    from lazymmu.robots.questions import ServedTrees
    from lazymmu.robots.server import RobotServer

    async def listed():
        async with Client(RobotServer(ServedTrees({"linux": small[0]}, None)).server) as client:
            return (await client.list_tools()).tools

    tools = asyncio.run(listed())
    assert {one.name for one in tools} >= {"check_change", "review", "result"}
    for tool in tools:
        told = tool.model_dump(by_alias=True)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", tool.name)
        assert 0 < len(tool.description.encode()) <= 2048
        assert told["inputSchema"]["type"] == "object"
