"""A small file that says how a run is getting on, for whoever shows it live."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gatecrash.authorizers import wire
from gatecrash.reports.recording.latency import Pause, no_pause
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.folder import RunState, write_atomically

PROGRESS: Final = "progress.json"
_PERCENTS: Final = (50.0, 95.0, 99.0)


def write_progress(folder: Path, recording: Recording, state: RunState, pause: Pause = no_pause) -> None:
    """Write progress.json: counts over the whole run so far, latencies in milliseconds of the measured part.

    Nobody may add to the recording in the pauses.
    """
    names = [f"p{percent:g}" for percent in _PERCENTS]
    seconds = [second for _, second in recording.series]
    pause()
    latency = {}
    for kind in LatencyKind:
        total = recording.latencies.total(kind)
        pause()
        latency[kind.value] = dict(zip(names, total.percentiles(_PERCENTS), strict=True))
        pause()
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
        "latency": latency,
    }
    write_atomically(folder / PROGRESS, wire.encode(value))
