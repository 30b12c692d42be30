"""``gatecrash fuzz``: find what is wrong."""

from __future__ import annotations

import webbrowser

import click
from rich.console import Console

from gatecrash.bench.bench import PARALLEL_MAXIMUM
from gatecrash.bench.preparing import request_budget, request_rate
from gatecrash.fuzzing.campaigning import fuzz as fuzz_settings
from gatecrash.judging.baselines import check_baseline
from gatecrash.judging.comparisons import check_against
from gatecrash.judging.earlier_runs import remove_old
from gatecrash.judging.histories import check_history, keep
from gatecrash.judging.judging import show
from gatecrash.preflight.asking import Load
from gatecrash.preflight.preflight import check_target
from gatecrash.reports.run.folder import REPORT
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings


@click.command(short_help="Find what is wrong: attacks, oracles, proof.")
@settings_options("fuzz")
@click.option("--yes", is_flag=True, help="fire at AWS without asking")
@click.option("--open", "open_report", is_flag=True, help="open the report in a browser")
def fuzz(settings: Settings, *, yes: bool, open_report: bool) -> int:
    """Fire every kind of attack at an authorizer and prove what it gets wrong.

    A Python handler is first called in isolated processes without a network, thousands of times a second, then
    behind the embedded gateway. Each violation is fired again alone, classified, and made as small as it gets.
    """
    console = Console()
    check_baseline(settings)
    check_history(settings)
    check_against(settings)
    budget, rate = request_budget(settings), request_rate(settings)
    pace = f" at {rate:g} a second" if rate else ""
    check_target(settings, console, yes=yes, load=Load(budget, rate, f"at most {budget}{pace}", PARALLEL_MAXIMUM))
    summary, folder = fuzz_settings(settings, console)
    show(summary, folder, console)
    keep(summary, folder, console)
    remove_old(settings, summary, folder, console)
    if open_report:
        webbrowser.open((folder / REPORT).resolve().as_uri())
    return int(summary.verdict.exit_code)
