"""Reports of real runs to look at, beside those of made-up ones where a real run takes too long."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatecrash.reports.html import report as as_html
from gatecrash.reports.html import trend as trend_page
from gatecrash.reports.report import Report
from tests.reports.capacity_samples import capacity_summary
from tests.reports.course_samples import soak_summary
from tests.reports.samples import distributed_summary
from tests.reports.trend_samples import eventful

_SET: Final = Path(__file__).parent / "authorizers" / "first"
_PASSWORDS: Final = ("--credentials", "password", "--table", str(_SET / "profiles" / "credentials.jsonl"))
_FLIPS: Final = ("--handler", f"{_SET / 'handlers' / 'password_flips.py'}:handler", *_PASSWORDS)
_PREFIX: Final = ("--handler", f"{_SET / 'handlers' / 'password_prefix.py'}:handler", *_PASSWORDS)
_LOAD: Final = ("--duration", "20", "--warm-up", "3")
_SLOWER: Final = ("--set", "authorizer.faults={latency=0.015, latency_rate=0.3, seed=1}")
# A fleet that reconnects at a gateway with a quota: rates that vary, throttles, and wrong answers besides.
_SPIKE: Final = (
    *("--scenario", "spike", "--rate", "40", "--set", "authorizer.calls_per_second=120"),
    *("--set", "spike.fleet=1600", "--set", "spike.within=8", "--set", "spike.before=8", "--set", "spike.after=10"),
)
_CODES: Final = frozenset({0, 1, 3, 4})


def _gatecrash(folder: Path, *arguments: str) -> None:
    command = (sys.executable, "-m", "gatecrash", *arguments)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in _CODES:
        raise SystemExit(f"gatecrash {' '.join(arguments)} ended with {done.returncode}: {done.stderr or done.stdout}")


def _run(folder: Path, name: str, *arguments: str) -> Path:
    """Run, or render again what an earlier call left."""
    if earlier := sorted((folder / "runs").glob(f"*-{name}")):
        _gatecrash(folder, "report", str(earlier[-1]))
        return earlier[-1]
    verb = ("fuzz",) if name == "fuzz" else ("run", *(() if "--scenario" in arguments else _LOAD))
    _gatecrash(folder, *verb, "--name", name, *arguments)
    return max((folder / "runs").glob(f"*-{name}"))


def made(folder: Path) -> Iterator[tuple[str, Path]]:
    """Make the pages in ``folder``, which takes two minutes, and seconds the next time; yield each with its name."""
    good = _run(folder, "passing", *("--threshold", "latency.p95 < 250ms"))
    yield "passing", good / "report.html"
    yield "failing", _run(folder, "failing", *_SPIKE, *_FLIPS, "--fail-if", "throttle_rate > 1%") / "report.html"
    worse = _run(folder, "compared", *_SLOWER, "--against", str(good))
    yield "compared", worse / "report.html"
    alone = folder / "comparison.html"
    _gatecrash(folder, "compare", str(good), str(worse), "--output", str(alone))
    yield "comparison", alone
    yield "fuzz", _run(folder, "fuzz", *_PREFIX) / "report.html"
    pages = {
        "capacity": as_html.render(Report(capacity_summary()), "runs/capacity"),
        "soak": as_html.render(Report(soak_summary()), "runs/soak"),
        "workers": as_html.render(Report(distributed_summary()), "runs/workers"),
        "trend": trend_page.render([eventful()]),
    }
    for name, content in pages.items():
        path = folder / f"{name}.html"
        path.write_bytes(content)
        yield name, path
