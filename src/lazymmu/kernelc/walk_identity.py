# SPDX-License-Identifier: GPL-2.0-or-later
"""What tells one walk of the headers from others: what it saw, whatever it was computed from.

Two walks are one where the same headers were visited in the same order, with the same directives,
of which the same are live under the same conditions, and leave the same macros; where the same .c
files are built, and each sees the same local headers. So a .c file may come to include another
header that was visited before, a Makefile may build what nobody looks at, and the walk is the same.

Of a .c file nothing else counts here: whoever reads it reads its directives too (file_parts.py).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lazymmu.kernelc.json_shapes import listed, mapped, numbers, strings
from lazymmu.kernelc.preprocess.headers import is_public

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["walk_identity"]

_MOST = 1 << 62


def walk_identity(state: Mapping[str, object], *also: object) -> str:
    """Return what tells a walk from others.

    :param state: the walk as `plain_state` tells it.
    :param also: for what machine, and under which configuration.
    :raises KeyError, TypeError, ValueError: the state is none.
    """
    files = strings(state["files"])
    conditions = [tuple(strings(item)) for item in listed(state["conditions"])]
    selections = [listed(item) for item in listed(state["selections"])]
    headers = [files[n] for item in selections for n in numbers(item[:1], 0, len(files))]
    of_headers = frozenset(headers)
    digests = {files[int(n)]: said for n, said in mapped(state["texts"]).items()}
    includes = {
        files[int(n)]: [files[m] for m in numbers(others, 0, len(files))]
        for n, others in mapped(state["includes"]).items()
    }
    built = mapped(state["built"])
    whole = hashlib.blake2b(digest_size=16)
    for part in (
        also,
        [(rel, digests.get(rel), includes.get(rel)) for rel in headers],
        [_live(item[1], item[2], conditions) for item in selections],
        _macros(listed(state["macros"]), files, conditions),
        state["values"],
        state["removed"],
        [(files[int(n)], presence) for n, presence in built.items()],
        _overrides(mapped(state["overrides"]), files),
        list(_local(includes, of_headers)),
        state["loops"],
    ):
        whole.update(repr(part).encode("utf-8", "surrogatepass"))
        whole.update(b"\0")
    return whole.hexdigest()


def _live(
    dead: object, guarded: object, conditions: Sequence[tuple[str, ...]]
) -> tuple[list[int], list[object]]:
    """What is compiled of a header, by the numbers of its directives."""
    spans, guards = numbers(dead, 0, _MOST), numbers(guarded, 0, _MOST)
    ends = [n for at in range(0, len(spans), 4) for n in spans[at + 2 : at + 4]]
    inner: list[object] = []
    for at in range(0, len(guards), 5):
        first, last, which = guards[at + 2 : at + 5]
        inner += (first, last, conditions[which])
    return ends, inner


def _macros(
    items: Sequence[object], files: Sequence[str], conditions: Sequence[tuple[str, ...]]
) -> list[tuple[object, ...]]:
    """Where each macro is defined, by the number of the directive, and under which condition."""
    return [
        (name, files[file], which, conditions[condition])
        for name, file, which, condition in zip(
            strings(items[::5]),
            numbers(items[1::5], 0, len(files)),
            numbers(items[3::5], 0, _MOST),
            numbers(items[4::5], 0, len(conditions)),
            strict=True,
        )
    ]


def _overrides(changes: Mapping[str, object], files: Sequence[str]) -> list[object]:
    """What local headers change of others' macros, by the number of the directive."""
    found: list[object] = []
    for name, changers in changes.items():
        for changer, place in mapped(changers).items():
            file, start, which = numbers(place, -1, _MOST)
            found.append((name, changer, files[file] if start >= 0 else "", which))
    return found


def _local(
    includes: Mapping[str, Sequence[str]], headers: frozenset[str]
) -> Iterable[tuple[str, list[str]]]:
    """By which of its includes a .c file comes to what only some see: local headers, .c files."""
    includers: dict[str, list[str]] = {}
    for rel, others in includes.items():
        if rel in headers:
            for other in others:
                includers.setdefault(other, []).append(rel)
    leading = {rel for rel in headers if not is_public(rel)}
    work = list(leading)
    while work:
        for rel in includers.get(work.pop(), ()):
            if rel not in leading:
                leading.add(rel)
                work.append(rel)
    for rel, others in includes.items():
        if rel not in headers and not leading.isdisjoint(others):
            yield rel, sorted(leading.intersection(others))
