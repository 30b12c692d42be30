"""``gatecrash capacity``: how much the authorizer holds."""

from __future__ import annotations

import click

from gatecrash.commands.run import fire_and_report
from gatecrash.scenarios.capacity import CapacityScenario
from gatecrash.settings.options import MASTER, OPEN, YES, settings_options
from gatecrash.settings.settings import Settings


@click.command(short_help="Find the highest rate that the authorizer holds.")
@settings_options("capacity")
@MASTER
@YES
@OPEN
def capacity(settings: Settings, *, master: bool, yes: bool, open_report: bool) -> int:
    """Search the highest rate at which the objectives are kept: latency, throttles, errors, wrong decisions.

    The rate doubles until an objective is broken, is bisected, and both ends of the interval are confirmed. The
    authorizer is overloaded on the way: never search on what real devices use.
    """
    return fire_and_report(CapacityScenario, settings, master=master, yes=yes, open_report=open_report)
