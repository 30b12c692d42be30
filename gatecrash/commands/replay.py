"""``gatecrash replay``: fire a finding's request again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.preflight.preflight import check_target
from gatecrash.replaying.replay import replay as replay_finding
from gatecrash.replaying.replay import replay_case, stored_case, stored_finding, times_for
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.reports.words.spelling import json_text, visible
from gatecrash.settings.options import YES
from gatecrash.terminal import say

_CASE_TIMES: Final = 20


@click.command(short_help="Fire a finding's request again.")
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--finding", "number", type=click.IntRange(min=1), default=None, help="its number (default 1)")
@click.option("--case", type=click.IntRange(min=0), default=None, help="fire a case of the run instead, by its number")
@click.option("--times", type=click.IntRange(1, 100_000), default=None, help="how often (default: by its rarity)")
@YES
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
    say(console, f"{finding.sentence}: firing {count} times")
    result = replay_finding(settings, finding, count)
    for seen, sample in result.answers:
        say(console, f"{seen:>6} x {json_text(sample)}")
    say(console, result.word)
    if result.obstacle:
        return int(ExitCode.INVALID_MEASUREMENT)
    return int(ExitCode.WRONG_DECISIONS if result.violations else ExitCode.PASS)


def _replay_case(run_folder: Path, index: int, times: int, console: Console, *, yes: bool) -> int:
    settings, case = stored_case(run_folder, index)
    check_target(settings, console, yes=yes)
    expected = case.demand.expectation.value
    opening = f"Case {index}, {case.family}/{case.name} (expected: {expected}): firing {times} times"
    say(console, visible(opening))
    result = replay_case(settings, case, times)
    for seen, sample in result.answers:
        say(console, f"{seen:>6} x {json_text(sample)}")
    if not result.answered:
        say(console, "CANNOT TEST: the authorizer answered nothing")
        return int(ExitCode.INVALID_MEASUREMENT)
    if len(result.answers) > 1:
        say(console, f"INCONSISTENT: {len(result.answers)} distinct answers")
    elif result.violations:
        say(console, f"WRONG: {expected} was expected")
    else:
        say(console, "CONSISTENT" if expected == "open" else f"RIGHT: {expected} was expected")
    return int(ExitCode.WRONG_DECISIONS if result.violations or len(result.answers) > 1 else ExitCode.PASS)
