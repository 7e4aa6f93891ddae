# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments that are not understood: which command was meant, what it takes, the nearest word."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from lazymmu.cli import console
from lazymmu.terminal import clean
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from _typeshed import SupportsWrite

__all__ = ["Parser"]

_Namespace = TypeVar("_Namespace")
_NOT_A_CHOICE = re.compile(r"(?P<what>.*)invalid choice: (?P<given>.*) \(choose from (?P<all>.*)\)")
"""How argparse says that a word is none of those there are; quotes differ between Pythons."""


class Parser(argparse.ArgumentParser):
    """A parser whose words go where all others go: arguments that it repeats may hold anything."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Print the help as the result that was asked for."""
        if file is None:
            console.write(self.format_help())
        else:
            super().print_help(file)

    def error(self, message: str) -> NoReturn:
        """Say how to use the command, and what is wrong, and end with 2."""
        # argparse repeats what was typed as Python would write it.
        if match := _NOT_A_CHOICE.fullmatch(message):
            given = match["given"].strip("'\"")
            words = [word.strip("'\"") for word in match["all"].split(", ")]
            also = self._option_string_actions if self._subparsers is not None else ()
            near = nearest(given, [*words, *also])
            told = f"did you mean {near}?" if near else f"there are {', '.join(words)}"
            message = f"{match['what']}{given!r} is not one of them; {told}"
        console.tell(f"{self._in_short()}{self.prog}: error: {clean(message)}\n")
        raise SystemExit(ExitCode.FAILED)

    def _in_short(self) -> str:
        """The usage in one line: which options there are is asked for with --help."""
        short = argparse.ArgumentParser(prog=self.prog, add_help=False, usage=self.usage)
        for action in self._actions:
            if not action.option_strings:
                short._add_action(action)
        taken = short.format_usage().removeprefix(f"usage: {self.prog}").strip()
        return f"usage: {self.prog} [OPTION]... {taken}".rstrip() + f"   ({self.prog} --help)\n"

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: _Namespace | None = None
    ) -> argparse.Namespace | _Namespace:
        """Parse all arguments; what a verb does not know is an error of that verb."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self._of_verb(getattr(parsed, "verb", None)).unknown(unknown)
        return parsed

    def unknown(self, arguments: Sequence[str]) -> NoReturn:
        """Refuse arguments that this command does not take."""
        options = [word for word in arguments if word.startswith("-") and word != "-"]
        if not options:
            self.error(f"one argument too many: {' '.join(arguments)}")
        name = options[0].partition("=")[0]
        near = nearest(name, [word for word in self._option_string_actions if word[:2] == "--"])
        self.error(f"there is no option {name}" + (f"; did you mean {near}?" if near else ""))

    def _of_verb(self, verb: str | None) -> Any:
        """The parser of one verb, or this one."""
        for action in self._actions:
            if isinstance(action.choices, dict) and verb in action.choices:
                return action.choices[verb]
        return self


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that was probably meant, or None: one that has this as a part, or looks like it."""
    import difflib

    known = sorted(words)
    part = word.strip("-")
    whole = [one for one in known if len(part) > 2 and part in one.strip("-").split("-")]
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.65)
    return next(
        iter(close or whole or [one for one in known if len(part) > 3 and part in one]), None
    )
