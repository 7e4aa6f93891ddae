# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commit of which repository a tree is, as far as its repository says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from lazymmu.problem import Problem
from lazymmu.snapshot.repository import view

__all__ = ["Provenance", "origin_of", "provenance"]

_SCHEMES: Final = {"http", "https", "ssh", "git"}
_SCP: Final = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>(?!//)[\w./~+-]+)", re.ASCII)
"""``git@host:path``, which git takes for ssh://git@host/path."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a tree comes from.

    :param top: the top directory of its repository, a path without links.
    :param inside: the tree below that, "" where it is the top.
    :param revision: the commit that is checked out, "" before the first one.
    :param origin: the URL that it was cloned from, without user and password; "" for none, or one
        that is no address in a network.
    """

    top: str
    inside: str = ""
    revision: str = ""
    origin: str = ""


def provenance(tree: str) -> Provenance | None:
    """The provenance of a tree, None where it is in no repository, or in one that is not read.

    git is asked in a directory of its own (`snapshot.repository`), and asks nobody else. What the
    work tree has beside its commit is not looked for.
    """
    try:
        with view(tree) as repository:
            return Provenance(
                str(repository.top),
                repository.inside,
                repository.head(),
                origin_of(repository.origin),
            )
    except (Problem, ValueError):
        return None


def origin_of(url: str) -> str:
    """A remote's URL without what is secret in it, "" if it is no address in a network."""
    if match := _SCP.fullmatch(url):
        return f"ssh://{match['host']}/{match['path'].lstrip('/')}"
    try:
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES or not parts.hostname:
            return ""
        port = f":{parts.port}" if parts.port else ""
        plain = urlunsplit((parts.scheme, f"{parts.hostname}{port}", parts.path, "", ""))
    except ValueError:
        return ""
    return plain if re.fullmatch(r"[!-~]+", plain) else ""
