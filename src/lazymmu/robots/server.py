# SPDX-License-Identifier: GPL-2.0-or-later
"""The server: tools with the official SDK of the Model Context Protocol, over stdio or HTTP.

HTTP is on the loopback address alone, and each request must have the token of the environment, a
Host that is this one's, and no Origin but its own: a page in a browser cannot ask through it
(Model Context Protocol, "Transports", security warning on DNS rebinding).
"""

from __future__ import annotations

import functools
import hmac
import json
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from lazymmu.problem import Problem
from lazymmu.robots import telling
from lazymmu.robots.jobs import WAIT, BusyError, JobLimits, Jobs
from lazymmu.robots.said import SaidItem, ToolAnswer
from lazymmu.terminal import clean, message_of
from lazymmu.version import version

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lazymmu.robots.jobs import JobOutcome
    from lazymmu.robots.questions import RobotQuestion, ServedTrees

__all__ = ["MAX_BODY", "RobotServer", "http_application"]

MAX_BODY: Final = 4 << 20
"""Bytes of a request: a patch of a mebibyte, as JSON spells it."""

_MAX_TOLD: Final = 256
_LOOK: Final = 0.05
"""Seconds between two looks whether an answer is there."""

_INSTRUCTIONS: Final = (
    "lazymmu holds Linux kernel source to the contract of the lazy MMU mode "
    "(lazy_mmu_mode_enable() and disable(), formerly arch_enter_lazy_mmu_mode()). "
    "Its findings are proofs about the text, not guesses; each answer says what it rests on, and "
    "what was not seen. An answer that takes long comes as a handle for the tool `result`. "
    "Trees: "
)

Arches = Annotated[list[str], Field(description="x86, powerpc, sparc, arm64; empty for all")]
TreeName = Annotated[str, Field(description="name of a tree that the server has")]
Patch = Annotated[str, Field(description="text of a patch, a mail or a mailbox; up to 1 MiB")]


