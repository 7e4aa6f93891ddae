# SPDX-License-Identifier: GPL-2.0-or-later
"""It sends nothing: no module of the package imports what could open a connection."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "lazymmu"
CONNECT = {
    "socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "poplib", "imaplib",
    "telnetlib", "xmlrpc", "asyncio", "requests", "httpx", "aiohttp", "urllib3", "socketserver",
    "webbrowser",
}  # fmt: skip


def connecting(text):
    """The imports of a module that could open a connection."""
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if any(name == one or name.startswith(f"{one}.") for one in CONNECT):
                yield name


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.name))
def test_no_module_imports_what_could_open_a_connection(path):
    """What is not there cannot send anything, whatever else goes wrong."""
    assert list(connecting(path.read_text())) == []


def test_the_search_knows_a_connection_when_it_sees_one():
    """A test that looks for imports is worth what it recognises."""
    assert list(connecting("import urllib.request")) == ["urllib.request"]
    assert list(connecting("from urllib import request")) == ["urllib.request"]
    assert list(connecting("from http.client import HTTPSConnection"))
    assert list(connecting("from urllib.parse import quote")) == []
