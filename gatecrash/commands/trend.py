"""``gatecrash trend``: what got worse over many runs, and since when."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.judging.histories import limits_of, open_history, read_run
from gatecrash.reports.files import as_csv, as_markdown
from gatecrash.reports.html import trend as trend_page
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.reports.text import trend as text_trend
from gatecrash.reports.trend.history import HistoryRun
from gatecrash.reports.trend.trend import Trend, trends_of
from gatecrash.reports.words.spelling import plural
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings
from gatecrash.terminal import say, write_output

_NEWEST: Final = "newest"


def _json(trends: list[Trend]) -> bytes:
    return json.dumps([trend.to_json() for trend in trends], indent=2, allow_nan=False).encode("ascii") + b"\n"


def _csv(trends: list[Trend]) -> bytes:
    if len(trends) > 1:
        names = ", ".join(f"{trend.newest.info.name} ({trend.newest.kind})" for trend in trends)
        raise UsageError(f"--output: a CSV file holds the runs of one name and command; choose with --name: {names}")
    return as_csv.render_trend(trends[0])


def _markdown(trends: list[Trend]) -> bytes:
    return b"\n".join(map(as_markdown.render_trend, trends))


_WRITERS: Final[dict[str, Callable[[list[Trend]], bytes]]] = {
    ".html": trend_page.render,
    ".json": _json,
    ".csv": _csv,
    ".md": _markdown,
}


@click.group(invoke_without_command=True, short_help="Say what got worse over many runs, and since when.")
@settings_options("trend")
@click.option("--name", default=None, help="only runs of this name (default: all, each name by itself)")
@click.option("--check", is_flag=True, help="end with exit code 1 when something got worse and stayed so")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="page (.html), numbers (.json, .csv) or summary (.md) to write; may be repeated",
)
def trend(settings: Settings, *, name: str | None, check: bool, outputs: tuple[Path, ...]) -> int:
    """Show the levels on which the numbers of many runs were, and where they changed.

    Runs add themselves to a history with --history FILE; only those are set beside each other that can be compared with
    the newest one. One noisy run is no change, and a slow decline is one.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return 0
    for path in outputs:
        if path.suffix not in _WRITERS:
            raise UsageError(f"--output {path}: end the name in {', '.join(_WRITERS)}")
    with open_history(settings) as history:
        runs = [run for run in history.runs() if name in {None, run.info.name}]
        if not runs:
            raise UsageError(f"the history {history.path} has no run" + (f" named {name}" if name is not None else ""))
    trends, console = trends_of(runs, limits_of(settings)), Console()
    contents = [(path, _WRITERS[path.suffix](trends)) for path in outputs]
    for number, trend_of_name in enumerate(trends):
        if number:
            console.rule()
        text_trend.write(trend_of_name, console)
    for path, content in contents:
        write_output(path, content)
        say(console, f"Wrote  {path}")
    return int(ExitCode.THRESHOLD_FAILED if check and any(shown.alarms for shown in trends) else ExitCode.PASS)


@trend.command(short_help="Add runs to a history.")
@click.argument("run_folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN_FOLDER...")
@settings_options("trend")
def add(settings: Settings, *, run_folders: tuple[Path, ...]) -> int:
    """Add run folders to a history; one that is in it already is brought up to date."""
    runs = [read_run(folder) for folder in run_folders]
    with open_history(settings, create=True) as history:
        new = sum([history.add(run) for run in runs])
        known = len(runs) - new
        print(f"Added {plural(new, 'run')} to {history.path}" + (f", brought {known} up to date" if known else ""))
    return 0


@trend.command(short_help="Accept the levels of a run.")
@click.argument("run", default=_NEWEST)
@settings_options("trend")
@click.option("--name", default=None, help="of which name, for the newest run")
@click.option("--reason", required=True, help="why; it is shown beside the changes that are accepted by it")
def accept(settings: Settings, *, run: str, name: str | None, reason: str) -> int:
    """Accept what changed up to RUN, a run's folder or `newest`: it raises no alarm from then on.

    Runs with this history take RUN for `--against last-good` too, if it ended with exit code 1.
    """
    with open_history(settings) as history:
        accepted = _find(run, [known for known in history.runs() if name in {None, known.info.name}])
        if accepted is None:
            raise UsageError(
                f"the history {history.path} has no run {run}"
                + (f" named {name}" if name is not None else "")
                + ": give the name of its folder, as `gatecrash trend` shows it, or newest"
            )
        history.accept(accepted, reason)
    print(f"Accepted the levels of {Path(accepted.place).name}: {reason}")
    if accepted.exit_code not in {ExitCode.PASS, ExitCode.THRESHOLD_FAILED}:
        print(
            f"Beware: --against last-good passes it over all the same, since its exit code is {accepted.exit_code}: "
            "findings are accepted by `gatecrash baseline`, and what was measured badly must be measured again"
        )
    return 0


def _find(wanted: str, runs: list[HistoryRun]) -> HistoryRun | None:
    if wanted == _NEWEST:
        return runs[-1] if runs else None
    name = Path(wanted).name
    return next((run for run in reversed(runs) if Path(run.place).name == name), None)
