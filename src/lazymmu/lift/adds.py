# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds a tree's batch: the function that adds to it, and which of its members are what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract import vocabulary
from lazymmu.lift.batch import Batch
from lazymmu.lift.code import Opcode, Var
from lazymmu.lift.problem import Unliftable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lazymmu.kernelc.definition import Definition
    from lazymmu.lift.code import Code, Instruction, Operand
    from lazymmu.lift.link import Linker
    from lazymmu.lift.words import Does

__all__ = ["adds", "batch_of", "puts_off"]

_DEEP: Final = 8
"""Calls on the way from an accessor to the function that adds; there are at most 4."""
_FLAGS: Final[tuple[Does, ...]] = ("flags-read", "flag-test", "flag-test-set")
_BARRIERS: Final[tuple[Does, ...]] = ("barrier-store", "barrier-instruction")


def adds(linker: Linker) -> Code:
    """Return the function that adds to the batch.

    It is the first on the way down from an accessor whose invalidation may wait that takes the
    address of a variable of this CPU.

    :raises Unliftable: there is not just one.
    """
    arch = linker.view.profile.name
    entries = vocabulary.load().entries
    names = [name for name, word in entries.items() if arch in word.put_off]

    def takes(name: str) -> bool:
        return _does(linker, name, "percpu-address")

    found = _first(linker, names, lambda called: any(map(takes, called)))
    return _only(linker, found, names, "what adds to the batch")


def puts_off(linker: Linker) -> Code:
    """Return the function that puts barriers off, or emits them; raises as `adds` does.

    It is the first on the way down from an accessor that asks for the mode, or for a task's flag;
    in a tree in which none asks any more, the first that emits barriers and does nothing else.
    """
    words = vocabulary.load()
    names = [name for name, word in words.entries.items() if word.operation != "read"]

    def asks(name: str) -> bool:
        mode = words.mode.get(name)
        return _does(linker, name, *_FLAGS) or (mode is not None and mode.action == "active")

    def emits(called: Sequence[str]) -> bool:
        stores = any(_does(linker, name, "barrier-store") for name in called)
        return stores and all(_does(linker, name, *_BARRIERS) for name in called)

    found = _first(linker, names, lambda called: any(map(asks, called)))
    found = found or _first(linker, names, emits)
    return _only(linker, found, names, "what puts barriers off")


def _first(
    linker: Linker, names: Iterable[str], does: Callable[[Sequence[str]], bool]
) -> list[Definition]:
    """Return the architecture's functions that are the first below accessors to call such."""
    mode = vocabulary.load().mode
    targets = [linker.program.resolve(name, "") for name in names]
    todo = [(target.definition, 0) for target in targets if target is not None]
    found: dict[Definition, None] = {}
    seen: set[Definition] = set()
    while todo:
        definition, depth = todo.pop(0)
        if definition in seen or depth > _DEEP or not _is_near(definition):
            continue
        seen.add(definition)
        graph = linker.program.function(definition)
        called = [call.name for _, call in graph.calls() if call.name is not None]
        if does(called):
            found[definition] = None
            continue
        for name in called:
            target = linker.program.resolve(name, definition.file)
            if target is not None and name not in linker.words and name not in mode:
                todo.append((target.definition, depth + 1))
    return [definition for definition in found if definition.file.startswith("arch/")]


def _only(linker: Linker, found: Sequence[Definition], accessors: Iterable[str], what: str) -> Code:
    """Return the one that was found; the place of a refusal is the first's, or an accessor's."""
    if len(found) == 1:
        return linker.code(found[0])
    targets = (linker.program.resolve(name, "") for name in accessors)
    asked = [target.definition for target in targets if target is not None]
    if found:
        first = min(found, key=lambda one: (one.file, one.line))
        others = ", ".join(sorted(f"{one.name}()" for one in found))
        raise Unliftable(f"{what} is not one function: {others}", first.file, first.line)
    if asked:
        near = next(filter(_is_near, asked), asked[0])
        why = f"nothing below {near.name}() and other accessors is {what}"
        raise Unliftable(why, near.file, near.line)
    raise Unliftable(f"the tree has no accessor below which something is {what}")


def _is_near(definition: Definition) -> bool:
    """Whether a function is an accessor's own: of the architecture, or a header's."""
    return definition.file.startswith(("arch/", "include/"))


def _does(linker: Linker, name: str, *what: Does) -> bool:
    word = linker.words.get(name)
    return word is not None and word.does in what


def batch_of(linker: Linker, add: Code) -> Batch:
    """Return the batch that a function adds to.

    :raises Unliftable: it is not understood.
    """
    made = {one.to: one for one in add.instructions if one.to}
    items: dict[str, None] = {}
    counts: set[str] = set()
    for one in add.instructions:
        if one.op is Opcode.INDEX and (name := _member(made, one.args[0])):
            items[name] = None
            counts.update(filter(None, _counts(add, made, one.args[1])))
    if len(counts) == 1:
        variable = _variable(add)
        return Batch(add, variable, counts.pop(), tuple(items), _room(linker, add, variable, items))
    raise Unliftable(f"{add.name}() puts nothing into an array", add.file, add.line)


def _room(linker: Linker, add: Code, variable: str, items: Iterable[str]) -> int:
    """How many items the arrays have room for; raises Unliftable where that is not known."""
    found = linker.names.per_cpu(variable, add.file)
    for name in items:
        kind = linker.names.member(found.type, name, add.file) if found is not None else None
        known = linker.names.room(kind, add.file) if kind is not None else None
        if known is not None:
            return known
    raise Unliftable(f"how much {variable} has room for is not known", add.file, add.line)


def _member(made: dict[str, Instruction], operand: Operand) -> str:
    """The member that a value is the address of, or was loaded from."""
    one = made.get(operand.name) if isinstance(operand, Var) else None
    if one is not None and one.op is Opcode.LOAD:
        return _member(made, one.args[0])
    return one.what if one is not None and one.op is Opcode.FIELD else ""


def _counts(add: Code, made: dict[str, Instruction], position: Operand) -> Iterator[str]:
    """The members that an index may have come from."""
    yield _member(made, position)
    for one in add.instructions:
        if one.op is Opcode.SET and isinstance(position, Var) and one.to == position.name:
            yield _member(made, one.args[0])


def _variable(add: Code) -> str:
    """The variable of this CPU whose address a function takes."""
    known = vocabulary.load().percpu
    names = {
        name
        for one in add.instructions
        if one.op is Opcode.CALL and one.what in known and known[one.what].access == "address"
        for name in _named(one)
    }
    if len(names) != 1:
        raise Unliftable(f"the batch of {add.name}() is not one variable", add.file, add.line)
    return names.pop()


def _named(one: Instruction) -> Iterator[str]:
    from lazymmu.kernelc.ir.nodes import uses

    for raw in one.raw[:1]:
        yield from uses(raw)
