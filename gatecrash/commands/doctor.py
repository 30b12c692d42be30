"""``gatecrash doctor``: is this machine, and this setup, fit for a run?"""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from gatecrash.preflight.checkup import Fitness, Observation, examine
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings

_STYLES = {Fitness.GOOD: "green", Fitness.BEWARE: "yellow", Fitness.BAD: "red"}


@click.command(short_help="Check this machine and these settings.")
@settings_options("load")
def doctor(settings: Settings) -> int:
    """Check versions, file limits, folders, the handler, the credentials, and with --target iot AWS itself.

    Nothing is fired. The exit code is 2 when something would keep a run from working.
    """
    console = Console()
    observations = examine(settings)
    table = Table("", "what", "how it is", box=None, pad_edge=False)
    for observation in observations:
        table.add_row(_label(observation), observation.what, observation.state)
    console.print(table)
    is_fit = all(observation.fitness is not Fitness.BAD for observation in observations)
    return int(ExitCode.PASS if is_fit else ExitCode.USAGE)


def _label(observation: Observation) -> str:
    style = _STYLES[observation.fitness]
    return f"[{style}]{observation.fitness.value}[/{style}]"
