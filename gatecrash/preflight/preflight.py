"""Before the first request leaves this machine: what the kind of target asks for."""

from __future__ import annotations

from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.gateway.functions import parse_handler
from gatecrash.planning.load import Load, planned_load
from gatecrash.reports.plan.facts import AWS_KINDS
from gatecrash.settings.settings import Settings


def check_target(settings: Settings, console: Console, *, yes: bool, load: Load | None = None) -> None:
    """Check a target that may be AWS, show what will happen, and ask; ``load`` is the settings' own by default.

    Nothing is asked for targets on this machine. Raises UsageError when the target can't be used or the answer is
    no; nothing that runs an authorizer is sent before that. What speaks to AWS is imported only where it is used:
    boto3 is slow to import, and most runs need none of it.
    """
    _refuse_foreign_settings(settings)
    if settings.target.kind == "lambda":
        from gatecrash.preflight.lambda_function import check_function

        check_function(settings, console, load or planned_load(settings), yes=yes)
    elif settings.target.kind == "iot":
        from gatecrash.preflight.iot import check_authorizer

        check_authorizer(settings, console, load or planned_load(settings), yes=yes)
    elif settings.target.kind != "scripted" and settings.authorizer.handler is not None:
        parse_handler(settings.authorizer.handler)


def _refuse_foreign_settings(settings: Settings) -> None:
    """Refuse what is set for another kind of target: who set it means that one."""
    target = settings.target
    for key in ("endpoint_url", "profile"):
        if getattr(target, key) is not None and target.kind not in AWS_KINDS:
            raise UsageError(
                f"target.{key} is set, but the target is {target.kind}: fire at an endpoint with --target iot or lambda"
            )
    if target.kind != "lambda" and (target.function is not None or target.log_tail):
        key = "function" if target.function is not None else "log_tail"
        raise UsageError(
            f"target.{key} is set, but the target is {target.kind}: invoke a Lambda function with --target lambda"
        )
