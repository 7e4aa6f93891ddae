# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files of a tree contain which words: one pass over every byte of its C.

The tree holds more than a gigabyte, so that the time is that of reading it; the work is divided by
bytes among processes.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from array import array
from itertools import chain
from typing import TYPE_CHECKING

from lazymmu.kernelc.index.directory_words import DirectoryWords
from lazymmu.kernelc.index.needles import Needles
from lazymmu.kernelc.json_shapes import listed, mapped, numbers, string, strings
from lazymmu.kernelc.preprocess.line_splicing import cuts_words, whole_words
from lazymmu.processes import Task
from lazymmu.snapshot.beneath import DISK_STAMP, settled, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lazymmu.snapshot.cache import Cache
    from lazymmu.snapshot.tree import Stamp, Tree

__all__ = ["files_containing"]

_KIND = "words-3"

_STAMP = DISK_STAMP * 8
"""Bytes of a stamp as it is kept."""

_MANY = 200
"""Files that have to be read, from which on it is asked what git knows of them."""


def files_containing(
    tree: Tree,
    needles: Sequence[bytes],
    jobs: int = 1,
    *,
    manifest: Mapping[str, Stamp] | None = None,
    cache: Cache | None = None,
) -> dict[str, set[bytes]]:
    """Find the .c and .h files of a tree that contain any of the needles.

    The result has the files that contain at least one, in the order of the manifest, and which. A
    file that cannot be read is recorded in `tree.losses` and left out.

    :param needles: substrings, not empty.
    :param jobs: how many processes may work.
    :param manifest: what `Tree.manifest` returned, when it is known.
    :param cache: where to keep what was found, unless the tree is changed in memory; a file whose
        stamp is that of the last search is not read again.
    """
    wanted = [needle for needle in dict.fromkeys(needles) if needle]
    if not wanted:
        return {}
    known = tree.manifest() if manifest is None else manifest
    files = [path for path in known if path.endswith((".c", ".h"))]
    key = _key(tree, wanted)
    found = _recalled(cache, key, known, len(wanted)) if cache is not None else {}
    missing = [path for path in files if path not in found]
    folders = None
    if cache is not None and len(missing) > _MANY:
        folders = DirectoryWords(cache, wanted, files, tree.ground.known_ids(known))
        found |= folders.recall()
    unread = [path for path in missing if path not in found]
    fresh, lost = _read(tree, unread, known, wanted, jobs)
    if folders is not None:
        folders.keep({**found, **fresh}, unread, [path for path, _ in lost])
    for path, reason in lost:
        tree.lose(path, reason, unread=True)
    if cache is not None and missing and tree.plain:
        gone = {path for path, _ in lost}
        found |= {path: fresh.get(path, []) for path in unread if path not in gone}
        _keep(cache, key, known, found, tree.listed)
    else:
        found |= fresh
    return {path: {wanted[i] for i in found[path]} for path in files if found.get(path)}


def _key(tree: Tree, needles: list[bytes]) -> str:
    digest = hashlib.blake2b(os.fsencode(tree.root), digest_size=16)
    for needle in needles:
        digest.update(b"\0" + needle)
    return digest.hexdigest()


def _keep(
    cache: Cache,
    key: str,
    known: Mapping[str, Stamp],
    found: Mapping[str, list[int]],
    when: int,
) -> None:
    """Keep what a search came to, beside the states of the files, as numbers in one text."""
    # What changed just now may change again without the clock telling.
    paths = [
        path
        for path in found
        if len(stamp := known.get(path, ())) == DISK_STAMP and settled(stamp, when)
    ]
    with contextlib.suppress(OverflowError):
        stamps = base64.b64encode(_numbers(known, paths)).decode()
        hits = {path: found[path] for path in paths if found[path]}
        cache.put(_KIND, key, {"paths": paths, "stamps": stamps, "hits": hits})


def _recalled(
    cache: Cache, key: str, known: Mapping[str, Stamp], count: int
) -> dict[str, list[int]]:
    """What the cache says of files that are still the same: numbers of needles by path."""
    try:
        value = mapped(cache.get(_KIND, key))
        paths, hits = strings(value["paths"]), mapped(value["hits"])
        then = base64.b64decode(string(value["stamps"]), validate=True)
        if len(then) != len(paths) * _STAMP:
            return {}
        places = [n for n, path in enumerate(paths) if len(known.get(path, ())) == DISK_STAMP]
        now = _numbers(known, [paths[n] for n in places])
        # All together first: looking at each takes longer than all the rest.
        if now != then:
            each = zip(places, range(0, len(now), _STAMP), strict=True)
            places = [
                n
                for n, at in each
                if now[at : at + _STAMP] == then[n * _STAMP : n * _STAMP + _STAMP]
            ]
        found: dict[str, list[int]] = {paths[n]: [] for n in places}
        for path in hits.keys() & found.keys():
            found[path] = numbers(listed(hits[path]), 0, count)
    except (TypeError, ValueError, KeyError, OverflowError):
        return {}
    return found


def _numbers(known: Mapping[str, Stamp], paths: Iterable[str]) -> bytes:
    """The states of files, one behind the other; raises OverflowError."""
    return array("q", chain.from_iterable(known[path] for path in paths)).tobytes()


def _read(
    tree: Tree,
    files: list[str],
    known: Mapping[str, Stamp],
    needles: list[bytes],
    jobs: int,
) -> tuple[dict[str, list[int]], list[tuple[str, str]]]:
    """Search files in several processes if that is worth it."""
    jobs = max(1, min(jobs, len(files) // 100))
    parts = _divide(files, known, jobs)
    tasks = [Task(True, _search, tree, part, needles) for part in parts[1:]]
    found, lost = _search(tree, parts[0], needles)
    for task in tasks:
        more, also = task.result()
        found |= more
        lost += also
    return found, lost


def _divide(files: list[str], known: Mapping[str, Stamp], parts: int) -> list[list[str]]:
    """Cut the files into runs of about the same number of bytes."""
    # Opening a file takes about as long as reading 10 kB of it.
    weights = [known[path][0] + 10_000 for path in files]
    share = sum(weights) / parts + 1
    cut: list[list[str]] = [[] for _ in range(parts)]
    done = 0
    for path, weight in zip(files, weights, strict=True):
        cut[min(int(done / share), parts - 1)].append(path)
        done += weight
    return cut


def _search(
    tree: Tree, files: list[str], needles: list[bytes]
) -> tuple[dict[str, list[int]], list[tuple[str, str]]]:
    """Search some files; returns numbers of needles by file, and what could not be read."""
    found: dict[str, list[int]] = {}
    lost: list[tuple[str, str]] = []
    wanted = Needles(needles)
    # Not bytes for each file: that costs a tenth of the time.
    buffer = bytearray(1 << 20)
    for path in files:
        try:
            size = tree.into(path, buffer)
        except (OSError, ValueError) as error:
            lost.append((path, why(error)))
            continue
        if buffer.find(b"\0", 0, size) >= 0:
            lost.append((path, "holds NUL bytes, so it is no C"))
            continue
        if cuts_words(buffer, size):
            buffer[:size] = whole_words(bytes(buffer[:size]))
        hits = wanted.within(buffer, size)
        if hits:
            found[path] = hits
    return found, lost
