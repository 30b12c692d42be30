"""``gatecrash capacity``: how much the authorizer holds."""

from __future__ import annotations

import webbrowser

import click
from rich.console import Console

from gatecrash.judging.baselines import check_baseline
from gatecrash.judging.earlier_runs import remove_old
from gatecrash.judging.histories import check_history, keep
from gatecrash.judging.judging import show
from gatecrash.planning.scenarios import check_scenario, load_of
from gatecrash.preflight.preflight import check_target
from gatecrash.reports.run.folder import REPORT
from gatecrash.running.running import run
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings


@click.command(short_help="Find the highest rate that the authorizer holds.")
@settings_options("capacity")
@click.option("--master", is_flag=True, help="have workers fire, which join by `gatecrash worker`")
@click.option("--yes", is_flag=True, help="fire at AWS without asking")
@click.option("--open", "open_report", is_flag=True, help="open the report in a browser")
def capacity(settings: Settings, *, master: bool, yes: bool, open_report: bool) -> int:
    """Search the highest rate at which the objectives are kept: latency, throttles, errors, wrong decisions.

    The rate doubles until an objective is broken, is bisected, and both ends of the interval are confirmed. The
    authorizer is overloaded on the way: never search on what real devices use.
    """
    console = Console()
    check_baseline(settings)
    check_history(settings)
    check_scenario("capacity", settings)
    check_target(settings, console, yes=yes, load=load_of("capacity", settings))
    summary, folder = run(settings, console, "capacity", master=master)
    show(summary, folder, console)
    keep(summary, folder, console)
    remove_old(settings, summary, folder, console)
    if open_report:
        webbrowser.open((folder / REPORT).resolve().as_uri())
    return int(summary.verdict.exit_code)
