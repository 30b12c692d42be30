"""What AWS is asked before requests leave this machine, the sentences for what it won't tell, and the last question."""

from __future__ import annotations

import difflib
import sys
from typing import Any, Final

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.settings.settings import Settings
from gatecrash.terminal import say

_BAD_CREDENTIALS: Final = frozenset(
    {
        *("UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException"),
        *("ExpiredToken", "ExpiredTokenException"),
    }
)


def check_region(settings: Settings, service: str, name: str) -> None:
    """Raise UsageError for a region that a service (its id, and its name for the sentence) isn't known to have."""
    region = settings.target.region
    if region is None or is_on_this_machine(settings.target.endpoint_url):
        return
    session = boto3.Session()
    known = sorted(
        known_region
        for partition in session.get_available_partitions()
        for known_region in session.get_available_regions(service, partition_name=partition)
    )
    if region not in known:
        near = difflib.get_close_matches(region, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see the list with `aws ec2 describe-regions`"
        raise UsageError(f"--region {region}: {name} has no such region; {hint}")


def refusal_sentence(error: ClientError, client: Any, what: str, permission: str) -> str:
    """Return the sentence for a service that won't tell of ``what``; ``permission`` is the one that it takes."""
    code = error.response["Error"]["Code"]
    if code in _BAD_CREDENTIALS:
        return f"AWS refuses the credentials ({code}): check them with `aws sts get-caller-identity`"
    return f"can't ask AWS for {what} in {client.meta.region_name}: {code}; {permission} must be allowed"


def unreachable_sentence(error: BotoCoreError, client: Any, what: str) -> str:
    """Return the sentence for a service that could not be asked for ``what``."""
    kind = type(error).__name__
    if kind in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        return "there are no AWS credentials: set them up with `aws configure`, or name a profile with --profile"
    if kind in {"EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError"}:
        return f"can't reach {client.meta.endpoint_url}: check the network, --region and --endpoint-url"
    return f"can't ask {client.meta.endpoint_url} for {what}: {kind}"


def account_of(settings: Settings) -> str:
    """Return the account's number, or why it isn't known."""
    try:
        session = boto3.Session(profile_name=settings.target.profile, region_name=settings.target.region)
        return str(session.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        return f"unknown ({type(error).__name__})"


def refuse_handler(settings: Settings) -> None:
    """Raise UsageError for a handler of this machine, which a deployed authorizer doesn't run."""
    if settings.authorizer.handler is not None:
        what = "authorizer" if settings.target.kind == "iot" else "function"
        raise UsageError(
            "--handler (authorizer.handler) names a handler on this machine, but --target (target.kind) is "
            f"{settings.target.kind}, which fires at a deployed {what}: leave one of the two out"
        )


def show_facts(console: Console, *facts: tuple[str, Any]) -> None:
    """Show what will happen, a fact a line."""
    for name, value in facts:
        say(console, f"{name:<11} {value}")


def beware(console: Console, sentence: str) -> None:
    """Point something out."""
    say(console, f"Beware: {sentence}", style="yellow")


def confirm(*, yes: bool) -> None:
    """Ask whether to fire, unless ``yes`` answers it; raises UsageError for a no, and when nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("not fired: there is no terminal to ask at; --yes answers the question in a script")
    if not click.confirm("Fire?", default=False):
        raise UsageError("not fired: the question was answered with no; --yes answers it in a script")
