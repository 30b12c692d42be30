"""The runs of the same name beside a run that came before it, and which of them are good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.judging.histories import accepted_runs
from gatecrash.reports.comparison.comparability import obstacles_of_plans
from gatecrash.reports.run.folder import CAMPAIGN, CAPACITY, RUN, RunFolder, RunInfo
from gatecrash.reports.run.verdict import ExitCode, Validity
from gatecrash.reports.trend.history import key_of

STATISTICS: Final = "stats.json"


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """One run that came before another one. ``key`` orders runs by time, as in a history.

    ``is_comparable`` is by what was meant to be run. One that is not ``is_finished`` may be under way still. A good one
    was measured and passed, or failed by nothing but what was accepted with its levels in the history.
    """

    key: str
    place: Path
    command: str
    is_comparable: bool
    is_finished: bool
    was_measured: bool
    is_good: bool


def earlier_runs(folder: Path, info: RunInfo) -> Iterator[EarlierRun]:
    """Yield the runs of the same name beside ``folder`` that began before it, in no order."""
    accepted = accepted_runs(info)
    for place in folder.parent.iterdir():
        if place.resolve() == folder.resolve() or not (place / RUN).exists():
            continue
        try:
            other = RunFolder(place).read_info()
        except UsageError:
            continue
        # Runs within one second are told apart by their folders' names.
        is_earlier = (other.started_at, place.name) < (info.started_at, folder.name)
        if is_earlier and other.name == info.name:
            yield _judged(place, other, info, accepted)


def _judged(place: Path, other: RunInfo, info: RunInfo, accepted: frozenset[str]) -> EarlierRun:
    statistics, key = _statistics(place), key_of(other, place.name)
    was_measured = bool(statistics.get("exchanges")) and _of(statistics, "validity", "word") != Validity.INVALID
    code = _of(statistics, "verdict", "exit_code")
    passed = code == ExitCode.PASS or (code == ExitCode.THRESHOLD_FAILED and key in accepted)
    return EarlierRun(
        key,
        place,
        command_of(place),
        is_comparable=not obstacles_of_plans(other, info),
        is_finished=bool(statistics),
        was_measured=was_measured,
        is_good=was_measured and passed,
    )


def command_of(place: Path) -> str:
    """Return the command that made a run folder."""
    if (place / CAMPAIGN).exists():
        return "fuzz"
    return "capacity" if (place / CAPACITY).exists() else "run"


def _statistics(place: Path) -> dict[str, Any]:
    try:
        value = wire.decode((place / STATISTICS).read_bytes())
    except (OSError, WireError):
        return {}
    return value if isinstance(value, dict) else {}


def _of(statistics: dict[str, Any], section: str, name: str) -> Any:
    value = statistics.get(section)
    return value.get(name) if isinstance(value, dict) else None
