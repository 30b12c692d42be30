"""What the terminal's summary says of a capacity search: the answer, what goes with it, and each rate."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import capacity_words
from reports.capacity import Capacity
from reports.text_parts import heading, line, table_of, write_table


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
    table = table_of(*capacity_words.COLUMNS, "")
    for probe in capacity.probes:
        table.add_row(*capacity_words.row(probe))
    write_table(console, table)
