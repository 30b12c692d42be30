"""What commands print and write: sentences as they are, bars while something goes on, and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.run.folder import write_atomically


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print a text as it stands: nothing in it is markup, is coloured as a number, or is wrapped."""
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


def write_output(path: Path, content: bytes) -> None:
    """Write the file that --output names; raises UsageError where it can't be written."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise UsageError(f"--output: can't write {path}: {error.strerror}") from None


@contextmanager
def progress_bar(
    console: Console, title: str, total: float | None = None, *, counts: bool = True
) -> Iterator[Callable[[float], None]]:
    """Show a bar that is told how much is done, on a terminal only; unless it ``counts``, how much isn't printed."""
    columns = (TextColumn("{task.description}"), BarColumn(), *([MofNCompleteColumn()] if counts else []))
    is_shown = console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=not is_shown) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
