# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot be lifted, by name and place."""

from __future__ import annotations

__all__ = ["Unliftable"]


class Unliftable(Exception):
    """Something in a tree's C that is not understood; nothing is guessed in its place.

    :param what: in words, with the name.
    :param file: where it stands, "" and 0 where nowhere.
    :param line: likewise.
    """

    def __init__(self, what: str, file: str = "", line: int = 0) -> None:
        """`what` is one clause without a place."""
        super().__init__(f"{file}:{line}: {what}" if file else what)
        self.what = what
        self.file = file
        self.line = line

    def below(self, what: str, file: str, line: int) -> Unliftable:
        """Return the same with what comes to it, for who looks for that."""
        problem = Unliftable(self.what, self.file, self.line)
        problem.args = (f"{self}, below {what} at {file}:{line}",)
        return problem

    def at(self, file: str, line: int) -> Unliftable:
        """Return the same with a place, where it has none."""
        return self if self.file else Unliftable(self.what, file, line)
