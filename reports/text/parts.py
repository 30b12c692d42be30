"""Lines, headings and tables of the terminal's summary. Nothing is read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def line(console: Console, *parts: str | tuple[str, str], indent: int = 0) -> None:
    """Print a line of texts, each plain or with a style."""
    text = Text.assemble(*parts)
    console.print(Padding(text, (0, 0, 0, indent), expand=False) if indent else text, highlight=False)


def heading(console: Console, title: str) -> None:
    """Print a heading with an empty line before it."""
    console.print()
    line(console, (title, "bold"))


def write_items(console: Console, sentences: Iterable[str], *, mark: str = "  -") -> None:
    """Print sentences as a list."""
    for sentence in sentences:
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_row(Text(mark), Text(sentence))
        console.print(grid)


def table_of(*columns: str, words: int = 1) -> Table:
    """Make a table whose first columns, ``words`` of them, hold words and the others numbers.

    Only words in the last column are wrapped.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        wraps = number == len(columns) - 1 and number < words
        table.add_column(Text(column), justify="right" if number >= words else "left", no_wrap=not wraps)
    return table


def write_table(console: Console, table: Table, rows: Iterable[Sequence[str]] = ()) -> None:
    """Print a table with these rows in it, a little to the right."""
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))


def write_facts(console: Console, facts: Iterable[tuple[str, str]]) -> None:
    """Print values, each behind its label."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for label, value in facts:
        grid.add_row(Text(f"  {label}", "dim"), Text(value))
    console.print(grid)
