"""Before the first TestInvokeAuthorizer: whom it reaches, how often, what it costs; and a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.limits import TEST_INVOKE_CALLS_PER_SECOND, TEST_INVOKE_QUOTA_CODE
from gatecrash.authorizers.targets.aws_clients import IotApiSettings, service_client
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
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


@dataclass(frozen=True, slots=True)
class Deployed:
    """What AWS says of an authorizer."""

    name: str
    arn: str
    status: str
    signing_disabled: bool
    token_key_name: str | None


def check_authorizer(settings: Settings, console: Console, load: Load, *, yes: bool) -> None:
    """Check an authorizer of AWS IoT, show what will happen, and ask unless it is on this machine.

    Raises UsageError when it can't be used or the answer is no; nothing that runs it is sent before that.
    """
    local = is_on_this_machine(settings.target.endpoint_url)
    check_region(settings, "iot", "AWS IoT")
    refuse_handler(settings)
    client = client_of_authorizer(settings)
    authorizer = describe(client, settings)
    _check_signing(authorizer, settings)
    if local:
        return
    show_facts(
        console,
        ("Account", account_of(settings)),
        ("Region", client.meta.region_name),
        ("Endpoint", client.meta.endpoint_url),
        ("Authorizer", f"{authorizer.name}, {authorizer.status}, {_signing(authorizer)}"),
        ("Calls", f"{load.in_words} of TestInvokeAuthorizer, each of which invokes the Lambda function"),
        ("Cost", f"{load.cost_in_words} for Lambda at 128 MB and 100 ms; TestInvokeAuthorizer is free"),
    )
    if load.rate is not None and load.rate > (quota := read_quota(settings)):
        beware(
            console,
            f"{load.rate:g} arrivals/s are above the account's quota of {quota:g} calls/s for TestInvokeAuthorizer "
            f"({TEST_INVOKE_QUOTA_CODE}): AWS will throttle, also other callers in the account",
        )
    confirm(yes=yes)


def describe(client: Any, settings: Settings) -> Deployed:
    """Ask for the authorizer; raises UsageError when it isn't there, isn't active, or can't be asked for."""
    name = settings.authorizer.name
    try:
        description = client.describe_authorizer(authorizerName=name)["authorizerDescription"]
    except ClientError as error:
        raise UsageError(_sentence(error, name, client)) from None
    except BotoCoreError as error:
        raise UsageError(unreachable_sentence(error, client, "the authorizer")) from None
    except (KeyError, TypeError, AttributeError):
        description = {}
    if not {"status", "authorizerArn"} <= description.keys():
        raise UsageError(
            f"{client.meta.endpoint_url} didn't describe the authorizer {name} as AWS IoT does: is it the right "
            "endpoint?"
        )
    if (status := description["status"]) != "ACTIVE":
        raise UsageError(f"the authorizer {name} is {status}: no device can use it; set it to ACTIVE first")
    return Deployed(
        name,
        description["authorizerArn"],
        status,
        bool(description.get("signingDisabled")),
        description.get("tokenKeyName"),
    )


def _sentence(error: ClientError, name: str, client: Any) -> str:
    if error.response["Error"]["Code"] == "ResourceNotFoundException":
        return f"there is no authorizer {name} in {client.meta.region_name}: check --authorizer and --region"
    return refusal_sentence(error, client, f"the authorizer {name}", "iot:DescribeAuthorizer")


def _check_signing(authorizer: Deployed, settings: Settings) -> None:
    """Refuse credentials that the service would reject one and all, before the Lambda function sees them."""
    signed = settings.credentials.kind == "signed"
    if signed and authorizer.signing_disabled:
        raise UsageError(
            f"the credentials are signed tokens, but the authorizer {authorizer.name} has signing disabled and would "
            "reject each: choose another --credentials, or enable signing"
        )
    if not (signed or authorizer.signing_disabled or settings.credentials.kind in {None, "python"}):
        raise UsageError(
            f"the authorizer {authorizer.name} has signing enabled and rejects requests without a signed token: "
            "use --credentials signed, or a --credential-file that makes signatures"
        )


def _signing(authorizer: Deployed) -> str:
    if authorizer.signing_disabled:
        return "signing disabled"
    return f"signing enabled, token key name {authorizer.token_key_name}"


def client_of_authorizer(settings: Settings) -> Any:
    """Return the client that the target would use."""
    target = settings.target
    api = IotApiSettings(
        settings.authorizer.name, region=target.region, profile=target.profile, endpoint_url=target.endpoint_url
    )
    return service_client("iot", api)


def read_quota(settings: Settings) -> float:
    """Read the account's quota; where that isn't allowed, the documented default stands."""
    try:
        session = boto3.Session(profile_name=settings.target.profile, region_name=settings.target.region)
        answer = session.client("service-quotas").get_service_quota(
            ServiceCode="iotcore", QuotaCode=TEST_INVOKE_QUOTA_CODE
        )
        return float(answer["Quota"]["Value"])
    except (BotoCoreError, ClientError, KeyError):
        return float(TEST_INVOKE_CALLS_PER_SECOND)
