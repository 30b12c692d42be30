"""``gatecrash replay``: fire a finding's request again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.preflight.preflight import check_target
from gatecrash.replaying.replaying import replay as replay_finding
from gatecrash.replaying.replaying import replay_case, stored_case, stored_finding, times_for
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.reports.words.summary import json_text, visible

_CASE_TIMES: Final = 20


@click.command(short_help="Fire a finding's request again.")
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--finding", "number", type=click.IntRange(min=1), default=None, help="its number (default 1)")
@click.option("--case", type=click.IntRange(min=0), default=None, help="fire a case of the run instead, by its number")
@click.option("--times", type=click.IntRange(1, 100_000), default=None, help="how often (default: by its rarity)")
@click.option("--yes", is_flag=True, help="fire at AWS without asking")
def replay(run_folder: Path, *, number: int | None, case: int | None, times: int | None, yes: bool) -> int:
    """Make the request of a finding in RUN_FOLDER anew, fire it at the run's target, and say what came back.

    FIXED when the finding doesn't show any more, FAILED or FLAKY k of n when it does, CANNOT TEST when nothing was
    answered, or the valid request is not let in either. The exit code is 0, 3 or 4 accordingly. With --case the
    request of any case is fired, such as one that a comparison lists, and its answers are shown.
    """
    console = Console()
    if case is not None:
        if number is not None:
            raise UsageError("--finding and --case each name a request: give one of them")
        return _replay_case(run_folder, case, times or _CASE_TIMES, console, yes=yes)
    settings, finding = stored_finding(run_folder, number or 1)
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


def _replay_case(run_folder: Path, index: int, times: int, console: Console, *, yes: bool) -> int:
    settings, case = stored_case(run_folder, index)
    check_target(settings, console, yes=yes)
    expected = case.demand.expectation.value
    opening = f"Case {index}, {case.family}/{case.name} (expected: {expected}): firing {times} times"
    console.print(visible(opening), highlight=False, markup=False, soft_wrap=True)
    result = replay_case(settings, case, times)
    for seen, sample in result.answers:
        console.print(f"{seen:>6} x {json_text(sample)}", highlight=False, markup=False, soft_wrap=True)
    if not result.answered:
        console.print("CANNOT TEST: the authorizer answered nothing", highlight=False)
        return int(ExitCode.INVALID_MEASUREMENT)
    if len(result.answers) > 1:
        console.print(f"INCONSISTENT: {len(result.answers)} distinct answers", highlight=False)
    elif result.violations:
        console.print(f"WRONG: {expected} was expected", highlight=False)
    else:
        console.print("CONSISTENT" if expected == "open" else f"RIGHT: {expected} was expected", highlight=False)
    return int(ExitCode.WRONG_DECISIONS if result.violations or len(result.answers) > 1 else ExitCode.PASS)
