"""``gatecrash plan``: what a run would do, as a file for plain Locust."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from gatecrash.authorizers import wire
from gatecrash.preflight.preflight import check_target
from gatecrash.running.locust_process import PLAN
from gatecrash.running.run import build_with_progress
from gatecrash.scenarios import SCENARIOS
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings
from gatecrash.terminal import write_output


@click.command(short_help="Build the corpus and write a plan for plain `locust`.")
@settings_options("plan")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="file of the plan")
@click.option(
    "--scenario", type=click.Choice(tuple(SCENARIOS)), default="steady", help="what locustfile the plan is for"
)
@click.option("--yes", is_flag=True, help="plan for AWS without asking")
def plan(settings: Settings, *, output: Path | None, scenario: str, yes: bool) -> int:
    """Prepare a run without firing, and print the name of the file that `locust --plan` takes.

    The plan holds no secrets; the corpus that it names does, and stays in the cache.
    """
    console = Console(file=sys.stderr)
    planned = SCENARIOS[scenario](settings)
    check_target(planned.settings, console, yes=yes, load=planned.load)
    corpus = build_with_progress(planned.settings, console, planned.seconds)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{settings.output.name}"
    content = wire.encode(planned.plan(corpus, Path(settings.output.runs) / name).to_json())
    corpus.close()
    path = output or Path(tempfile.mkdtemp(prefix="gatecrash-")) / PLAN
    write_output(path, content)
    print(path)
    return 0
