# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of its kind for each format: who opens what lazymmu wrote, as other tools do."""

from __future__ import annotations

import csv
import email
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import jsonschema
from junitparser import JUnitXml
from markdown_it import MarkdownIt
from sarif import loader

from lazymmu.verbs.trace import TraceRequest, trace
from tests.herd_tests import read_herd_test

SARIF = Path(__file__).parent / "report" / "check" / "data" / "sarif-schema-2.1.0.json"
SCHEMAS = {
    "litmus": "verify/verify",
    "sections": "check/sections",
    "explain": "oops/oops",
    "lab": "trace/trace",
}
"""Of verbs whose JSON is not called as they are."""
VOID = {"meta", "link", "input", "br", "hr", "img", "wbr", "col"}
MAX_PAGE_BYTES = 1_000_000


def read_text(text: str, _verb: str, _place: Path) -> None:
    """A terminal: nothing in it acts."""
    assert text.strip()


def read_json(text: str, verb: str, _place: Path) -> None:
    """The schema that ships for what a verb writes."""
    name = SCHEMAS.get(verb, f"{verb}/{verb}")
    schema = json.loads(files("lazymmu.report").joinpath(f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))


def read_sarif(text: str, _verb: str, place: Path) -> None:
    """The schema of the standard, and sarif-tools, with which people count."""
    log = json.loads(text)
    jsonschema.Draft7Validator(json.loads(SARIF.read_text())).validate(log)
    (place / "read.sarif").write_text(text)
    read = loader.load_sarif_file(str(place / "read.sarif"))
    assert read.get_result_count() == sum(len(run.get("results", ())) for run in log["runs"])


def read_junit(text: str, _verb: str, _place: Path) -> None:
    """JUnitXml, as CI servers count: totals are those of the cases."""
    for suite in JUnitXml.fromstring(text.encode()):
        cases = list(suite)
        kinds = Counter(type(one).__name__ for case in cases for one in case.result)
        assert suite.tests == len(cases) > 0
        assert (suite.failures, suite.errors) == (kinds["Failure"], kinds["Error"])


def read_ktap(text: str, _verb: str, _place: Path) -> None:
    """As kunit.py does, level by level: a plan, and as many results in order."""
    counts: dict[int, tuple[int, int]] = {}
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip(" "))
        said = line.strip()
        if plan := re.fullmatch(r"1\.\.(\d+)", said):
            counts[depth] = (int(plan[1]), 0)
        elif result := re.match(r"(?:not )?ok (\d+)(?: |$)", said):
            planned, seen = counts[depth]
            assert int(result[1]) == seen + 1 <= planned
            counts[depth] = (planned, seen + 1)
            inner = counts.pop(depth + 2, (0, 0))
            assert inner[0] == inner[1]
        else:
            assert not said or said.startswith(("#", "KTAP version 1")), line
    assert counts.keys() == {0}
    assert counts[0][0] == counts[0][1] > 0


def read_csv(text: str, _verb: str, _place: Path) -> None:
    """The csv module, and a spreadsheet, which would run what begins as a formula does."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len({len(row) for row in rows}) == 1
    assert len(rows) > 1
    for value in (value for row in rows for value in row):
        number = re.fullmatch(r"-?\d+(\.\d+)?", value)
        assert number or not value.lstrip().startswith(("=", "+", "-", "@")), value


def read_markdown(text: str, _verb: str, _place: Path) -> None:
    """As GitHub shows it: tables whose rows are whole, and no markup that is not ours."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    kinds = Counter(token.type for token in tokens)
    assert kinds["table_open"] or kinds["heading_open"] or kinds["bullet_list_open"]
    inline = [child for token in tokens for child in token.children or []]
    assert not {child.type for child in inline} & {"image", "link_open"}
    html = [token.content for token in (*tokens, *inline) if token.type.startswith("html")]
    assert all(re.match(r"</?(?:details|summary|br)|<!-- -->", one) for one in html), html


GCC = re.compile(r"^.+?:([1-9]\d*):([1-9]\d*): (error|warning|info|note): .+$")


def read_gcc(text: str, _verb: str, _place: Path) -> None:
    """An editor's errorformat: each line a place that begins at one."""
    assert all(GCC.match(line) for line in text.splitlines())


def read_mail(text: str, _verb: str, _place: Path) -> None:
    """A mail program: what comes first is no header of a stranger's, and no line is too long."""
    read = email.message_from_string(text)
    assert not {name.lower() for name in read} & {"bcc", "content-type", "reply-to", "x-forged"}
    words = [line for line in text.splitlines() if len(line) > 76]
    # A word is not broken: a path must be found by who searches for it.
    assert all(len(line.split()) <= 4 for line in words), words


def read_github(text: str, _verb: str, _place: Path) -> None:
    """The runner of GitHub's workflows (ActionCommand.TryParseV2): each line one command."""
    for line in text.splitlines():
        whole = re.fullmatch(r"::(error|warning|notice) (.*?)::(.+)", line)
        assert whole, line
        given = [pair.partition("=")[0] for pair in whole[2].split(",")]
        assert set(given) <= {"file", "line", "col", "title"}, line


def read_gitlab(text: str, _verb: str, _place: Path) -> None:
    """GitLab: its fields, and fingerprints of which none stands twice."""
    found = json.loads(text)
    for one in found:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert len({one["fingerprint"] for one in found}) == len(found)


def read_ftrace(text: str, _verb: str, place: Path) -> None:
    """lazymmu itself: what a counterexample is as a recording."""
    (place / "read.trace").write_text(text)
    (read,) = trace(TraceRequest(traces=[str(place / "read.trace")])).watched
    assert read.seen.lines > 0


def read_herd7(text: str, _verb: str, _place: Path) -> None:
    """herd7, as far as its grammar is known here."""
    read_herd_test(text)


def read_promela(text: str, _verb: str, _place: Path) -> None:
    """Promela, as far as its blocks: variables, and one process."""
    head, _, body = text.partition("active proctype model() {\n")
    assert all(line.startswith("unsigned ") for line in head.splitlines())
    assert body.count("{") + 1 == body.count("}")


def read_dot(text: str, _verb: str, _place: Path) -> None:
    """Graphviz, as far as the brackets: one graph, whose names are quoted."""
    assert text.lstrip().startswith("digraph")
    assert text.count("{") == text.count("}")


class Page(HTMLParser):
    """Reads a page as a browser does, and keeps what it would ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what is open, and what would be loaded or run."""
        self.open += [tag] if tag not in VOID else []
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.asked += [
            value for name, value in attrs if name in {"src", "href", "action"} and value
        ]

    def handle_endtag(self, tag: str) -> None:
        """Close what is open."""
        assert self.open.pop() == tag


def read_html(text: str, _verb: str, _place: Path) -> None:
    """A browser: elements that close, nothing of a stranger's runs, nothing is asked for."""
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert all(one.startswith(("#", "data:", "https://")) for one in page.asked), page.asked
    assert not re.search(r"url\((?!['\"]?(?:#|data:))|@import", text)
    assert "<forged" not in text
    assert len(text.encode()) < MAX_PAGE_BYTES


READERS: dict[str, Callable[[str, str, Path], None]] = {
    "text": read_text,
    "json": read_json,
    "html": read_html,
    "sarif": read_sarif,
    "mail": read_mail,
    "junit": read_junit,
    "github": read_github,
    "gitlab": read_gitlab,
    "markdown": read_markdown,
    "ktap": read_ktap,
    "csv": read_csv,
    "gcc": read_gcc,
    "ftrace": read_ftrace,
    "herd7": read_herd7,
    "promela": read_promela,
    "dot": read_dot,
}
