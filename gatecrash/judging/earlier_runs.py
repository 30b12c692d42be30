"""The runs of the same name beside a run that came before it: which of them are good, and which a run removes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.judging.histories import accepted_runs
from gatecrash.reports.comparison.comparability import obstacles_of_plans
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.run.folder import CAMPAIGN, CAPACITY, RUN, STATISTICS, RunFolder
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.run.verdict import ExitCode, Validity
from gatecrash.reports.trend.history import key_of
from gatecrash.reports.words.spelling import plural, visible
from gatecrash.settings.settings import Settings
from gatecrash.terminal import say


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
            yield _earlier_run(place, other, info, accepted)


def _earlier_run(place: Path, other: RunInfo, info: RunInfo, accepted: frozenset[str]) -> EarlierRun:
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


def remove_old(settings: Settings, summary: Summary, folder: Path, console: Console) -> None:
    """Remove the run folders of this name and command beyond ``output.keep``, and say so.

    What was measured is not lost because of a folder that can't be removed: that is told, and no more.
    """
    if settings.output.keep is None:
        return
    command = command_of(folder)
    earlier = [run for run in earlier_runs(folder, summary.info) if run.command == command]
    old = removable(earlier, settings.output.keep - 1, needs_good=summary.verdict.exit_code != ExitCode.PASS)
    removed = 0
    for run in old:
        try:
            shutil.rmtree(run.place)
        except OSError as error:
            sentence = f"{run.place} could not be removed, though output.keep asks for it: {error.strerror or error}"
            say(console, f"Kept  {visible(sentence)}")
        else:
            removed += 1
    if removed:
        sentence = f"{plural(removed, 'older run')} named {summary.info.name}: output.keep is {settings.output.keep}"
        say(console, f"Removed  {visible(sentence)}")


def removable(earlier: Iterable[EarlierRun], keep: int, *, needs_good: bool) -> list[EarlierRun]:
    """Return which of the runs before a run can go when ``keep`` of them are to be kept, the newest first.

    Never the newest good one, as long as the run itself ``needs_good`` since it is none, nor the newest good one that
    the run can be compared with: the next run needs it for ``last-good``. One that isn't finished stays too.
    """
    newest = sorted(earlier, key=lambda run: run.key, reverse=True)
    good = [run for run in newest if run.is_good]
    spared = [*good[:1], *[run for run in good if run.is_comparable][:1]] if needs_good else []
    return [run for run in newest[keep:] if run.is_finished and run not in spared]
