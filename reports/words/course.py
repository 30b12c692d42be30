"""How the course of a soak and of a spike is worded, alike on the terminal and in the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gatecrash.reports.course.drift import Drift, DriftPart, Slope
from gatecrash.reports.course.memory import MemoryRow
from gatecrash.reports.course.spike import Spike
from gatecrash.reports.words.spelling import milliseconds, percent, plural

DRIFT_COLUMNS: Final = ("from second", "exchanges", "p50", "p95", "throttled", "errors", "allowed", "wrong")
MEMORY_COLUMNS: Final = ("process", "id", "at the start", "at the end", "most", "growth an hour")
_MEGABYTE: Final = 2**20
# What grows while a process warms up says nothing of an hour.
_HOURS_LEAST: Final = 0.1


def drift_sentences(drift: Drift) -> list[str]:
    """Return by how much latencies changed, and whether that is more than noise."""
    return [_slope_sentence("median", drift.p50), _slope_sentence("95th percentile", drift.p95)]


def _slope_sentence(name: str, slope: Slope) -> str:
    change = f"{slope.per_hour:+,.3g} ms an hour (95 %: {slope.low:+,.3g} to {slope.high:+,.3g})"
    verdict = "rises" if slope.low > 0 else "falls" if slope.high < 0 else "no drift can be told from noise"
    return f"{name} of service time: {change}: {verdict}"


def drift_rows(drift: Drift) -> list[list[str]]:
    """Return a row of DRIFT_COLUMNS for each part."""
    return list(map(_drift_row, drift.parts))


def _drift_row(part: DriftPart) -> list[str]:
    shares = (percent(share) if share else "-" for share in (part.throttled, part.errors))
    latencies = (milliseconds(part.p50), milliseconds(part.p95))
    wrong = "-" if part.wrong is None else f"{part.wrong:,}"
    return [f"{part.start:,}", f"{part.exchanges:,}", *latencies, *shares, percent(part.allowed), wrong]


def memory_rows(rows: Iterable[MemoryRow]) -> list[list[str]]:
    """Return a row of MEMORY_COLUMNS for each process, memory in megabytes."""
    return list(map(_memory_row, rows))


def _memory_row(row: MemoryRow) -> list[str]:
    sizes = (f"{size / _MEGABYTE:,.1f} MB" for size in (row.first, row.last, row.highest))
    hours = row.seconds / 3600
    growth = f"{(row.last - row.first) / _MEGABYTE / hours:+,.1f} MB" if hours > _HOURS_LEAST else "-"
    return [row.role, str(row.process_id), *sizes, growth]


def spike_facts(spike: Spike) -> list[tuple[str, str]]:
    """Return what a spike did, label and value."""
    if spike.recovery is None:
        recovery = f"still not as before {spike.watched:g} s after the spike"
    elif spike.recovery == 0:
        recovery = "at once: the first second after the spike was as before"
    else:
        recovery = f"as before {spike.recovery:g} s after the spike"
    devices = f" of {plural(spike.devices, 'device')}" if spike.devices is not None else ""
    requests = f"{spike.requests or 0:,} distinct ones; {plural(spike.attacks or 0, 'connection')} with an attack"
    return [
        ("fleet", f"{spike.fleet:,} connections{devices} within {spike.within:g} s, {spike.rate:,.4g} a second"),
        *([("requests", requests)] if spike.requests is not None else []),
        ("decided", f"{spike.decided:,} ({percent(spike.decided / max(1, spike.fleet))})"),
        ("throttled or failed", f"{spike.turned_away:,}"),
        ("never sent", f"{spike.dropped:,}"),
        (
            "95 % of response times",
            f"within {milliseconds(spike.p95_during)} ms, before it within {milliseconds(spike.p95_before)} ms",
        ),
        ("recovery", recovery),
    ]
