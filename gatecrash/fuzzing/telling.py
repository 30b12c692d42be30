"""What a fuzz run says while it runs: a bar on a terminal, a line a phase elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gatecrash.fuzzing.schedules import CaseBook
from gatecrash.settings.settings import Settings


class Teller:
    """Tells a console how far a run got."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[int], None]]:
        """Show a bar that is told how many are done; on a terminal only."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done: bar.update(task, completed=done)

    def opening(self, settings: Settings, book: CaseBook) -> None:
        """Say what is about to be fired at what."""
        target, seed = settings.target, settings.corpus.seed
        what = target.function or settings.authorizer.name
        at = settings.authorizer.handler or target.endpoint_url or target.kind
        self.line(
            f"Fuzzing {what} ({target.kind}: {at}) with {len(book.valid)} valid requests "
            f"and {len(book.attacks)} attacks of seed {seed}"
        )

    def phase(self, name: str) -> None:
        """Say which phase begins."""
        self.line(f"  {name}")

    def proving(self, done: int, total: int) -> None:
        """Say that violations are looked at again."""
        if done == 0:
            self.line(f"  confirming and shrinking {total} kinds of violation")

    def line(self, text: str) -> None:
        """Say one line."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
