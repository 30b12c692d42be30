"""What the terminal's summary says of a capacity search: the answer, what goes with it, and each rate."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.text.parts import heading, line, table_of, write_table
from gatecrash.reports.words import capacity as capacity_words

# What a terminal of 80 columns has no room for; the report shows all.
_WHERE_WIDE: Final = frozenset({"seconds", "p50", "p99", "errors", "growth"})
_WIDTH_OF_ALL: Final = 112


def write(capacity: Capacity, console: Console) -> None:
    """Print what a search found."""
    heading(console, "Capacity")
    line(console, ("  ", ""), (capacity_words.answer(capacity), "bold"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    for label, value in capacity_words.facts(capacity):
        grid.add_row(Text(f"  {label}", "dim"), Text(value))
    console.print(grid)
    if not capacity.probes:
        return
    heading(console, "Rates that were fired")
    line(console, (capacity_words.LEGEND, "dim"), indent=2)
    columns = (*capacity_words.COLUMNS, "")
    shown = [place for place, name in enumerate(columns) if console.width >= _WIDTH_OF_ALL or name not in _WHERE_WIDE]
    table = table_of(*(columns[place] for place in shown))
    verdict = table.columns[-1]
    verdict.justify, verdict.no_wrap = "left", False
    for probe in capacity.probes:
        row = capacity_words.row(probe)
        table.add_row(*(row[place] for place in shown))
    write_table(console, table)
