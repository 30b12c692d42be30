"""The end of every job: its summary on the screen, its place in the history, and older runs out of the way."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from rich.console import Console

from gatecrash.judging.earlier_runs import remove_old
from gatecrash.judging.histories import keep
from gatecrash.judging.judge import show
from gatecrash.reports.report import Report
from gatecrash.reports.run.folder import REPORT
from gatecrash.settings.settings import Settings


def end_job(settings: Settings, report: Report, folder: Path, console: Console, *, open_report: bool) -> int:
    """Show a judged run, add it to its history, remove what is to be kept no more, and return the exit code."""
    show(report, folder, console)
    keep(report.summary, folder, console)
    remove_old(settings, report.summary, folder, console)
    if open_report:
        webbrowser.open((folder / REPORT).resolve().as_uri())
    return int(report.summary.verdict.exit_code)
