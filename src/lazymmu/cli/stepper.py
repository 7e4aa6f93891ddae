# SPDX-License-Identifier: GPL-2.0-or-later
"""``verify --step``: counterexamples stepped through in the terminal, as on a page.

All steps stand in a table, a column for each CPU; the step at the cursor is told below it, with
what holds after it. Needs the extra ``step``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import DataTable, Footer, Static

from lazymmu.report.verify.shown_way import shown_way
from lazymmu.report.verify.told_steps import Told, same_ways, told_scenarios
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.litmus.run import Run
    from lazymmu.report.verify.lanes import Lane
    from lazymmu.report.verify.shown_way import ShownWay
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["Stepper", "ways_of"]

_RUNNING: Final = "Who runs"


def ways_of(done: Sequence[tuple[Run, Verdict]]) -> list[ShownWay]:
    """The counterexamples of some runs; what machines have in common is one."""
    scenarios = told_scenarios(run for run, _ in done)
    return [
        shown_way(number, group, table, scenarios.get(group[0].scenario, Told("")))
        for number, (group, table) in enumerate(
            same_ways([verdict for _, verdict in done], scenarios), 1
        )
    ]


class Stepper(App[None]):
    """Shows one counterexample, and leads to the others."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { height: auto; padding: 0 1; }
    #steps { height: 1fr; }
    #now { height: 40%; border-top: solid $secondary; padding: 0 1; }
    #what, #state { width: 1fr; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "go(-1)", "back", priority=True),
        Binding("right", "go(1)", "on", priority=True),
        Binding("home", "end(False)", "first", priority=True),
        Binding("end", "end(True)", "last", priority=True),
        Binding("n", "way(1)", "next counterexample"),
        Binding("p", "way(-1)", "the one before"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, ways: Sequence[ShownWay]) -> None:
        """ways: at least one."""
        super().__init__()
        self._ways = ways
        self._at = 0

    @property
    def shown(self) -> ShownWay:
        """The counterexample that is shown."""
        return self._ways[self._at]

    @property
    def step(self) -> int:
        """The number of the step at the cursor, 0 for before the first."""
        return self._table.cursor_row + (0 if self.shown.initial else 1)

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one("#steps", DataTable)

    def compose(self) -> ComposeResult:
        """Title, all steps, the step at hand, keys."""
        yield Static(id="head")
        yield DataTable(id="steps", cursor_type="row", zebra_stripes=True)
        with VerticalScroll(id="now"), Horizontal():
            yield Static(id="what")
            yield Static(id="state")
        yield Footer()

    def on_mount(self) -> None:
        """Show the first."""
        self._fill()
        self._table.focus()

    def _fill(self) -> None:
        way, table = self.shown, self._table
        head = Text(clean(f"{way.scenario}: {way.rule} is broken"), style="bold")
        head.append(f"   {self._at + 1} of {len(self._ways)}\n", style="dim")
        head.append(clean(f"on {', '.join(way.places)}; {way.shortest}") + "\n")
        head.append(clean(way.sentence or way.says), style="italic")
        self.query_one("#head", Static).update(head)
        table.clear(columns=True)
        for name in way.table.heads:
            table.add_column(Text(name or "step"))
        for at, row in enumerate(way.table.rows, 0 if way.initial else 1):
            cells = [_lines(cell) for cell in row[1:]]
            high = max(1, *(len(cell.plain.splitlines()) for cell in cells))
            table.add_row(Text(str(at)), *cells, height=high)
        self._tell()

    def on_data_table_row_highlighted(self, _event: DataTable.RowHighlighted) -> None:
        """The cursor has come to another step."""
        self._tell()

    def _tell(self) -> None:
        way, number = self.shown, self.step
        last = len(way.steps)
        said = Text()
        if not 0 < number <= last:
            said.append("Before the first step", style="bold")
        else:
            step = way.steps[number - 1]
            said.append(f"Step {number} of {last}", style="bold")
            said.append(clean(f"  {step.place}") + "\n", style="dim")
            said.append(clean(step.happened) + "\n", style="bold")
            for stack, source in step.calls:
                if stack:
                    said.append(clean(" > ".join(f"{name}()" for name in stack)))
                    said.append(clean(f"  {source}") + "\n", style="dim")
            said.append(clean(step.note), style="green")
        self.query_one("#what", Static).update(said)
        self.query_one("#state", Static).update(_state(way, number))

    # ---- keys ------------------------------------------------------------------------------

    def action_go(self, steps: int) -> None:
        """So many steps on."""
        self._table.move_cursor(row=self._table.cursor_row + steps)

    def action_end(self, last: bool) -> None:
        """To the last step, or to the first."""
        self._table.move_cursor(row=self._table.row_count - 1 if last else 0)

    def action_way(self, by: int) -> None:
        """To another counterexample."""
        self._at = (self._at + by) % len(self._ways)
        self._fill()
        self.action_end(last=False)


def _lines(cell: Sequence[str]) -> Text:
    return Text("\n".join(map(clean, cell)))


def _state(way: ShownWay, number: int) -> Table:
    """What holds after a step: each lane that says something, what has changed in bold."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for group in way.groups:
        for lane in group.lanes if group.heading != _RUNNING else ():
            now = _at(lane, number)
            if now:
                changed = number > 0 and _at(lane, number - 1) != now
                table.add_row(
                    Text(group.heading, style="dim"),
                    Text(clean(lane.name)),
                    Text(clean(now), style="bold underline" if changed else ""),
                )
    return table


def _at(lane: Lane, column: int) -> str:
    """What a lane says at a column."""
    for bar in lane.bars:
        column -= bar.span
        if column < 0:
            return bar.text
    return ""
