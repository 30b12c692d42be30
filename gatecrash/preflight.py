"""Before the first request leaves this machine: whom it reaches, how often, what it costs; and a question."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass
from typing import Any, Final

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from authorizers.errors import UsageError
from authorizers.gateway.functions import parse_handler
from authorizers.limits import TEST_INVOKE_CALLS_PER_SECOND, TEST_INVOKE_QUOTA_CODE
from authorizers.targets.aws_clients import IotApiSettings, iot_client, service_client
from authorizers.targets.endpoints import is_on_this_machine
from gatecrash.settings import Settings
from reports.plan import CLOSED

# Lambda's request price and the price of 128 MB for 100 ms in most regions, in dollars; see docs/aws.md.
_DOLLARS_PER_REQUEST: Final = 0.20 / 1_000_000
_DOLLARS_PER_DURATION: Final = 0.0000166667 * 0.125 * 0.1


@dataclass(frozen=True, slots=True)
class Deployed:
    """What AWS says of an authorizer."""

    name: str
    arn: str
    status: str
    signing_disabled: bool
    token_key_name: str | None


@dataclass(frozen=True, slots=True)
class Load:
    """What will be fired: how many calls (None: as many as users make), how many a second (None: no bound)."""

    calls: int | None
    rate: float | None
    in_words: str


def planned_load(settings: Settings) -> Load:
    """Return the load that a run's settings plan; the closed model plans users, not calls."""
    load = settings.load
    seconds = load.warm_up + load.duration
    if load.model == CLOSED:
        return Load(None, None, f"as many as {load.users} users make in {seconds:g} s")
    calls = round(load.rate * seconds)
    return Load(calls, load.rate, str(calls))


def check_target(settings: Settings, console: Console, *, yes: bool, load: Load | None = None) -> None:
    """Check a target that may be AWS, show what will happen, and ask; ``load`` is the settings' own by default.

    Nothing is asked for targets on this machine. Raises UsageError when the target can't be used or the answer is
    no; not a single TestInvokeAuthorizer is sent before that.
    """
    if settings.target.kind == "lambda":
        check_function(settings, console, yes=yes, load=load or planned_load(settings))
        return
    if settings.target.kind != "iot":
        _refuse_remote_settings(settings)
        if settings.target.kind != "scripted" and settings.authorizer.handler is not None:
            parse_handler(settings.authorizer.handler)
        return
    local = is_on_this_machine(settings.target.endpoint_url)
    _check_region(settings)
    _refuse_handler(settings)
    client = iot_client(_api_settings(settings))
    authorizer = describe(client, settings)
    _check_signing(authorizer, settings)
    if local:
        return
    account = _account(settings)
    load = load or planned_load(settings)
    lines = (
        ("Account", account),
        ("Region", client.meta.region_name),
        ("Endpoint", client.meta.endpoint_url),
        ("Authorizer", f"{authorizer.name}, {authorizer.status}, {_signing(authorizer)}"),
        ("Calls", f"{load.in_words} of TestInvokeAuthorizer, each of which invokes the Lambda function"),
        ("Cost", f"{_cost(load)} for Lambda at 128 MB and 100 ms; TestInvokeAuthorizer is free"),
    )
    for name, value in lines:
        console.print(f"{name:<11} {value}", highlight=False, markup=False, soft_wrap=True)
    if load.rate is not None and load.rate > (quota := read_quota(settings)):
        console.print(
            f"Beware: {load.rate:g} arrivals/s are above the account's quota of {quota:g} calls/s for "
            f"TestInvokeAuthorizer ({TEST_INVOKE_QUOTA_CODE}): AWS will throttle, also other callers in the account",
            highlight=False,
            markup=False,
            style="yellow",
        )
    ask(yes=yes)


def check_function(settings: Settings, console: Console, *, yes: bool, load: Load) -> None:
    """Check a Lambda function without running it, show what will happen, and ask; nothing is asked on this machine.

    Raises UsageError when the function can't be invoked or the answer is no.
    """
    client = dry_run(settings)
    target = settings.target
    if is_on_this_machine(target.endpoint_url):
        return
    lines = (
        ("Account", _account(settings)),
        ("Region", client.meta.region_name),
        ("Endpoint", client.meta.endpoint_url),
        ("Function", str(target.function)),
        ("Calls", f"{load.in_words} of Invoke, which count against the concurrency of the whole account"),
        ("Cost", f"{_cost(load)} at 128 MB and 100 ms"),
    )
    for name, value in lines:
        console.print(f"{name:<11} {value}", highlight=False, markup=False, soft_wrap=True)
    ask(yes=yes)


