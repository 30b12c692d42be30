"""``gatecrash doctor``: is this machine, and this setup, fit for a run?"""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from gatecrash.preflight.checkup import Finding, Level, examine
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings

_STYLES = {Level.GOOD: "green", Level.BEWARE: "yellow", Level.BAD: "red"}


@click.command(short_help="Check this machine and these settings.")
@settings_options("load")
def doctor(settings: Settings) -> int:
    """Check versions, file limits, folders, the handler, the credentials, and with --target iot AWS itself.

    Nothing is fired. The exit code is 2 when something would keep a run from working.
    """
    console = Console()
    findings = examine(settings)
    table = Table("", "what", "how it is", box=None, pad_edge=False)
    for finding in findings:
        table.add_row(_label(finding), finding.what, finding.state)
    console.print(table)
    return int(ExitCode.USAGE if any(finding.level is Level.BAD for finding in findings) else ExitCode.PASS)


def _label(finding: Finding) -> str:
    style = _STYLES[finding.level]
    return f"[{style}]{finding.level.value}[/{style}]"
