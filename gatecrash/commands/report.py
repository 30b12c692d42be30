"""``gatecrash report``: judge and render a run again, from its folder alone."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from gatecrash.judging.judge import judge_and_render, show
from gatecrash.reports.run.folder import RunFolder


@click.command(short_help="Render the report of a run folder again.")
@click.argument("run_folder", type=click.Path(path_type=Path))
def report(run_folder: Path) -> int:
    """Read what RUN_FOLDER holds, judge it, and write its findings, report.html and what else is made of it.

    It works on a run that was cut off, too: with whatever its last checkpoint holds. The exit code is the run's.
    """
    run_report = judge_and_render(RunFolder(run_folder))
    show(run_report, run_folder, Console())
    return int(run_report.summary.verdict.exit_code)
