"""The command table, and the one place where errors become sentences and exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Final

import click

from gatecrash.authorizers.errors import GatecrashError
from gatecrash.reports.run.verdict import ExitCode

_DEBUG: Final = "GATECRASH_TRACEBACK"
# A module of gatecrash.commands each, with the command under the same name.
_NAMES: Final = (
    *("run", "worker", "capacity", "fuzz", "serve", "report", "replay", "export", "baseline", "explain", "init"),
    *("doctor", "plan", "corpus"),
    *("compare", "trend"),
)


class _Commands(click.Group):
    """Imports a command's module when the command is used: each needs only a part of what is installed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the same in any context
        """Return the names of all commands."""
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        """Return a command by its name."""
        if cmd_name not in _NAMES:
            return None
        command: click.Command = getattr(import_module(f"gatecrash.commands.{cmd_name}"), cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("gatecrash"), prog_name="gatecrash")
def commands() -> None:
    """Load and fuzz testing for AWS IoT Core custom authorizers.

    \b
    gatecrash run                              try it: a sample authorizer, half a minute, a report
    gatecrash init                             write a commented gatecrash.toml
    gatecrash run --handler authorizer.py:handler --credentials password --table devices.csv
    gatecrash run --target iot --authorizer NAME --region eu-west-1
    gatecrash capacity --handler authorizer.py:handler --credentials password --table devices.csv
    gatecrash fuzz --handler authorizer.py:handler --credentials password --table devices.csv
    gatecrash compare EARLIER LATER            two run folders: what got worse, by how much
    gatecrash trend --history FILE             many runs: what got worse, and since when

    Exit codes: 0 pass, 1 a threshold failed, 2 usage or settings, 3 wrong or inconsistent decisions,
    4 the measurement is invalid, 130 and 143 stopped by a signal (the report is still written).
    """


def app(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    try:
        code = commands.main(arguments, prog_name="gatecrash", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (click.exceptions.Abort, KeyboardInterrupt):
        print("gatecrash: stopped", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except GatecrashError as error:
        if os.environ.get(_DEBUG):
            raise
        print(f"gatecrash: {error}", file=sys.stderr)
        return ExitCode.USAGE
    return code if isinstance(code, int) else ExitCode.PASS
