"""``gatecrash fuzz``: find what is wrong."""

from __future__ import annotations

import click
from rich.console import Console

from gatecrash.bench.bench import PARALLEL_MAXIMUM
from gatecrash.bench.opening import request_budget, request_rate
from gatecrash.fuzzing.campaign import fuzz as fuzz_settings
from gatecrash.judging.baselines import check_baseline
from gatecrash.judging.comparisons import check_against
from gatecrash.judging.histories import check_history
from gatecrash.judging.job_end import end_job
from gatecrash.planning.load import Load
from gatecrash.preflight.preflight import check_target
from gatecrash.settings.options import OPEN, YES, settings_options
from gatecrash.settings.settings import Settings


@click.command(short_help="Find what is wrong: attacks, oracles, proof.")
@settings_options("fuzz")
@YES
@OPEN
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
    report, folder = fuzz_settings(settings, console)
    return end_job(settings, report, folder, console, open_report=open_report)
