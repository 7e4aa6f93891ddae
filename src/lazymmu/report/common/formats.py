# SPDX-License-Identifier: GPL-2.0-or-later
"""Which formats there are, what each is for, and which verb has which.

The command line, its help, completion and the documentation read this table; what renders a format
is looked up by a verb's own `formats.py` (``lazymmu.report.VERB.formats``). It imports nothing
heavy, so that ``--help`` stays instant.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FORMATS", "SUMMARIES", "TABLES", "VERBS", "described"]

FORMATS: Final = {
    "text": "for people",
    "json": "everything, for programs, with a schema",
    "html": "a page in one file, which asks for nothing from anywhere",
    "sarif": "SARIF 2.1.0, for code scanning and editors",
    "mail": "plain text within 76 columns, for a mail",
    "junit": "JUnit XML, for CI servers that show tests",
    "github": "GitHub's workflow commands, which become annotations",
    "gitlab": "GitLab's Code Quality report",
    "markdown": "for a comment, a wiki or a job's summary",
    "ktap": "KTAP, as the kernel's own tests print it",
    "csv": "for spreadsheets and databases",
    "gcc": "one line a message, whose paths open from where you are, for editors",
    "ftrace": "the counterexample as a trace",
    "herd7": "the counterexample as a litmus test for herd7 (arm64)",
    "promela": "the model of one run, for Spin",
}
"""Every format by its name, with what it is for."""

VERBS: Final = {
    "check": (
        "text", "json", "html", "sarif", "mail", "junit", "github", "gitlab", "markdown", "ktap",
        "csv", "gcc",
    ),
    "history": ("text", "json", "html", "markdown", "csv"),
    "sections": ("text", "json", "markdown", "csv"),
    "verify": (
        "text", "json", "html", "junit", "markdown", "ktap", "csv", "ftrace", "herd7", "promela",
    ),
    "litmus": ("text", "json", "html", "junit", "markdown", "ktap", "csv"),
    "trace": ("text", "json", "html", "sarif", "junit", "markdown", "ktap", "csv", "gcc"),
    "cost": ("text", "json", "html", "csv"),
    "replay": ("text", "json"),
    "review": ("text", "json", "html", "sarif", "mail"),
}  # fmt: skip
"""The formats of each verb, its default first."""

SUMMARIES: Final = ("text", "json", "html")
"""The formats of ``trace --summary`` and ``trace --compare``."""

TABLES: Final = ("text", "json", "html", "markdown", "csv")
"""The formats of ``check --compare``."""


def described(names: tuple[str, ...]) -> str:
    """Some formats with what each is for, as the help of an option has them."""
    return "; ".join(f"{name}: {FORMATS[name]}" for name in names)
