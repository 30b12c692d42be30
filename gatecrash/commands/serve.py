"""``gatecrash serve``: the embedded gateway alone."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Final

import click
from rich.console import Console

from gatecrash.authorizers.gateway.functions import parse_handler
from gatecrash.authorizers.gateway.serving import serve_forever
from gatecrash.authorizers.gateway.settings import settings_from_json
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings
from gatecrash.settings.targets import gateway_settings
from gatecrash.terminal import say

# By the signal that ended it before it served.
_EXIT_CODES: Final[Mapping[int | None, ExitCode]] = {
    None: ExitCode.PASS,
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
}


@click.command(short_help="Run the embedded gateway alone.")
@settings_options("none")
@click.option("--port", type=click.IntRange(0, 65535), default=4566, show_default=True, help="port on 127.0.0.1")
def serve(settings: Settings, *, port: int) -> int:
    """Answer AWS IoT's authorizer API on this machine, with your Lambda handler behind it.

    boto3 and the AWS CLI work against it with its address as endpoint URL. Ctrl-C ends it.
    """
    console = Console()

    def ready(url: str) -> None:
        say(console, f"Serving authorizer {settings.authorizer.name} at {url}")
        say(
            console,
            f"  aws --endpoint-url {url} iot test-invoke-authorizer --authorizer-name {settings.authorizer.name} …",
        )
        if (handler := settings.authorizer.handler) is not None:
            function = parse_handler(handler).name
            say(
                console,
                f"  aws --endpoint-url {url} lambda invoke --function-name {function} …",
            )

    stopped_by = serve_forever(settings_from_json(gateway_settings(settings, port=port)), ready)
    return _EXIT_CODES[stopped_by]
