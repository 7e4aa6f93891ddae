# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong with a litmus file, and where."""

from __future__ import annotations

__all__ = ["LitmusError"]


class LitmusError(ValueError):
    """A file that is no scenario; the text is `FILE:LINE:COLUMN: sentence`, counted from 1."""

    def __init__(self, file: str, line: int, column: int, sentence: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {sentence}")
        self.file = file
        self.line = line
        self.column = column
        self.sentence = sentence

    def __reduce__(self) -> tuple[type[LitmusError], tuple[str, int, int, str]]:
        return LitmusError, (self.file, self.line, self.column, self.sentence)
