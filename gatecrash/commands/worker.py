"""``gatecrash worker``: fire for a master, on this machine or another."""

from __future__ import annotations

import click
from rich.console import Console

from gatecrash.running.worker import work
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings


@click.command(short_help="Fire for a master, on this machine or another.")
@settings_options("worker")
def worker(settings: Settings) -> int:
    """Join a master that `gatecrash run --master` started, and fire what it gives.

    Credentials never travel: this machine builds the corpus from its own settings and files, and compares its digests
    with the master's. What is fired, and where, the master says: join only one that you trust.
    """
    return work(settings, Console())
