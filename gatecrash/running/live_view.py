"""What a person sees while a run goes on: a live table on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import WireError
from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.plan.plan import OPEN, Plan
from gatecrash.reports.recording import codec
from gatecrash.reports.run.folder import CAPACITY
from gatecrash.reports.words import capacity as capacity_words
from gatecrash.terminal import say

_PLAIN_EVERY_SECONDS: Final = 5.0


class LiveView:
    """Shows progress dictionaries as they come; use it as a context manager."""

    def __init__(self, console: Console, plan: Plan) -> None:
        self._console = console
        self._plan = plan
        self._live = Live(console=console, transient=True, refresh_per_second=4) if console.is_terminal else None
        self._next_line = 0.0
        self._rates_shown = 0

    def __enter__(self) -> Self:
        """Take over the lower part of the terminal."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()

    def show(self, progress: dict[str, Any]) -> None:
        """Show how the run is getting on."""
        if self._live is not None:
            self._live.update(self._table(progress))
        elif progress["elapsed"] >= self._next_line and self._plan.capacity is None:
            self._next_line = progress["elapsed"] + _PLAIN_EVERY_SECONDS
            say(self._console, self._line(progress))

    def show_search(self) -> None:
        """Print each rate that a search has judged since the last call."""
        if self._plan.capacity is None:
            return
        try:
            capacity = codec.from_json(wire.decode((Path(self._plan.run_folder) / CAPACITY).read_bytes()), Capacity)
        except (OSError, WireError, ValueError):
            return
        for probe in capacity.probes[self._rates_shown :]:
            say(self._console, f"  {capacity_words.line(probe)}")
        self._rates_shown = len(capacity.probes)

    def _phase(self, elapsed: float) -> str:
        if self._plan.capacity is not None:
            return "searching"
        if elapsed < self._plan.warm_up:
            return "warm-up"
        return "measuring" if elapsed < self._plan.length else "last answers"

    def _line(self, progress: dict[str, Any]) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(progress["outcomes"].items()))
        service, response = (progress["latency"][kind]["p95"] for kind in ("service_time", "response_time"))
        latencies = f"; p95 {service:.1f} ms service time, {response:.1f} ms response time" if response else ""
        return (
            f"{progress['elapsed']:6.1f} s  {self._phase(progress['elapsed'])}: {counts or 'nothing yet'}; "
            f"dropped {progress['dropped']}{latencies}"
        )

    def _table(self, progress: dict[str, Any]) -> RenderableType:
        elapsed = min(progress["elapsed"], self._plan.length)
        bar = ProgressBar(total=self._plan.length, completed=elapsed, width=40)
        head = Text(f"{self._phase(progress['elapsed'])}  {elapsed:.0f} of {self._plan.length:.0f} s")
        outcomes = Table("outcome", "exchanges", box=None, pad_edge=False)
        for name, count in sorted(progress["outcomes"].items()):
            outcomes.add_row(name.replace("_", " "), f"{count:,}")
        if self._plan.model == OPEN:
            outcomes.add_row("dropped", f"{progress['dropped']:,}")
        latency = Table("latency, ms", "p50", "p95", "p99", box=None, pad_edge=False)
        for kind, row in progress["latency"].items():
            cells = (f"{row[name]:.1f}" if row[name] else "-" for name in ("p50", "p95", "p99"))
            latency.add_row(kind.replace("_", " "), *cells)
        # The bar itself ends without a new line.
        return Group(head, Padding(bar, (0, 0, 1, 0)), outcomes, Text(), latency)
