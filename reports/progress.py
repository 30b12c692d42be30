"""A small file that says how a run is getting on, for whoever shows it live."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from authorizers import wire
from reports.recording import Recording
from reports.records import LatencyKind
from reports.run_folder import RunState, write_atomically

PROGRESS: Final = "progress.json"


def write_progress(folder: Path, recording: Recording, state: RunState) -> None:
    """Write progress.json: counts over the whole run so far, latencies in milliseconds of the measured part."""
    seconds = [second for _, second in recording.series]
    value = {
        "elapsed": state.elapsed,
        "planned": sum(second.planned for second in seconds),
        "dropped": sum(second.dropped for second in seconds),
        "outcomes": {
            outcome: count
            for outcome in {name for second in seconds for name in second.outcomes}
            if (count := sum(second.outcomes[outcome] for second in seconds))
        },
        "workers": state.workers,
        "workers_lost": state.workers_lost,
        "latency": {
            kind.value: {
                "p50": (total := recording.latencies.total(kind)).percentile(50),
                "p95": total.percentile(95),
                "p99": total.percentile(99),
            }
            for kind in LatencyKind
        },
    }
    write_atomically(folder / PROGRESS, wire.encode(value))
