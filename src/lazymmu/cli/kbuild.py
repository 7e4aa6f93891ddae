# SPDX-License-Identifier: GPL-2.0-or-later
"""``make C=1 CHECK="lazymmu check"``: one file at a time, with a compiler's arguments.

kbuild calls what CHECK names as ``$(CHECK) $(CHECKFLAGS) $(c_flags) FILE`` (scripts/Makefile.build,
cmd_checksrc), for each C file that it compiles (C=1) or could (C=2), and a call that fails breaks
the build. So the compiler's arguments are passed over, a file that does not name the mode ends at
once, for any other the tree's findings that touch it are printed as gcc prints, and the exit code
is 0 whatever was found. A section begins where the mode is named, so that all that begins in C
files is told; what begins in a header is told by `lazymmu check` of the tree alone.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lazymmu.cli import console
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["check_file", "is_call"]

_COMPILERS = re.compile(r"-[DIU].|-nostdinc$|-include$|-Wp,|-isystem|-std=|-m[a-z]|-f[a-z]|-W[a-z]")
"""How an argument of a compiler or of sparse begins; none of ours does."""
_SURE = 3
"""As many of them as nobody types by mistake."""


def is_call(words: Sequence[str]) -> bool:
    """Whether the command line is one that kbuild makes: compiler's arguments, then one C file."""
    found = sum(_COMPILERS.match(word) is not None for word in words)
    return found >= _SURE and words[-1].endswith(".c")


def check_file(words: Sequence[str], command: Callable[[Sequence[str]], int]) -> int:
    """Check the one file, and return 0 unless the user broke off.

    :param words: of the command line; options of `lazymmu check` may stand before the compiler's.
    :param command: runs a command line of ours, and returns its exit code.
    """
    *options, file = words
    first = next(at for at, word in enumerate(options) if _COMPILERS.match(word))
    mine = options[:first]
    if mine[:1] == ["check"]:
        del mine[0]
    if not _names_the_mode(file):
        return 0
    tree = _tree(file)
    if tree is None:
        console.say(
            f"{clean(file)} is in no kernel tree: run `lazymmu check FOLDER --kernel TREE` instead"
        )
        return 0
    ours = ["check", tree, "--path", os.path.abspath(file), "--format", "gcc", "--jobs", "1", "-q"]
    code = command([*ours, *_arch(tree, mine), *mine])
    return code if code > 128 else 0


def _names_the_mode(file: str) -> bool:
    """Whether a file has a name of the mode's API in it; raises Problem if it cannot be read."""
    from lazymmu.contract import vocabulary
    from lazymmu.verbs.given import read

    text = read(file).content
    return any(name.encode() in text for name in vocabulary.load().mode)


def _tree(file: str) -> str | None:
    """The kernel tree that a file is in, None if it is in none."""
    from lazymmu.snapshot.tree import Tree, TreeError

    folder = os.path.dirname(os.path.abspath(file))
    while True:
        try:
            Tree.open(folder)
        except TreeError:
            above = os.path.dirname(folder)
            if above == folder:
                return None
            folder = above
        else:
            return folder


def _arch(tree: str, mine: Sequence[str]) -> list[str]:
    """The architecture that is being built (kbuild exports SRCARCH), unless another is asked for.

    None where it does not implement the mode or is not known: then all that do are looked at.
    """
    from lazymmu.cli.options import ARCHES

    name = os.environ.get("SRCARCH", "")
    asked = any(word.partition("=")[0] == "--arch" for word in mine)
    known = name in ARCHES and os.path.isdir(os.path.join(tree, "arch", name))
    return ["--arch", name] if known and not asked else []
