# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions on demand: who a name means from where, and what could not be understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.expr import Name, Number
from lazymmu.kernelc.ir.nodes import UNPARSED, Function
from lazymmu.kernelc.program import Program, assignments


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition that a test made up."""

    name: str
    file: str
    kind: str = "function"
    static: bool = False
    line: int = 1
    first_line: int = 1
    params: tuple[str, ...] = ()
    presence: tuple[str, ...] = ()
    context: str = ""


class Made:
    """Definitions in the order in which they would be preferred, with their texts."""

    def __init__(self, texts: Mapping[Definition, str]) -> None:
        self.texts = texts
        self.asked: list[str] = []

    def definitions(self, name: str, near: str | None = None) -> tuple[Definition, ...]:
        """Those of a name: of the same file alone where it has one."""
        found = tuple(d for d in self.texts if d.name == name)
        return tuple(d for d in found if d.file == near) or tuple(
            d for d in found if not (d.static and d.file.endswith(".c"))
        )

    def text(self, definition: Definition) -> bytes:
        """The text, and note that it was asked for."""
        self.asked.append(definition.name)
        return self.texts[definition].encode()

    def source(self, definition: Definition) -> None:
        """Every text is that of its file."""

    def making(self, name: str, near: str) -> tuple[Definition, ...]:
        """No macro makes functions."""
        return ()

    def unreadable(self, definition: Definition) -> str:
        """Nothing is."""
        return ""


F = "void f(void)\n{\n\tg();\n}"


def test_a_name_means_the_definition_in_its_own_file_first() -> None:
    """A static of another file is nobody else's."""
    here, there = Definition("f", "mm/a.c", static=True), Definition("f", "mm/b.c")
    program = Program(Made({here: F, there: F}))
    mine, other = program.resolve("f", "mm/a.c"), program.resolve("f", "mm/c.c")
    assert mine is not None
    assert mine.definition == here
    assert not mine.ambiguous
    assert other is not None
    assert other.definition == there


def test_a_name_without_definition_is_nobody() -> None:
    """A name without a definition is None, and not an error."""
    assert Program(Made({})).resolve("f", "mm/a.c") is None


def test_two_functions_of_one_name_in_two_files_are_ambiguous() -> None:
    """Which one is linked is not known: the first is taken, and said to be a guess."""
    first, second = Definition("f", "mm/a.c"), Definition("f", "mm/b.c")
    found = Program(Made({first: F, second: F})).resolve("f", "mm/c.c")
    assert found is not None
    assert found.definition == first
    assert found.ambiguous


def test_a_header_is_not_ambiguous() -> None:
    """The walk over the headers has chosen already."""
    first, second = Definition("f", "include/a.h", static=True), Definition("f", "mm/b.c")
    found = Program(Made({first: F, second: F})).resolve("f", "mm/c.c")
    assert found is not None
    assert not found.ambiguous


def test_a_macro_that_renames_is_followed() -> None:
    """Through several names, to the function."""
    texts = {
        Definition("f", "include/a.h", kind="object"): "g",
        Definition("g", "include/a.h", kind="object"): "  h  ",
        Definition("h", "mm/a.c"): F,
    }
    found = Program(Made(texts)).resolve("f", "mm/c.c")
    assert found is not None
    assert found.definition.name == "h"


def test_a_macro_that_renames_in_a_circle_ends() -> None:
    """Nobody is meant, and nothing hangs."""
    texts = {
        Definition("f", "include/a.h", kind="object"): "g",
        Definition("g", "include/a.h", kind="object"): "f",
    }
    assert Program(Made(texts)).resolve("f", "mm/c.c") is None


def test_a_macro_that_is_a_value_is_not_called() -> None:
    """Unless a function of the same name stands beside it."""
    value = Definition("f", "include/a.h", kind="object")
    assert Program(Made({value: "(1 + 2)"})).resolve("f", "mm/c.c") is None
    function = Definition("f", "mm/a.c")
    found = Program(Made({value: "f", function: F})).resolve("f", "mm/c.c")
    assert found is not None
    assert found.definition == function


def test_a_function_is_lowered_once_and_on_demand() -> None:
    """Resolving reads nothing; asking twice parses once."""
    made = Made({Definition("f", "mm/a.c"): F})
    program = Program(made)
    found = program.resolve("f", "mm/a.c")
    assert found is not None
    assert made.asked == []
    first = program.function(found.definition)
    assert program.function(found.definition) is first
    assert made.asked == ["f"]
    assert program.parsed == 1


def test_lines_are_those_of_the_file() -> None:
    """A text begins at its first line: a macro may be continued behind its name."""
    function = Definition("f", "mm/a.c", line=11, first_line=10)
    macro = Definition("m", "mm/a.h", kind="macro", line=5, first_line=6, params=("x",))
    program = Program(Made({function: F, macro: "g(x)"}))
    assert [call.line for _, call in program.function(function).calls()] == [12]
    assert [call.line for _, call in program.function(macro).calls()] == [6]
    assert program.function(macro).params == ("x",)


def test_what_cannot_be_parsed_is_remembered() -> None:
    """By its place, with its name."""
    broken = Definition("f", "mm/a.c", line=7)
    program = Program(Made({broken: "void f(void)\n{\n\tif (\n}"}))
    assert program.function(broken).broken
    assert program.unparsed == {("mm/a.c", 7): ("f", UNPARSED)}


def graph(body: str) -> Function:
    """A function with this body."""
    return lower(f"void f(int p)\n{{\n{body}\n}}".encode(), name="f", file="a.c", line=1)


def test_assignments_of_a_variable_are_all_of_them() -> None:
    """Values where there are, None for what is changed in place or by a callee."""
    found = assignments(graph("int a = 1; a = 2; p++; g(&b); s->m = 3;"))
    one, two = Number(1), Number(2)
    assert found == {Name("a"): [one, two], Name("p"): [None], Name("b"): [None]}
