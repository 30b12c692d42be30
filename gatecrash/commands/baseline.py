"""``gatecrash baseline``: accept the findings of a run until a date."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gatecrash.authorizers.errors import UsageError
from gatecrash.judging.baselines import with_entries
from gatecrash.reports.oracles.baseline import Entry, name_of
from gatecrash.reports.oracles.rules import Severity
from gatecrash.reports.run.folder import RunFolder
from gatecrash.reports.words.spelling import plural
from gatecrash.terminal import write_output


@click.command(short_help="Accept the findings of a run until a date.")
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="last day on which they are accepted")
@click.option("--reason", default="", help="why they are accepted")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("baseline.toml"),
    show_default=True,
    help="file to write, or to add to",
)
def baseline(run_folder: Path, *, until: datetime, reason: str, output: Path) -> int:
    """Write the findings that failed the run in RUN_FOLDER to a file for --baseline.

    Runs with --baseline show them, and don't fail by them up to and including the date.
    """
    day = until.date()
    if day < datetime.now(UTC).date():
        raise UsageError(f"--until {day} is past: name a day to come")
    findings = [
        finding
        for finding in RunFolder(run_folder).load().findings
        if finding.rule.severity > Severity.NOTE and finding.accepted_until is None
    ]
    text, count = with_entries([Entry(name_of(finding), day, reason) for finding in findings], output)
    if not count:
        print(f"Nothing to add to {output}: {run_folder} has no finding that isn't accepted until {day}")
        return 0
    write_output(output, text.encode())
    print(f"Added {plural(count, 'finding')} to {output}, accepted until {day}: use it with --baseline {output}")
    return 0
