"""The command table, and the one place where errors become sentences and exit codes."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Final

import click

from authorizers.errors import GatecrashError
from gatecrash.commands.baseline import baseline
from gatecrash.commands.doctor import doctor
from gatecrash.commands.explain import explain
from gatecrash.commands.export import export
from gatecrash.commands.fuzz import fuzz
from gatecrash.commands.init import init
from gatecrash.commands.plan import plan
from gatecrash.commands.replay import replay
from gatecrash.commands.report import report
from gatecrash.commands.run import run
from gatecrash.commands.serve import serve
from reports.verdict import ExitCode

_DEBUG: Final = "GATECRASH_TRACEBACK"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("gatecrash"), prog_name="gatecrash")
def commands() -> None:
    """Load and fuzz testing for AWS IoT Core custom authorizers.

    \b
    gatecrash run                              try it: a sample authorizer, half a minute, a report
    gatecrash init                             write a commented gatecrash.toml
    gatecrash run --handler authorizer.py:handler --credentials password --table devices.csv
    gatecrash run --target iot --authorizer NAME --region eu-west-1

    Exit codes: 0 pass, 1 a threshold failed, 2 usage or settings, 3 wrong or inconsistent decisions,
    4 the measurement is invalid, 130 and 143 stopped by a signal (the report is still written).
    """


for _command in (run, fuzz, serve, report, replay, export, baseline, explain, init, doctor, plan):
    commands.add_command(_command)


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
