"""What the terminal's summary says of a spike, of drift, and of memory."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatecrash.reports.run.summary import Summary
from gatecrash.reports.text.parts import heading, table_of, write_items, write_table
from gatecrash.reports.words import course as course_words


def write(summary: Summary, console: Console) -> None:
    """Print what a run has of them."""
    if summary.spike is not None:
        heading(console, "Spike")
        grid = Table.grid(padding=(0, 2, 0, 0))
        for label, value in course_words.spike_facts(summary.spike):
            grid.add_row(Text(f"  {label}", "dim"), Text(value))
        console.print(grid)
    if summary.drift is not None:
        heading(console, "Drift, service times in ms")
        write_items(console, course_words.drift_sentences(summary.drift))
        table = table_of(*course_words.DRIFT_COLUMNS, words=0)
        for part in summary.drift.parts:
            table.add_row(*course_words.drift_row(part))
        write_table(console, table)
    if summary.memory and summary.drift is not None:
        heading(console, "Private memory of the processes on this machine")
        table = table_of(*course_words.MEMORY_COLUMNS)
        # What process it is may take two lines; its numbers may not be cut off.
        table.columns[0].no_wrap = False
        for row in summary.memory:
            table.add_row(*course_words.memory_row(row))
        write_table(console, table)
