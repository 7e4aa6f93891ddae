# SPDX-License-Identifier: GPL-2.0-or-later
"""What was lost that could hide a finding: with it, no findings do not mean clean.

That is a place that names the mode and was not seen; whatever a section runs through and was not
read in full, or not walked to its end; a file that could not be searched; a Makefile or Kconfig on
the way to a file that names the mode; a file that has something called back and that no Makefile
names; and an architecture that has the mode by its own word and whose hooks were not found. What
lies further away (calls that were not resolved) is listed elsewhere and hides nothing that names
the mode.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from posixpath import basename, dirname

from lazymmu.snapshot.tree import Loss
from lazymmu.witness.finding import Lost, Place, Standing
from lazymmu.witness.source import arch_hooks
from lazymmu.witness.source.path.walker import Walker

_BUILD_FILES = ("Makefile", "Kbuild", "Kconfig")


def of_places(places: Iterable[Place]) -> Iterator[Lost]:
    """The places that were lost, each by itself: one more in a lost function is one more loss."""
    for place in places:
        if place.standing is Standing.LOST:
            yield Lost(place.file, place.line, place.function or place.word, place.reason)


def of_walker(walker: Walker) -> Iterator[Lost]:
    """What a section runs through that was not read in full, or not walked to its end."""
    call_transfer = walker.call_transfer
    lost = {
        **call_transfer.broken,
        **walker.blurred,
        **call_transfer.summaries.bounded,
        **walker.bounded,
    }
    for (file, line, name), why in sorted(lost.items()):
        yield Lost(file, line, name, why)


def of_hooks(arch: str, implementation: arch_hooks.Implementation) -> Iterator[Lost]:
    """What of an architecture's implementation was left out."""
    if implementation.cut:
        most = arch_hooks.MAX_BELOW_HOOKS
        why = f"more than {most} functions below the mode's hooks, some left out"
        yield Lost(f"arch/{arch}", 0, arch, why)


def of_tree(losses: Iterable[Loss], files: Collection[str]) -> Iterator[Lost]:
    """What could not be read and may name the mode, or decides whether one of `files` is built."""
    on_the_way = {"", *(folder for file in files for folder in _above(file))}
    for loss in losses:
        if basename(loss.file).startswith(_BUILD_FILES):
            # Any Kconfig may define a symbol that any file rests on.
            matters = "Kconfig" in basename(loss.file) or dirname(loss.file) in on_the_way
        else:
            matters = loss.unread
        if matters:
            yield Lost(loss.file, 0, "", loss.reason)


def of_files(unlisted: Mapping[str, Mapping[str, str]]) -> Iterator[Lost]:
    """Files that hand functions to one that calls back, and that nobody builds.

    Another architecture's files are none of its own.

    :param unlisted: by directory below arch/, the files that it could build and no Makefile of its
        own was seen to name, each with the reason.
    """
    for file in sorted({file for files in unlisted.values() for file in files}):
        top, _, below = file.partition("/")
        own = below.partition("/")[0] if top == "arch" else ""
        reasons = [files.get(file) for arch, files in unlisted.items() if own in ("", arch)]
        if all(reasons) and reasons[0] is not None:
            yield Lost(file, 0, "", f"not read, {reasons[0]}")


def of_architectures(fallen: Iterable[str]) -> Iterator[Lost]:
    """The directories below arch/ that say that they have the mode, and were not looked at."""
    for name in sorted(fallen):
        why = "this architecture says that it has the mode, and its hooks were not found"
        yield Lost(f"arch/{name}", 0, name, why)


def _above(file: str) -> Iterator[str]:
    folder = dirname(file)
    while folder:
        yield folder
        folder = dirname(folder)
