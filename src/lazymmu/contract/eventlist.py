# SPDX-License-Identifier: GPL-2.0-or-later
"""Event lists: a text form of events, one per line, read and written.

    dialect no-nesting                        # optional, the first line that says something
    T0: call remap_one root                   # TASK: EVENT required-values option=value flag
    T0: take ptl cls=ptl
    T0: write pte space=user operation=set_pte_at at=mm/demo.c:12:2 in=remap_one
    T0: read pte operation=ptep_get           # expect: stale-read

The names of events and options are those of `contract.events`.  Values without a name are taken in
the order of the event's fields; a flag is an option of yes or no, and its bare name means yes.
A value with blanks or quotes is written as a JSON string, a pair of numbers as `1,0`.  Every event
may have task=, cpu=, seq=, at=FILE:LINE[:COLUMN] and in=FUNCTION.  `# expect: RULE, RULE` names the
rules that the line breaks.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

from lazymmu.contract.event_fields import COMMON_FIELDS, field_types
from lazymmu.contract.events import EVENTS, NAMES, Event
from lazymmu.contract.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lazymmu.contract.monitor import Product, Runtime, Violation

_TOKEN: Final = re.compile(
    r'(?:(?P<key>[A-Za-z_]\w*)=)?(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<bare>[^\s"#=]+))(?=\s|\Z)'
)
_TASK: Final = re.compile(r"(?P<task>[\w.-]+):\Z")
_BARE: Final = re.compile(r'[^\s"#=:]+\Z')
_NUMBER: Final = re.compile(r"-?\d{1,18}\Z")
_PAIR: Final = re.compile(r"-?\d{1,18},-?\d{1,18}\Z")
_SITE: Final = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?\Z")
_EXPECT: Final = re.compile(r"#\s*expect:(?P<rules>.*)")
_RULE: Final = re.compile(r"[a-z][a-z-]*\Z")


class EventListError(ValueError):
    """A line that is no event; the text is `FILE:LINE:COLUMN: sentence`."""


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event, its line's number (from 1), and the rules that the line expects it to break."""

    event: Event
    number: int
    expect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventList:
    """A file of events: `name` for messages, `dialect` by name ("" when it names none), lines."""

    lines: tuple[EventLine, ...]
    dialect: str = ""
    name: str = field(default="<events>", compare=False)

    @property
    def events(self) -> tuple[Event, ...]:
        """The events alone."""
        return tuple(line.event for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Token:
    column: int
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one type of event is written: its values in order, those it needs, types, defaults."""

    order: tuple[str, ...]
    required: tuple[str, ...]
    types: dict[str, Any]
    defaults: dict[str, Any]


def parse(text: str, name: str = "<events>") -> EventList:
    """The events in `text`.

    :raises EventListError: for the first line that is no event of a known name with known options
        and fitting values.
    """
    lines: list[EventLine] = []
    dialect = ""
    for number, raw in enumerate(text.split("\n"), 1):
        tokens, expect = _tokens(raw.rstrip("\r"), f"{name}:{number}")
        if not tokens:
            if expect:
                raise EventListError(f"{name}:{number}:1: `expect:` on a line without an event")
            continue
        if tokens[0].text == "dialect" and not tokens[0].key:
            if dialect or lines or len(tokens) != 2 or tokens[1].key:
                raise EventListError(
                    f"{name}:{number}:{tokens[0].column}: `dialect NAME` stands once, at the top"
                )
            dialect = tokens[1].text
            continue
        lines.append(EventLine(_event(tokens, f"{name}:{number}"), number, expect))
    return EventList(tuple(lines), dialect, name)


def render(events: Iterable[Event], dialect: str = "") -> str:
    """The text form of `events`, which `parse()` reads back as equal."""
    head = [f"dialect {_quoted(dialect)}"] if dialect else []
    return "\n".join([*head, *(_line(event) for event in events)]) + "\n"


def replay(events: Iterable[Event], runtime: Runtime) -> tuple[Violation, ...]:
    """Every violation of `runtime`'s rules by `events`, in order; each task has its own state."""
    return tuple(violation for _, found in _run(events, runtime) for violation in found)


def judge(listed: EventList, runtime: Runtime) -> tuple[tuple[EventLine, Violation], ...]:
    """As `replay()`, each violation with the line that it is."""
    run = _run(listed.events, runtime)
    return tuple(
        (line, violation)
        for line, (_, found) in zip(listed.lines, run, strict=True)
        for violation in found
    )


def _run(
    events: Iterable[Event], runtime: Runtime
) -> Iterator[tuple[Event, tuple[Violation, ...]]]:
    products: dict[str, Product] = {}
    for event in events:
        product = products.get(event.task) or runtime.start()
        products[event.task], found = runtime.step(product, event)
        yield event, found


# ---- reading -------------------------------------------------------------------------------


def _tokens(raw: str, where: str) -> tuple[list[_Token], tuple[str, ...]]:
    """The tokens of a line, and the rules that its comment expects."""
    tokens: list[_Token] = []
    at = 0
    while True:
        while at < len(raw) and raw[at].isspace():
            at += 1
        if at == len(raw):
            return tokens, ()
        if raw[at] == "#":
            return tokens, _expected(raw[at:], f"{where}:{at + 1}")
        found = _TOKEN.match(raw, at)
        if found is None:
            raise EventListError(f"{where}:{at + 1}: neither a word, a value nor a comment")
        text = found["bare"]
        if found["quoted"] is not None:
            try:
                text = json.loads(found["quoted"])
            except ValueError as error:
                raise EventListError(f"{where}:{at + 1}: no JSON string") from error
        tokens.append(_Token(at + 1, found["key"] or "", text))
        at = found.end()


def _expected(comment: str, where: str) -> tuple[str, ...]:
    found = _EXPECT.match(comment)
    if found is None:
        return ()
    rules = tuple(rule.strip() for rule in found["rules"].split(","))
    for rule in rules:
        if not _RULE.match(rule):
            raise EventListError(f"{where}: `{rule}` is no rule's name")
    return rules


def _event(tokens: list[_Token], where: str) -> Event:
    task: dict[str, Any] = {}
    head = tokens[0]
    prefix = None if head.key else _TASK.match(head.text)
    if prefix is not None:
        task["task"] = prefix["task"]
        tokens = tokens[1:]
        if not tokens:
            raise EventListError(f"{where}:{head.column}: a task without an event")
        head = tokens[0]
    if head.key:
        raise EventListError(f"{where}:{head.column}: a line begins with the name of an event")
    if head.text not in EVENTS:
        raise EventListError(f"{where}:{head.column}: no event is called `{head.text}`")
    kind = EVENTS[head.text]
    shape = _shape(NAMES[kind])
    values = task | _values(tokens[1:], shape, where)
    for required in shape.required:
        if required not in values:
            raise EventListError(f"{where}:{head.column}: `{head.text}` needs its {required}")
    return kind(**values)


def _values(tokens: list[_Token], shape: _Shape, where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    function: _Token | None = None
    for token in tokens:
        here = f"{where}:{token.column}"
        key, value = token.key, token.text
        if not key:
            if shape.types.get(value) is bool and value not in values:
                key, value = value, "yes"
            else:
                key = next((name for name in shape.order if name not in values), "")
                if not key:
                    raise EventListError(f"{here}: unexpected positional value `{value}`")
        # Named, `at` is the place; the moment of an observation stands without a name.
        name = "site" if token.key == "at" else key
        if name in values or (key == "in" and function):
            raise EventListError(f"{here}: `{key}` is given twice")
        match name:
            case "in":
                function = token
            case "site" if token.key == "at":
                values["site"] = _site(value, here)
            case _ if key in shape.types:
                values[key] = _value(shape.types[key], key, value, here)
            case _:
                raise EventListError(f"{here}: this event has no `{key}`")
    if function is not None:
        site = values.get("site")
        if site is None:
            raise EventListError(f"{where}:{function.column}: `in` without `at`")
        values["site"] = Site(site.file, site.line, site.column, function.text)
    return values


def _site(value: str, here: str) -> Site:
    found = _SITE.match(value)
    if found is None:
        raise EventListError(f"{here}: `{value}` is not FILE:LINE or FILE:LINE:COLUMN")
    return Site(found["file"], int(found["line"]), int(found["column"] or 0))


def _value(kind: Any, key: str, value: str, here: str) -> object:
    if get_origin(kind) is Literal:
        allowed = get_args(kind)
        if value not in allowed:
            raise EventListError(f"{here}: `{key}` is one of {', '.join(allowed)}")
        return value
    if kind is bool:
        if value not in ("yes", "no"):
            raise EventListError(f"{here}: `{key}` is yes or no")
        return value == "yes"
    if get_origin(kind) is tuple:
        if not _PAIR.match(value):
            raise EventListError(f"{here}: `{key}` is two numbers, as in 1,0")
        return tuple(int(part) for part in value.split(","))
    if kind is int:
        if not _NUMBER.match(value):
            raise EventListError(f"{here}: `{key}` is a number")
        return int(value)
    return value


@functools.cache
def _shape(name: str) -> _Shape:
    kind = EVENTS[name]
    hints = field_types(name)
    own = [item for item in fields(kind) if item.name not in COMMON_FIELDS]
    return _Shape(
        tuple(item.name for item in own if hints[item.name] is not bool),
        tuple(item.name for item in own if item.default is MISSING),
        {name: hint for name, hint in hints.items() if name != "site"},
        {item.name: item.default for item in fields(kind) if item.default is not MISSING},
    )


# ---- writing -------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    return text if _BARE.match(text) else json.dumps(text)


def _line(event: Event) -> str:
    kind = type(event)
    shape = _shape(NAMES[kind])
    words: list[str] = []
    if re.fullmatch(r"[\w.-]+", event.task):
        words.append(f"{event.task}:")
    words.append(NAMES[kind])
    nameless = shape.required or shape.order[:1]
    for name in (*nameless, *(name for name in shape.types if name not in nameless)):
        value = getattr(event, name)
        if name in shape.defaults and value == shape.defaults[name]:
            continue
        if name == "task" and words[0] == f"{value}:":
            continue
        # A word that could be taken for a flag is safest with its name.
        plain = isinstance(value, str) and _BARE.match(value) and value not in shape.types
        words.append(value if name in nameless and plain else _option(name, value))
    if event.site is not None:
        site = event.site
        words.append(f"at={_quoted_site(site)}")
        if site.function:
            words.append(f"in={_quoted(site.function)}")
    return " ".join(words)


def _option(name: str, value: object) -> str:
    if value is True:
        return name
    if value is False:
        return f"{name}=no"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return f"{name}={_quoted(str(value))}"


def _quoted_site(site: Site) -> str:
    text = str(site) if site.column else f"{site.file}:{site.line}"
    return text if re.fullmatch(r'[^\s"#=]+', text) else json.dumps(text)
