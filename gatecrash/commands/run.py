"""``gatecrash run``: the main job."""

from __future__ import annotations

from collections.abc import Callable

import click
from rich.console import Console

from gatecrash.judging.baselines import check_baseline
from gatecrash.judging.comparisons import check_against
from gatecrash.judging.histories import check_history
from gatecrash.judging.job_end import end_job
from gatecrash.preflight.preflight import check_target
from gatecrash.running.run import run as run_scenario
from gatecrash.scenarios import LOADS
from gatecrash.scenarios.scenario import Scenario
from gatecrash.settings.options import MASTER, OPEN, YES, settings_options
from gatecrash.settings.settings import Settings


@click.command(short_help="Generate, fire, record, judge and report.")
@settings_options("run")
@click.option(
    "--scenario",
    type=click.Choice(tuple(LOADS)),
    default="steady",
    help="steady: one rate; spike: a whole fleet reconnects; soak: one rate for long",
)
@MASTER
@YES
@OPEN
def run(settings: Settings, *, scenario: str, master: bool, yes: bool, open_report: bool) -> int:
    """Fire generated requests at an authorizer and report how it held.

    With nothing said it tests a sample authorizer behind the embedded gateway for half a minute. With --handler it
    runs your Lambda handler there; with --target iot it calls a deployed authorizer. With --master the requests
    are fired by workers, on this machine or on others.
    """
    check_against(settings)
    return fire_and_report(LOADS[scenario], settings, master=master, yes=yes, open_report=open_report)


def fire_and_report(
    scenario_of: Callable[[Settings], Scenario], settings: Settings, *, master: bool, yes: bool, open_report: bool
) -> int:
    """Carry a run of a scenario out, from the checks to the report; return its exit code."""
    console = Console()
    check_baseline(settings)
    check_history(settings)
    scenario = scenario_of(settings)
    check_target(scenario.settings, console, yes=yes, load=scenario.load)
    report, folder = run_scenario(scenario, console, master=master)
    return end_job(settings, report, folder, console, open_report=open_report)
