# SPDX-License-Identifier: GPL-2.0-or-later
"""The directives of one file, and where they stand."""

from __future__ import annotations

from lazymmu.kernelc.preprocess.directives import scan
from lazymmu.kernelc.preprocess.texts import Text


def test_places_are_where_directives_begin_and_end_and_the_end_of_the_file():
    """They are offsets alone: what moves when a line is added is told by them."""
    source = "int a;\n#if X\nint b;\n#endif\n"
    text = Text(*scan(source), len(source), None)
    assert text.places == [
        source.index("#if"),
        source.index("#if X") + len("#if X"),
        source.index("#endif"),
        len(source) - 1,
        len(source),
    ]
