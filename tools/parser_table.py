# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the table of the litmus files' parser: ``python -m tools.parser_table``."""

from __future__ import annotations

import json
from pathlib import Path

from lark.grammar import Rule
from lark.lexer import TerminalDef

from lazymmu.litmus.parse import Indentation
from lazymmu.litmus.parser_table import GRAMMAR, TABLE, made, of

__all__ = ["write"]


def write(path: Path) -> None:
    """Make the table anew from the grammar, with the lark that is installed."""
    text = GRAMMAR.read_text(encoding="utf-8")
    data, memo = made(text, Indentation()).memo_serialize([TerminalDef, Rule])
    del data["options"]["postlex"]
    stored = {"of": of(text), "data": data, "memo": memo}
    path.write_text(json.dumps(stored, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(str(TABLE)))
