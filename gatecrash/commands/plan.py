"""``gatecrash plan``: what a run would do, as a file for plain Locust."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from gatecrash.authorizers import wire
from gatecrash.planning.scenarios import SCENARIOS, Scenario, check_scenario, load_of, plan_of, seconds_of, settings_of
from gatecrash.preflight.preflight import check_target
from gatecrash.running.running import build_with_progress
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings


@click.command(short_help="Build the corpus and write a plan for plain `locust`.")
@settings_options("plan")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="file of the plan")
@click.option("--scenario", type=click.Choice(SCENARIOS), default="steady", help="what locustfile the plan is for")
@click.option("--yes", is_flag=True, help="plan for AWS without asking")
def plan(settings: Settings, *, output: Path | None, scenario: Scenario, yes: bool) -> int:
    """Prepare a run without firing, and print the name of the file that `locust --plan` takes.

    The plan holds no secrets; the corpus that it names does, and stays in the cache.
    """
    console = Console(file=sys.stderr)
    check_scenario(scenario, settings)
    settings = settings_of(scenario, settings)
    check_target(settings, console, yes=yes, load=load_of(scenario, settings))
    corpus = build_with_progress(settings, console, seconds_of(scenario, settings))
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{settings.output.name}"
    made = plan_of(scenario, settings, corpus, Path(settings.output.runs) / name)
    corpus.close()
    path = output or Path(tempfile.mkdtemp(prefix="gatecrash-")) / "plan.json"
    path.write_bytes(wire.encode(made.to_json()))
    print(path)
    return 0
