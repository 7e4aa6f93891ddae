# SPDX-License-Identifier: GPL-2.0-or-later
"""The parser's table, made beforehand: making it from the grammar takes longer than most searches.

`grammar.json` is written by `python -m tools.parser_table` and goes with one text of the grammar
and one version of lark; with any other the table is made anew, as if there were none. It is data
and no pickle, so that reading it runs nothing; its form is that of the parsers that lark generates
(lark.tools.standalone).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import lark
from lark import Lark

if TYPE_CHECKING:
    from lazymmu.litmus.parse import Indentation

__all__ = ["made", "of", "parser", "ready"]

GRAMMAR: Final = Path(__file__).parent / "grammar.lark"
TABLE: Final = Path(__file__).parent / "grammar.json"


def parser(postlex: Indentation) -> Lark:
    """The parser of litmus files, from the table when that is of this grammar and this lark."""
    text = GRAMMAR.read_text(encoding="utf-8")
    return ready(text, postlex) or made(text, postlex)


def made(text: str, postlex: Indentation) -> Lark:
    """The parser of a grammar."""
    # Not lark's own cache: it unpickles files from a directory that others may write to.
    return Lark(
        text,
        parser="lalr",
        postlex=postlex,
        maybe_placeholders=True,
        propagate_positions=True,
    )


def ready(text: str, postlex: Indentation) -> Lark | None:
    """The same without making it; None when the table is missing, or not of this grammar."""
    try:
        stored = json.loads(TABLE.read_text(encoding="utf-8"))
    except OSError:
        return None
    if stored["of"] != of(text):
        return None
    data = stored["data"]
    table = data["parser"]["parser"]
    table["tokens"] = _numbered(table["tokens"])
    table["states"] = {state: _numbered(does) for state, does in _numbered(table["states"]).items()}
    load: Any = Lark._load_from_dict  # as lark's own standalone parsers do
    loaded: Lark = load(data, _numbered(stored["memo"]), postlex=postlex)
    return loaded


def of(text: str) -> list[str]:
    """What a table is made of: the version of lark, and the grammar's hash."""
    return [lark.__version__, hashlib.sha256(text.encode()).hexdigest()]


def _numbered(table: dict[str, Any]) -> dict[int, Any]:
    """JSON has no numbers for keys."""
    return {int(key): value for key, value in table.items()}
