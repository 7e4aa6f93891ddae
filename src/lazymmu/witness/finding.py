# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as values: what every witness returns and every renderer reads.

A witness may return a kind of its own with more to say (`trace.values.TraceFinding`,
`machine.verdict.Counterexample`); what is here is said of each in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Who is hurt: an architecture of this tree, only the text of the contract, or nobody."""

    HURTS = "hurts"
    BREAKS_TEXT = "breaks-text"
    INFORMATION = "information"


class Confidence(StrEnum):
    """How sure a finding is, by fact and not by feeling.

    high: every call on the path resolves to one definition and no condition beyond the
    architecture is needed; medium: a named CONFIG or condition is needed; low: a call on
    the path has several candidate callees.
    """

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """Position in the order low < medium < high."""
        return ("low", "medium", "high").index(self.value)


class StepAside(StrEnum):
    """What a place of a finding is that is no step on the way to its culprit; "" for a step."""

    NONE = ""
    SECTION = "section"
    """Another section that begins here comes to the same culprit."""
    CULPRIT = "culprit"
    """The same mistake once more."""
    CONSEQUENCE = "consequence"
    """What comes of the mistake: one of the other rules that the finding names is broken here."""


@dataclass(frozen=True, slots=True)
class Step:
    """One place on a finding's path: a line of the tree and what happens there.

    ``aside``: what it is where it is no step on the way to the culprit; ``code``: the line as it
    stands in the source, "" where there is none.
    """

    file: str
    line: int
    column: int
    function: str
    note: str
    aside: StepAside = StepAside.NONE
    code: str = ""

    @property
    def with_path(self) -> bool:
        """Whether it is told with the path: one of its steps, or what comes of the mistake."""
        return self.aside in (StepAside.NONE, StepAside.CONSEQUENCE)


@dataclass(frozen=True, slots=True)
class Harm:
    """How one architecture is hurt, or what it costs it, in one sentence.

    ``scenario`` is the litmus scenario that shows it, "" for one that is known from reading.
    """

    arch: str
    text: str
    scenario: str = ""


@dataclass(frozen=True, slots=True)
class PathEvent:
    """Something that happens on a finding's path, for who plays it on a machine.

    :param event: its class in `contract.events`.
    :param about: the entry, the lock, what a pin pins, as they are spelled on the path.
    :param operation: the accessor, or why.
    :param what: the level of an entry, the class of a lock, what is freed.
    :param space: whose mapping.
    :param immediate: whether nobody puts a write off.
    """

    event: str
    about: str = ""
    operation: str = ""
    what: str = ""
    space: str = ""
    immediate: bool = False
    file: str = ""
    line: int = 0
    function: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause: a rule that is broken, where, and how a path leads there.

    confidence and conditions: how sure it is, and what it needs (`CONFIG_` symbols and the like).

    :param rule: its name in `contract.rules.RULES`, or of what only a machine can show
        (`machine.verdict.PSEUDO`).
    :param message: what is wrong, one clause.
    :param arches: on which architectures, none where it cannot be told.
    :param file: the culprit; a line or column of 0 is not known, and neither is an empty function.
        `file` is relative to the tree, or a trace's name.
    :param line: likewise.
    :param column: likewise.
    :param function: likewise.
    :param path: from where the section began to the culprit.
    :param also: other rules that the same cause breaks.
    :param harms: who is hurt, and what architectures that are not hurt lose in time.
    :param costs: likewise.
    :param implied: the tree's own text is silent on the rule (see contract.dialects).
    :param events: what happens on the path, where the witness knows.
    :param fingerprint: names the cause without line numbers, so that it survives moved lines; empty
        where nothing does.
    """

    rule: str
    severity: Severity
    confidence: Confidence = Confidence.HIGH
    arches: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    column: int = 0
    function: str = ""
    message: str
    path: tuple[Step, ...] = ()
    also: tuple[str, ...] = ()
    harms: tuple[Harm, ...] = ()
    costs: tuple[Harm, ...] = ()
    implied: bool = False
    events: tuple[PathEvent, ...] = ()
    fingerprint: str = ""

    @property
    def harm(self) -> str:
        """How the first that is hurt is hurt, "" when nobody is known to be."""
        return self.harms[0].text if self.harms else ""


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that could not be read, parsed or resolved, and why."""

    file: str
    line: int
    name: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names this loss when lines have moved: file, name, reason."""
        return (self.file, self.name, self.reason)


class Standing(StrEnum):
    """What became of a place that names the mode."""

    WALKED = "walked"
    """A call in a function that was read in full and walked on every path."""
    IMPLEMENTS = "implements"
    """In the API's own body, or in an architecture's implementation."""
    READ = "read"
    """A call in a function that was read in full, which only asks whether the mode is active."""
    NAME = "name"
    """Another name that contains the word, and is declared or defined in the tree."""
    DECLARATION = "declaration"
    DIRECTIVE = "directive"
    EXPORT = "export"
    STRING = "string"
    COMMENT = "comment"
    ELSEWHERE = "elsewhere"
    """Code of an architecture that was not looked at."""
    LOST = "lost"
    """Code that was not seen, for the reason that is given."""


@dataclass(frozen=True, slots=True)
class Place:
    """A word of a tree that names the mode, and what became of it.

    ``function`` is the function or macro around it, "" where it stands in none; ``reason`` says
    why it was lost.
    """

    file: str
    line: int
    word: str
    standing: Standing
    function: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a check looked at, and what it could not see.

    ``places``: every place that names the mode.  ``blind``: what was lost and could hide a
    finding, so that a check without findings is not clean; ``unparsed`` and ``unresolved`` list
    what lies further away as well.  ``assumed``: architectures that the deferral table lacks, each
    taken to be the weakest implementation that the dialect allows.
    """

    sections: int
    functions_parsed: int
    unparsed: tuple[Lost, ...] = ()
    unresolved: tuple[Lost, ...] = ()
    places: tuple[Place, ...] = ()
    blind: tuple[Lost, ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TreeInfo:
    """The tree that was checked: its path, kernel release and dialect of the contract."""

    path: str
    release: str
    dialect: str


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """The module out of tree that was checked.

    :param kernel: the path of the tree that it is built for.
    :param sources: how many .c files it has.
    :param uses: whether one of its files names the mode, or a function that calls back inside of a
        section.
    """

    kernel: str
    sources: int
    uses: bool


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Everything that one check of one tree, or of one module, has to say.

    :param arches: those that were looked at; none where the tree has the mode on none that was
        asked for.
    """

    tree: TreeInfo
    arches: tuple[str, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    module: ModuleInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRow:
    """One section of the tree: where the mode is used, under which locks, and what it reaches.

    ``actions`` are the mode calls of the function in order of their lines; ``sleeps``,
    ``nests`` and ``flushes`` name the architectures on which the section reaches such a
    call, with its chain.
    """

    file: str
    line: int
    function: str
    arches: tuple[str, ...]
    space: str
    locks_begin: tuple[str, ...]
    locks_end: tuple[str, ...]
    pinned: tuple[str, ...]
    actions: tuple[tuple[int, str], ...]
    sleeps: tuple[str, ...] = ()
    nests: tuple[str, ...] = ()
    flushes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sections:
    """Every section of one tree, what could not be seen of it, and the architectures looked at."""

    rows: tuple[SectionRow, ...]
    coverage: Coverage
    arches: tuple[str, ...] = ()
