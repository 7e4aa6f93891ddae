# SPDX-License-Identifier: GPL-2.0-or-later
"""`port new`: the template of an implementation as a file of one's own, with a checklist."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path
from typing import Final

from lazymmu.problem import Problem
from lazymmu.terminal import clean
from lazymmu.verbs.given import reason

__all__ = ["new"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")


def new(name: str, folder: str, checklist: str) -> tuple[str, str]:
    """Write NAME.py, a copy of the installed template, and NAME.md; returns both paths.

    What is there already stays as it is: if one of the two is there, neither is written.

    :param folder: where to.
    :param checklist: what NAME.md is to hold.
    :raises lazymmu.Problem: the name is none, or a file cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise Problem(
            f"{clean(name)!r} cannot be the name of a port: it is a lower-case letter, and then "
            "letters, digits and underscores (as arch/NAME has it)"
        )
    source = resources.files("lazymmu.machine.arch").joinpath("template.py").read_text("utf-8")
    paths = [os.path.join(folder, f"{name}.{ending}") for ending in ("py", "md")]
    for path in paths:
        if os.path.lexists(path):
            raise Problem(f"{clean(path)} is there already, and is not overwritten")
    for path, text in zip(paths, (_renamed(source, name), checklist), strict=True):
        try:
            with Path(path).open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise Problem(f"{clean(path)} is there already, and is not overwritten") from None
        except OSError as error:
            raise Problem(f"cannot write {clean(path)}: {reason(error)}") from None
    return paths[0], paths[1]


def _renamed(source: str, name: str) -> str:
    """The template under another name: its class, its row and the kernel's files."""
    title = "".join(part.capitalize() for part in name.split("_"))
    for old, other in (
        ("class Mine(", f"class {title}("),
        ('"mine-batch"', f'"{name}-batch"'),
        ("arch/mine/", f"arch/{name}/"),
    ):
        if old not in source:
            raise AssertionError(f"the template has no {old!r}")
        source = source.replace(old, other)
    return source
