# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of C held in a dict, looked at by the source witness as one profile would see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lazymmu.contract import vocabulary
from lazymmu.contract.deferral import ROWS
from lazymmu.contract.dialects import COUNTED, Dialect
from lazymmu.contract.rules import RULES, RuleKind
from lazymmu.kernelc.ir.nodes import Function
from lazymmu.kernelc.parse import kernel_doc, masks, slices
from lazymmu.kernelc.parse.function_arrays import read_arrays
from lazymmu.kernelc.parse.item_handlers import ItemHandler, read_item_handlers
from lazymmu.kernelc.parse.ops_tables import Initialiser, read_constants, read_initialisers
from lazymmu.kernelc.parse.struct_members import members, with_names
from lazymmu.snapshot.conflict_markers import CONFLICT, conflicts, touches
from lazymmu.witness.finding import Finding
from lazymmu.witness.source.analysis import Analysis
from lazymmu.witness.source.declared_handlers import declared_in
from lazymmu.witness.source.entry_points import Root
from lazymmu.witness.source.findings import findings, to_report
from tests.witness.source.edits import checked
from tests.witness.source.watched import Watched, watching

_EXPECT = re.compile(r"/\*\s*expect:(?P<rules>[^*]*)\*/")
_LOOPS = frozenset({"for_each_entry"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or macro of one of the files."""

    name: str
    kind: str
    file: str
    line: int
    first_line: int
    start: int
    static: bool
    params: tuple[str, ...]
    context: str
    presence: tuple[str, ...] = ()


class Files:
    """What `Program` asks of a tree, answered from texts: the file itself, headers, the rest."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = {name: text.encode() for name, text in files.items()}
        self.found: dict[str, list[tuple[Definition, bytes]]] = {}
        for file, text in self.files.items():
            for raw in slices.definitions(text):
                self.found.setdefault(raw.name, []).append(self._read(file, text, raw))

    def _read(self, file: str, text: bytes, raw: slices.RawDef) -> tuple[Definition, bytes]:
        function = raw.kind == "function"
        first = raw.start if function else raw.body
        made = Definition(
            raw.name,
            raw.kind,
            file,
            raw.line,
            text.count(b"\n", 0, first) + 1,
            raw.start,
            raw.static,
            raw.params,
            kernel_doc.doc_context(text, raw),
        )
        body = text[raw.start : raw.end] if function else masks.macro_body(text, raw)
        return made, masks.mask(body, _LOOPS)

    def definitions(self, name: str, near: str | None = None) -> tuple[Definition, ...]:
        """Definitions of a name: in the file itself, else in a header, else not static."""
        every = [made for made, _ in self.found.get(name, ())]
        here = [made for made in every if made.file == near]
        headers = [made for made in every if made.file.endswith(".h")]
        return tuple(here or headers or [made for made in every if not made.static])

    def text(self, definition: Definition) -> bytes:
        """The masked text of a definition."""
        return next(body for made, body in self.found[definition.name] if made == definition)

    def source(self, definition: Definition) -> None:
        """Every text is that of its file."""

    def making(self, name: str, near: str) -> tuple[Definition, ...]:
        """No macro makes functions."""
        return ()

    def unreadable(self, definition: Definition) -> str:
        """Why a definition is not read: it has conflict markers."""
        text = self.files[definition.file]
        body, _ = next(d for d in self.found[definition.name] if d[0] == definition)
        end = min((m.start() for m in re.finditer(rb"\n}", text[body.start :])), default=0)
        spans = conflicts(text)
        return CONFLICT if touches(spans, body.start, body.start + end + 2) else ""

    def macro(self, name: str) -> bytes | None:
        """The value of an object-like macro."""
        return next((b for made, b in self.found.get(name, ()) if made.kind == "object"), None)

    def initialisers(
        self,
        struct: str = "",
        field: str = "",
        table: str = "",
        *,
        near: str = "",
        at_most: int | None = None,
    ) -> tuple[Initialiser, ...]:
        """What the tables of all files hold."""
        del near, at_most
        return tuple(
            item
            for file, text in self.files.items()
            for item in with_names(
                (item for _, item in read_initialisers(file, text)), partial(members, text)
            )
            if (not struct or item.struct == struct)
            and (not field or item.field == field or item.field.endswith(f".{field}"))
            and (not table or item.table == table)
        )

    def has_table(self, name: str, file: str) -> bool:
        """Whether a file has a table of that name."""
        return any(item.file == file for item in self.initialisers(table=name))

    def constant(self, name: str, file: str) -> str:
        """What a file gives a scalar that it declares const."""
        return read_constants(self.files[file]).get(name, "")

    def array(self, name: str, file: str) -> tuple[str, ...]:
        """The names that an array of a file holds."""
        return read_arrays(self.files[file]).get(name, ())

    def having(self, word: str) -> tuple[str, ...]:
        """The files that have a word."""
        return tuple(file for file, text in self.files.items() if word.encode() in text)

    def item_handlers(self, file: str) -> tuple[ItemHandler, ...]:
        """The calls of a file that are handed an item and a name."""
        return read_item_handlers(self.files[file])

    def naming(self, *words: str) -> list[Definition]:
        """Functions whose text has one of the words."""
        return [
            made
            for every in self.found.values()
            for made, body in every
            if made.kind == "function" and any(word.encode() in body for word in words)
        ]


@dataclass
class Kernel:
    """The source witness over a few files: what `lazymmu check` does for one architecture.

    files: text by name, or the text of mm/a.c alone; config: values of CONFIG symbols, those that
    are not named are free; constants: calls of a known value; arch: by the deferral table.
    """

    files: Mapping[str, str] | str
    dialect: Dialect = COUNTED
    config: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    information: bool = False
    arch: str = "x86"

    def __post_init__(self) -> None:
        texts = {"mm/a.c": self.files} if isinstance(self.files, str) else self.files
        self.source = Files(texts)
        rules = [
            r for r in RULES.values() if self.information or r.kind is not RuleKind.INFORMATION
        ]
        self.analysis = Analysis.build(
            self.source,
            vocabulary.load(),
            rules,
            self.dialect,
            config=lambda symbol: self.config.get(symbol, "free"),
            constants=self.constants,
            tables=self.tables,
            arch=self.arch,
        )
        self.program, self.walker = self.analysis.program, self.analysis.walker
        self.facts, self.summaries = self.analysis.facts, self.analysis.summaries
        self.call_transfer, self.words = self.analysis.call_transfer, self.analysis.words

    def graph(self, name: str) -> Function:
        """The flow graph of the function with this name."""
        return self.program.function(self.source.found[name][0][0])

    def roots(self) -> list[Root]:
        """Walk what uses the mode, and what gives functions to those that call back."""
        roots = self.analysis.roots()
        callbacks = [
            name
            for name, taker in self.words.callbacks.items()
            if taker.fn is not None and taker.runs == "now"
        ]

        def callers(name: str, static: bool, file: str) -> list[Definition]:
            inside = static and file.endswith(".c")
            return [d for d in self.source.naming(name) if not inside or d.file == file]

        return roots.walk(
            self.source.naming("lazy_mmu"),
            self.source.naming(*callbacks),
            self.source.naming(*self.words.handlers),
            callers,
            declared=[
                one
                for file, text in self.source.files.items()
                for _, one in declared_in(text, file)
            ],
        )

    def findings(self) -> tuple[Finding, ...]:
        """What is found, in the order of files and lines."""
        reports = [
            to_report(self.arch, raw, root.step, root.definition.presence, "unknown")
            for root in self.roots()
            for raw in root.raw_reports
        ]
        return findings(reports, self.dialect, {self.arch: ROWS[self.arch][-1]})

    def said(self, findings: Iterable[Finding]) -> list[str]:
        """Findings as `file:line: rule`."""
        return sorted(
            f"{found.file}:{found.line}: {rule}"
            for found in findings
            for rule in (found.rule, *found.also)
        )

    def expected(self) -> list[str]:
        """What `/* expect: rule, rule */` at the ends of lines announces, in the same form."""
        return sorted(
            f"{file}:{number}: {rule.strip()}"
            for file, text in self.source.files.items()
            for number, line in enumerate(text.decode().splitlines(), 1)
            for found in _EXPECT.finditer(line)
            for rule in found["rules"].split(",")
        )


def _agrees(files: Mapping[str, str] | str, **given: Any) -> tuple[Finding, ...]:
    kernel = Kernel(files, **given)
    found = kernel.findings()
    assert kernel.said(found) == kernel.expected()
    assert not kernel.program.unparsed
    assert not kernel.walker.bounded
    return found


@pytest.fixture(scope="session")
def kernel() -> Callable[..., Kernel]:
    """A few files as the source witness sees them; see `Kernel` for the arguments."""
    return Kernel


@pytest.fixture(scope="session")
def agrees() -> Callable[..., tuple[Finding, ...]]:
    """Asserts that exactly what the comments of the C expect is found, and returns it."""
    return _agrees


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """The analyses of a test that begin anew, and the parts that they take over."""
    return watching(monkeypatch)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the facts of the tree as it is."""
    folder = tmp_path_factory.mktemp("store")
    checked({}, folder)
    return folder
