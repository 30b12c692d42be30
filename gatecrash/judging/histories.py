"""Runs and the history that their settings name: added at a run's end, read for the trend."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.run.folder import RunFolder
from gatecrash.reports.run.summary import Summary, summarise
from gatecrash.reports.trend.history import History, HistoryRun
from gatecrash.reports.trend.metrics import TrendLimits, history_run
from gatecrash.reports.words.spelling import plural, visible
from gatecrash.settings.settings import Settings
from gatecrash.terminal import say


def check_history(settings: Settings) -> None:
    """Raise UsageError when the history that settings name can't be used; it is made where there is none."""
    if settings.trend.history is not None:
        History(Path(settings.trend.history), create=True).close()


def open_history(settings: Settings, *, create: bool = False) -> History:
    """Open the history that settings name; raises UsageError when they name none, or it can't be used."""
    if settings.trend.history is None:
        raise UsageError(
            "no history is named: give its file by --history FILE, or as history of [trend] in gatecrash.toml"
        )
    return History(Path(settings.trend.history), create=create)


def accepted_runs(info: RunInfo) -> frozenset[str]:
    """Return the keys of the runs that were accepted in the history that a run's settings name, where it can be read.

    That it can't is told when the run is added to it.
    """
    path = _path(info)
    if path is None or not path.exists():
        return frozenset()
    try:
        with History(path) as history:
            return history.accepted()
    except UsageError:
        return frozenset()


def _path(info: RunInfo) -> Path | None:
    name = info.settings.get("trend", {}).get("history")
    return Path(name) if isinstance(name, str) else None


def limits_of(settings: Settings) -> TrendLimits:
    """Return from which change on a level is another one."""
    return TrendLimits(**settings.trend.model_dump(exclude={"history"}))


def keep(summary: Summary, folder: Path, console: Console) -> None:
    """Add a judged run to the history that its settings name, and say so.

    What was measured is not lost because of a history that can't be written: that is told, and no more.
    """
    path = _path(summary.info)
    if path is None:
        return
    try:
        with History(path, create=True) as history:
            history.add(history_run(summary, str(folder), revision_of(summary.info)))
            name = summary.info.name
            count = sum(run.info.name == name for run in history.runs())
        sentence = f"{path} ({plural(count, 'run')} named {name}); gatecrash trend --history {path}"
    except UsageError as error:
        sentence = f"this run was not added: {error}"
    say(console, f"History  {visible(sentence)}")


def revision_of(info: RunInfo) -> str:
    """Return what a run was of, empty where nothing says so."""
    return str(info.settings.get("output", {}).get("revision", ""))


def read_run(folder: Path) -> HistoryRun:
    """Return what a history keeps of a run folder; raises UsageError when it is none."""
    stored = RunFolder(folder).load()
    return history_run(summarise(stored), str(folder), revision_of(stored.info))
