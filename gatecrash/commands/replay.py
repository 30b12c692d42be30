"""``gatecrash replay``: fire a finding's request again."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from gatecrash.preflight import check_target
from gatecrash.replaying import replay as replay_finding
from gatecrash.replaying import stored_finding, times_for
from reports.verdict import ExitCode
from reports.words import json_text


@click.command(short_help="Fire a finding's request again.")
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--finding", "number", type=click.IntRange(min=1), default=1, show_default=True, help="its number")
@click.option("--times", type=click.IntRange(1, 100_000), default=None, help="how often (default: by its rarity)")
@click.option("--yes", is_flag=True, help="fire at AWS without asking")
def replay(run_folder: Path, *, number: int, times: int | None, yes: bool) -> int:
    """Make the request of a finding in RUN_FOLDER anew, fire it at the run's target, and say what came back.

    FIXED when the finding doesn't show any more, FAILED or FLAKY k of n when it does, CANNOT TEST when nothing was
    answered, or the valid request is not let in either. The exit code is 0, 3 or 4 accordingly.
    """
    settings, finding = stored_finding(run_folder, number)
    console = Console()
    count = times or times_for(finding)
    check_target(settings, console, yes=yes)
    console.print(f"{finding.sentence}: firing {count} times", highlight=False, markup=False, soft_wrap=True)
    result = replay_finding(settings, finding, count)
    for seen, sample in result.answers:
        console.print(f"{seen:>6} x {json_text(sample)}", highlight=False, markup=False, soft_wrap=True)
    console.print(result.word, highlight=False, markup=False, soft_wrap=True)
    if result.obstacle:
        return int(ExitCode.INVALID_MEASUREMENT)
    return int(ExitCode.WRONG_DECISIONS if result.violations else ExitCode.PASS)