class RobotServer:
    """The tools, and the questions that are at work."""

    def __init__(
        self, trees: ServedTrees, limits: JobLimits | None = None, wait: float = WAIT
    ) -> None:
        """`trees`: all that is ever read; wait: seconds until who asks gets a handle."""
        self.trees = trees
        self.limits = limits or JobLimits()
        self.jobs = Jobs(self.limits)
        self.wait = wait
        self._tellers: dict[str, Callable[[dict[str, Any]], ToolAnswer]] = {}
        self.server = MCPServer(
            "lazymmu",
            instructions=_INSTRUCTIONS + ", ".join(trees.trees),
            version=version(),
            log_level="WARNING",
        )
        for tool in (
            self.check_change, self.sections, self.path_of, self.explain, self.verify,
            self.review, self.result,
        ):  # fmt: skip
            self.server.add_tool(
                _guarded(tool),
                structured_output=False,
                annotations=ToolAnnotations(
                    read_only_hint=True, destructive_hint=False, open_world_hint=False
                ),
            )

    # ---- tools -----------------------------------------------------------------------------------

    async def check_change(
        self, tree: TreeName, patch: Patch = "", revision: str = "", arches: Arches | None = None
    ) -> ToolAnswer:
        """What a change brings to a kernel tree: findings of lazy MMU sections, with their paths.

        The change is a patch, or all commits since a revision; without either, all of the tree.
        """
        asked = self.trees.check(tree, patch, revision, arches or ())
        return await self._ask(asked, telling.check(tree))

    async def path_of(
        self,
        tree: TreeName,
        fingerprint: Annotated[str, Field(description="of a finding of check_change")],
        patch: Patch = "",
        revision: str = "",
        arches: Arches | None = None,
    ) -> ToolAnswer:
        """The whole call path of one finding, with a line of code at each step."""
        if not fingerprint:
            raise Problem("path_of needs the fingerprint of a finding")
        asked = self.trees.check(tree, patch, revision, arches or (), fingerprint)
        return await self._ask(asked, telling.one_path(tree))

    async def sections(
        self, tree: TreeName, function: str = "", file: str = "", arches: Arches | None = None
    ) -> ToolAnswer:
        """Sections of the lazy MMU mode in a tree: locks, what pins them, what they reach.

        function and file narrow the answer to those whose name contains the text.
        """

        def keep(one: Mapping[str, Any]) -> bool:
            return function in one["function"] and file in one["file"]

        return await self._ask(
            self.trees.sections(tree, arches or ()), telling.sections(tree, keep)
        )

    async def explain(self, rule: str = "", arch: str = "") -> ToolAnswer:
        """A rule of the contract, or how an architecture implements the mode; or all rules."""
        from lazymmu.contract import explain
        from lazymmu.contract.rules import RULES
        from lazymmu.robots.questions import ARCHES
        from lazymmu.verbs import names

        if rule:
            names.check("rule", [rule], RULES)
        if arch:
            names.check("architecture", [arch], ARCHES)
        parts = [explain.explain_rule(rule, None, 100)] if rule else []
        parts += [explain.explain_arch(arch, columns=100)] if arch else []
        text = "\n".join(parts or [explain.explain_rules(None, 100)])
        items = [
            SaidItem(tuple(part.splitlines()), {"text": part})
            for part in text.strip().split("\n\n")
        ]
        rests = {"rests on": "the contract as lazymmu has it, cited from kernel sources"}
        return ToolAnswer(rule or arch or "the rules of the contract", rests, items)

    async def verify(self, scenario: str, arch: str = "", release: str = "") -> ToolAnswer:
        """Search every interleaving of a shipped scenario on machines of kernel releases."""
        seconds = min(60, self.limits.seconds)
        asked = self.trees.verify(scenario, arch, release, seconds)
        return await self._ask(asked, telling.verify)

    async def review(
        self, tree: TreeName, series: Patch, arches: Arches | None = None
    ) -> ToolAnswer:
        """What each patch of a series brings, mends and moves, laid on a tree in memory."""
        return await self._ask(self.trees.review(tree, series, arches or ()), telling.review(tree))

    async def result(
        self, handle: Annotated[str, Field(description="that an answer gave")]
    ) -> ToolAnswer:
        """The answer to a question that was still at work."""
        if handle not in self._tellers:
            raise Problem("there is no such handle, or its answer is forgotten; ask again")
        return await self._await(handle)

    # ---- asking ----------------------------------------------------------------------------------

    async def _ask(
        self, asked: RobotQuestion, tell: Callable[[dict[str, Any]], ToolAnswer]
    ) -> ToolAnswer:
        handle = self.jobs.begin(asked.command, asked.given)
        # What was asked is the same, and may be told another way.
        handle = f"{handle}.{len(self._tellers)}"
        while len(self._tellers) >= _MAX_TOLD:
            del self._tellers[next(iter(self._tellers))]
        self._tellers[handle] = tell
        return await self._await(handle)

    async def _await(self, handle: str) -> ToolAnswer:
        until = anyio.current_time() + self.wait
        try:
            outcome = self.jobs.outcome(handle.rpartition(".")[0])
            while outcome is None and anyio.current_time() < until:
                await anyio.sleep(_LOOK)
                outcome = self.jobs.outcome(handle.rpartition(".")[0])
        except KeyError:
            raise Problem("the answer is forgotten; ask again") from None
        if outcome is None:
            verdict = f"still working; ask the tool result with handle {handle}"
            return ToolAnswer(verdict, handle=handle)
        return self._told(outcome, self._tellers[handle])

    def _told(
        self, outcome: JobOutcome, tell: Callable[[dict[str, Any]], ToolAnswer]
    ) -> ToolAnswer:
        """An answer from how a question ended; raises Problem where there is none."""
        if outcome.stopped:
            raise Problem(f"no answer: {outcome.stopped}")
        try:
            said = json.loads(outcome.out) if outcome.out else None
        except ValueError:
            said = None
        if outcome.code not in (0, 1, 3) or not isinstance(said, dict):
            lines = self.trees.hide(outcome.err.decode("utf-8", "replace")).splitlines()
            why = lines[0].removeprefix("lazymmu: ").removeprefix("-: ") if lines else "it failed"
            raise Problem(f"no answer: {clean(why, 500)}")
        return tell(said)


def _guarded(
    tool: Callable[..., Awaitable[ToolAnswer]],
) -> Callable[..., Awaitable[CallToolResult]]:
    """A tool whose errors are sentences, and whose answers have their size."""

    @functools.wraps(tool)
    async def called(*args: Any, **kwargs: Any) -> CallToolResult:
        try:
            answer = await tool(*args, **kwargs)
        except (Problem, BusyError) as error:
            answer = ToolAnswer(message_of(error), failed=True)
        return CallToolResult(
            content=[TextContent(type="text", text=answer.text())],
            structured_content=answer.facts(),
            is_error=answer.failed,
        )

    called.__annotations__ = {**tool.__annotations__, "return": CallToolResult}
    return called


def http_application(robots: RobotServer, host: str, port: int, token: str) -> Any:
    """The ASGI application: Streamable HTTP at ``/mcp`` behind the token."""
    places = [f"{name}:{port}" for name in dict.fromkeys((host, "127.0.0.1", "localhost", "[::1]"))]
    inner = robots.server.streamable_http_app(
        host=host,
        json_response=True,
        max_request_body_size=MAX_BODY,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=places,
            allowed_origins=[f"http://{place}" for place in places],
        ),
    )
    wanted = f"Bearer {token}".encode()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, wanted):
                await _refuse(send)
                return
        await inner(scope, receive, send)

    return application


async def _refuse(send: Any) -> None:
    headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"the bearer token is missing or wrong\n"})
