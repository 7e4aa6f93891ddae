# SPDX-License-Identifier: GPL-2.0-or-later
"""A walk of the headers as `plain_state` tells it, taken apart as those ask who compare walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.json_shapes import listed, mapped, numbers, strings
from lazymmu.kernelc.preprocess.headers import is_public

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["MOST", "WalkParts"]

MOST: Final = 1 << 62
"""Above all numbers of a walk."""


@dataclass(frozen=True, slots=True)
class WalkParts:
    """What of a walk tells it from others.

    :param state: the walk as plain values.
    :param files: its files, of which it has the numbers.
    :param conditions: its presence conditions, likewise.
    :param headers: the files that were included, in the order of their first visit.
    :param includes: by file, what it includes.
    :param digests: by file, what tells its directives.
    """

    state: Mapping[str, object]
    files: Sequence[str]
    conditions: Sequence[tuple[str, ...]]
    headers: Sequence[str]
    includes: Mapping[str, Sequence[str]]
    digests: Mapping[str, object]

    @classmethod
    def of(cls, state: Mapping[str, object]) -> WalkParts:
        """Take a walk apart.

        :param state: the walk as `plain_state` tells it.
        :raises KeyError, TypeError, ValueError: the state is none.
        """
        files = strings(state["files"])
        selections = [listed(item) for item in listed(state["selections"])]
        return cls(
            state=state,
            files=files,
            conditions=[tuple(strings(item)) for item in listed(state["conditions"])],
            headers=[files[n] for item in selections for n in numbers(item[:1], 0, len(files))],
            includes={
                files[int(n)]: [files[m] for m in numbers(others, 0, len(files))]
                for n, others in mapped(state["includes"]).items()
            },
            digests={files[int(n)]: said for n, said in mapped(state["texts"]).items()},
        )

    def live(self) -> Iterator[tuple[list[int], list[object]]]:
        """Yield what is compiled of each of the headers, by the numbers of its directives."""
        for item in listed(self.state["selections"]):
            _, dead, guarded = listed(item)
            spans, guards = numbers(dead, 0, MOST), numbers(guarded, 0, MOST)
            ends = [n for at in range(0, len(spans), 4) for n in spans[at + 2 : at + 4]]
            inner: list[object] = []
            for at in range(0, len(guards), 5):
                first, last, which = guards[at + 2 : at + 5]
                inner += (first, last, self.conditions[which])
            yield ends, inner

    def said(self) -> list[int]:
        """Return what tells the text of each macro."""
        return numbers(self.state["said"], 0, MOST)

    def macros(self) -> Iterator[tuple[str, str, int, tuple[str, ...]]]:
        """Yield of each macro its name, its file, the number of the directive, its condition."""
        items = listed(self.state["macros"])
        for name, file, which, condition in zip(
            strings(items[::5]),
            numbers(items[1::5], 0, len(self.files)),
            numbers(items[3::5], 0, MOST),
            numbers(items[4::5], 0, len(self.conditions)),
            strict=True,
        ):
            yield name, self.files[file], which, self.conditions[condition]

    def overrides(self) -> Iterator[tuple[str, str, str, int]]:
        """Yield what local headers change of others' macros: the name, who, the file, the number.

        Where the macro has no definition after that, the file is "".
        """
        for name, changers in mapped(self.state["overrides"]).items():
            for changer, place in mapped(changers).items():
                file, start, which = numbers(place, -1, MOST)
                yield name, changer, self.files[file] if start >= 0 else "", which

    def built(self) -> list[tuple[str, object]]:
        """Return the .c files that are built, each with its condition."""
        return [(self.files[int(n)], when) for n, when in mapped(self.state["built"]).items()]

    def looked_into(self) -> set[str]:
        """Return the files whose names are known."""
        return {*self.headers, *(rel for rel, _ in self.built())}

    def local(self) -> dict[str, list[str]]:
        """Return by which of its includes a file comes to what only some see.

        That are local headers, .c files, and what includes one of those.
        """
        includers: dict[str, list[str]] = {}
        headers = frozenset(self.headers)
        for rel in self.headers:
            for other in self.includes.get(rel, ()):
                includers.setdefault(other, []).append(rel)
        leading = {rel for rel in headers if not is_public(rel)}
        work = list(leading)
        while work:
            for rel in includers.get(work.pop(), ()):
                if rel not in leading:
                    leading.add(rel)
                    work.append(rel)
        return {
            rel: sorted(leading.intersection(others))
            for rel, others in self.includes.items()
            if not leading.isdisjoint(others)
        }

    def seen_locally(self) -> dict[str, frozenset[str]]:
        """Return by file all that it comes to of what only some see."""
        local = self.local()
        return {rel: frozenset(_reached(rel, local)) for rel in local}


def _reached(rel: str, local: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    work = list(local.get(rel, ()))
    while work:
        other = work.pop()
        if other not in found:
            found.add(other)
            work += local.get(other, ())
    return found
