"""Before the first Invoke: whether there is such a function, how much of the account it may take, and a question."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.limits import LAMBDA_CONCURRENCY_DEFAULT, LAMBDA_CONCURRENCY_QUOTA_CODE
from gatecrash.authorizers.targets.aws_clients import service_client
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.authorizers.targets.lambda_function import LambdaFunctionSettings
from gatecrash.planning.load import Load
from gatecrash.preflight.questions import (
    account_of,
    beware,
    check_region,
    confirm,
    refusal_sentence,
    refuse_handler,
    show_facts,
    unreachable_sentence,
)
from gatecrash.settings.settings import Settings
from gatecrash.settings.targets import function_of

_PERMISSION = "lambda:InvokeFunction"


def check_function(settings: Settings, console: Console, load: Load, *, yes: bool) -> None:
    """Check a Lambda function, show what will happen, and ask unless it is on this machine.

    Raises UsageError when the function can't be invoked or the answer is no; the function is not run before that.
    """
    target = settings.target
    check_region(settings, "lambda", "AWS Lambda")
    refuse_handler(settings)
    client = client_of_function(settings)
    try_dry(client, settings)
    if is_on_this_machine(target.endpoint_url):
        return
    limit = read_concurrency(client)
    show_facts(
        console,
        ("Account", account_of(settings)),
        ("Region", client.meta.region_name),
        ("Endpoint", client.meta.endpoint_url),
        ("Function", function_of(settings)),
        ("Calls", f"{load.in_words} of Lambda's Invoke, at most {load.at_once} at a time"),
        ("Cost", f"{load.cost_in_words} for Lambda at 128 MB and 100 ms"),
    )
    beware(
        console,
        f"up to {load.at_once} of the account's {limit} concurrent executions ({LAMBDA_CONCURRENCY_QUOTA_CODE}) are "
        "taken, which all functions of the account in this region share: others may be throttled; a reserved "
        "concurrency of the function bounds it",
    )
    confirm(yes=yes)


def client_of_function(settings: Settings) -> Any:
    """Return the client that the target would use."""
    target = settings.target
    return service_client(
        "lambda",
        LambdaFunctionSettings(
            function_of(settings), region=target.region, profile=target.profile, endpoint_url=target.endpoint_url
        ),
    )


def try_dry(client: Any, settings: Settings) -> None:
    """Ask Lambda whether the function could be invoked, without running it; raises UsageError when it couldn't."""
    name = function_of(settings)
    what = f"the function {name}"
    try:
        answer = client.invoke(FunctionName=name, InvocationType="DryRun")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            sentence = f"there is no function {name} in {client.meta.region_name}: check --function and --region"
            raise UsageError(sentence) from None
        raise UsageError(refusal_sentence(error, client, what, _PERMISSION)) from None
    except BotoCoreError as error:
        raise UsageError(unreachable_sentence(error, client, what)) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        answer = {}
    if answer.get("StatusCode") != 204:
        raise UsageError(
            f"{client.meta.endpoint_url} didn't answer a dry run of {what} as Lambda does: is it the right endpoint?"
        )


def read_concurrency(client: Any) -> int:
    """Read how many executions the account may have at a time; the documented default where that isn't allowed."""
    try:
        return int(client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    except (BotoCoreError, ClientError, KeyError, TypeError, ValueError):
        return LAMBDA_CONCURRENCY_DEFAULT