def dry_run(settings: Settings) -> Any:
    """Ask Lambda whether the function may be invoked, and return the client; raises UsageError when it may not."""
    target = settings.target
    _refuse_handler(settings)
    if target.function is None:
        raise UsageError("target.function is missing: name the authorizer's Lambda function with --function")
    client = service_client(
        "lambda", region=target.region, profile=target.profile, endpoint_url=target.endpoint_url, connections=1
    )
    try:
        client.invoke(FunctionName=target.function, InvocationType="DryRun")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise UsageError(
            f"can't invoke the Lambda function {target.function} in {client.meta.region_name}: {code}; check "
            "--function and --region, and that lambda:InvokeFunction is allowed"
        ) from None
    except BotoCoreError as error:
        raise UsageError(_unreachable(error, client)) from None
    return client


def ask(*, yes: bool) -> None:
    """Ask whether to fire; raises UsageError when the answer is no, or there is nobody to ask."""
    if not yes and not _confirmed():
        raise UsageError("not fired: the question was answered with no; --yes answers it in a script")


def describe(client: Any, settings: Settings) -> Deployed:
    """Ask for the authorizer; raises UsageError when it isn't there, isn't active, or can't be asked for."""
    name = settings.authorizer.name
    try:
        found = client.describe_authorizer(authorizerName=name)["authorizerDescription"]
    except ClientError as error:
        raise UsageError(_sentence(error, name, client)) from None
    except BotoCoreError as error:
        raise UsageError(_unreachable(error, client)) from None
    except (KeyError, TypeError, AttributeError):
        found = {}
    if not {"status", "authorizerArn"} <= found.keys():
        raise UsageError(
            f"{client.meta.endpoint_url} didn't describe the authorizer {name} as AWS IoT does: is it the right "
            "endpoint?"
        )
    if found["status"] != "ACTIVE":
        raise UsageError(f"the authorizer {name} is {found['status']}: no device can use it; set it to ACTIVE first")
    return Deployed(
        name,
        found["authorizerArn"],
        found["status"],
        bool(found.get("signingDisabled")),
        found.get("tokenKeyName"),
    )


def _sentence(error: ClientError, name: str, client: Any) -> str:
    code = error.response["Error"]["Code"]
    region = client.meta.region_name
    if code == "ResourceNotFoundException":
        return f"there is no authorizer {name} in {region}: check --authorizer and --region"
    if code in {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "ExpiredToken"}:
        return f"AWS refuses the credentials ({code}): check them with `aws sts get-caller-identity`"
    return f"can't ask AWS for the authorizer {name} in {region}: {code}; iot:DescribeAuthorizer must be allowed"


def _unreachable(error: BotoCoreError, client: Any) -> str:
    kind = type(error).__name__
    if kind in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        return "there are no AWS credentials: set them up with `aws configure`, or name a profile with --profile"
    if kind in {"EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError"}:
        return f"can't reach {client.meta.endpoint_url}: check the network, --region and --endpoint-url"
    return f"can't ask {client.meta.endpoint_url}: {kind}"


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


def _refuse_remote_settings(settings: Settings) -> None:
    for key in ("endpoint_url", "profile", "function"):
        if getattr(settings.target, key) is not None:
            raise UsageError(
                f"target.{key} is set, but the target is {settings.target.kind}: fire at an endpoint with --target iot "
                "or lambda"
            )


def _check_region(settings: Settings) -> None:
    region = settings.target.region
    known = sorted(
        name
        for partition in boto3.Session().get_available_partitions()
        for name in boto3.Session().get_available_regions("iot", partition_name=partition)
    )
    if region is not None and region not in known and not is_on_this_machine(settings.target.endpoint_url):
        near = difflib.get_close_matches(region, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see the list with `aws ec2 describe-regions`"
        raise UsageError(f"--region {region}: AWS IoT has no such region; {hint}")


def _refuse_handler(settings: Settings) -> None:
    if settings.authorizer.handler is not None:
        raise UsageError(
            f"--handler names a handler on this machine, but --target {settings.target.kind} fires at a deployed "
            "authorizer"
        )


def _api_settings(settings: Settings) -> IotApiSettings:
    target = settings.target
    return IotApiSettings(settings.authorizer.name, target.region, target.profile, target.endpoint_url)


def _account(settings: Settings) -> str:
    try:
        session = boto3.Session(profile_name=settings.target.profile, region_name=settings.target.region)
        return str(session.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        return f"unknown ({type(error).__name__})"


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


def _cost(load: Load) -> str:
    each = _DOLLARS_PER_REQUEST + _DOLLARS_PER_DURATION
    if load.calls is None:
        return f"about {each * 1e6:.2f} US dollars a million calls"
    return f"about {load.calls * each:.4f} US dollars"


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("not fired: there is no terminal to ask at; --yes answers the question in a script")
    return click.confirm("Fire?", default=False)
