"""``gatecrash run``: the main job."""

from __future__ import annotations

import webbrowser

import click
from rich.console import Console

from gatecrash.judging.baselines import check_baseline
from gatecrash.judging.comparisons import check_against
from gatecrash.judging.earlier_runs import remove_old
from gatecrash.judging.histories import check_history, keep
from gatecrash.judging.judging import show
from gatecrash.planning.scenarios import LOADS, Scenario, check_scenario, load_of, settings_of
from gatecrash.preflight.preflight import check_target
from gatecrash.reports.run.folder import REPORT
from gatecrash.running.running import run as run_settings
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings


@click.command(short_help="Generate, fire, record, judge and report.")
@settings_options("run")
@click.option(
    "--scenario",
    type=click.Choice(LOADS),
    default="steady",
    help="steady: one rate; spike: a whole fleet reconnects; soak: one rate for long",
)
@click.option("--master", is_flag=True, help="have workers fire, which join by `gatecrash worker`")
@click.option("--yes", is_flag=True, help="fire at AWS without asking")
@click.option("--open", "open_report", is_flag=True, help="open the report in a browser")
def run(settings: Settings, *, scenario: Scenario, master: bool, yes: bool, open_report: bool) -> int:
    """Fire generated requests at an authorizer and report how it held.

    With nothing said it tests a sample authorizer behind the embedded gateway for half a minute. With --handler it
    runs your Lambda handler there; with --target iot it calls a deployed authorizer. With --master the requests
    are fired by workers, on this machine or on others.
    """
    console = Console()
    check_baseline(settings)
    check_history(settings)
    check_against(settings)
    check_scenario(scenario, settings)
    settings = settings_of(scenario, settings)
    check_target(settings, console, yes=yes, load=load_of(scenario, settings))
    summary, folder = run_settings(settings, console, scenario, master=master)
    show(summary, folder, console)
    keep(summary, folder, console)
    remove_old(settings, summary, folder, console)
    if open_report:
        webbrowser.open((folder / REPORT).resolve().as_uri())
    return int(summary.verdict.exit_code)
