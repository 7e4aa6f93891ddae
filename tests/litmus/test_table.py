# SPDX-License-Identifier: GPL-2.0-or-later
"""The parser's table that ships is the grammar's, and nothing depends on it."""

from __future__ import annotations

from lazymmu.litmus import parser_table, shipped
from lazymmu.litmus.parse import Indentation
from tools.parser_table import write

TEXT = parser_table.GRAMMAR.read_text(encoding="utf-8")


def test_the_table_is_of_this_grammar_and_this_lark():
    """The table is made of this grammar by this lark.

    If not, `python -m tools.parser_table` makes it anew.
    """
    assert parser_table.ready(TEXT, Indentation()) is not None


def test_the_table_reads_as_the_grammar_does():
    """The same trees, with the same places, of every scenario that ships."""
    ready, made = parser_table.ready(TEXT, Indentation()), parser_table.made(TEXT, Indentation())
    for name in shipped.names():
        text = shipped.text(name)
        one, other = ready.parse(text), made.parse(text)
        assert one == other
        assert [tree.meta.line for tree in one.iter_subtrees()] == [
            tree.meta.line for tree in other.iter_subtrees()
        ]


def test_another_grammar_makes_its_own_table():
    """A table that is out of date is not used."""
    assert parser_table.ready(TEXT + "\n", Indentation()) is None


def test_a_table_that_is_written_is_read(monkeypatch, tmp_path):
    """As who changes the grammar does it."""
    write(tmp_path / "again.json")
    monkeypatch.setattr(parser_table, "TABLE", tmp_path / "again.json")
    ready, text = parser_table.ready(TEXT, Indentation()), shipped.text(shipped.names()[0])
    assert ready is not None
    assert ready.parse(text) == parser_table.made(TEXT, Indentation()).parse(text)


def test_without_a_table_the_grammar_is_read(monkeypatch, tmp_path):
    """Without a table the grammar itself is read, because none is needed."""
    monkeypatch.setattr(parser_table, "TABLE", tmp_path / "none.json")
    assert parser_table.ready(TEXT, Indentation()) is None
    assert parser_table.parser(Indentation()).parse(shipped.text(shipped.names()[0]))
