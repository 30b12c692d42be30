"""How large a report is, and how long it takes until it is drawn, for a run of many exchanges.

    python -m tests.benchmarks.report [--exchanges 10000000] [--seconds 3600]

The exchanges are recorded over a simulated time, as a worker records them, without a network. Needs ``chromium``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from gatecrash.reports.html import report as as_html
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.report import Report
from gatecrash.reports.run.folder import RunFolder, RunState
from gatecrash.reports.run.summary import summarise
from tests.benchmarks.keeping import recorded
from tests.reports.browsing import browsing, page_of

CASES = 10_000


def measured(exchanges: int, seconds: float, rounds: int, folder: Path) -> Iterator[str]:
    """Record, write, read, render and draw; yields a line for each."""
    started = time.perf_counter()
    ((_, recording),) = recorded(exchanges, CASES, seconds, 1)
    yield f"{exchanges:,} exchanges over {seconds:,.0f} s, recorded in {time.perf_counter() - started:.0f} s"
    run = RunFolder(folder)
    plan = PlanFacts(rate=exchanges / seconds, duration=seconds - 5.0, warm_up=5.0)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    versions = {"python": sys.version.split()[0]}
    run.write_info(RunInfo("benchmark", now, 1, plan, TargetFacts("benchmark"), CorpusFacts(), versions))
    run.checkpoint(recording, RunState(elapsed=seconds, complete=True))
    yield f"  {'recording.json':<24} {(folder / 'recording.json').stat().st_size / 1e6:>6.1f} MB"
    started = time.perf_counter()
    page = as_html.render(Report(summarise(run.load())), folder)
    yield f"  {'read and rendered in':<24} {time.perf_counter() - started:>6.1f} s"
    path = folder / "report.html"
    path.write_bytes(page)
    yield f"  {'report.html':<24} {len(page) / 1e6:>6.1f} MB"
    times = []
    with browsing() as browser:
        for _ in range(rounds):
            started = time.perf_counter()
            with page_of(browser, path):
                times.append(time.perf_counter() - started)
    yield f"  {'all its plots drawn in':<24} {median(times):>6.1f} s  ({min(times):.1f} to {max(times):.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for line in measured(options.exchanges, options.seconds, options.rounds, Path(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
