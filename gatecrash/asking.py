"""What is told and asked before requests leave this machine, whichever service they go to."""

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
from authorizers.targets.endpoints import is_on_this_machine
from gatecrash.settings import Settings
from reports.plan import CLOSED

# Lambda's request price and the price of 128 MB for 100 ms in most regions, in dollars; see docs/aws.md.
_DOLLARS_PER_REQUEST: Final = 0.20 / 1_000_000
_DOLLARS_PER_DURATION: Final = 0.0000166667 * 0.125 * 0.1

_BAD_CREDENTIALS: Final = frozenset(
    {
        *("UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException"),
        *("ExpiredToken", "ExpiredTokenException"),
    }
)


@dataclass(frozen=True, slots=True)
class Load:
    """What will be fired: how many calls (None: as many as users make), how many a second (None: no bound).

    ``at_once`` is how many calls there may be at the same time.
    """

    calls: int | None
    rate: float | None
    in_words: str
    at_once: int


def planned_load(settings: Settings, seconds: float | None = None) -> Load:
    """Return the load that a run's settings plan, for so many seconds; the closed model plans users, not calls."""
    load = settings.load
    seconds = load.warm_up + load.duration if seconds is None else seconds
    if load.model == CLOSED:
        return Load(None, None, f"as many as {load.users} users make in {seconds:g} s", load.users)
    calls = round(load.rate * seconds)
    return Load(calls, load.rate, str(calls), load.users)


def check_region(settings: Settings, service: str, name: str) -> None:
    """Raise UsageError for a region that a service (its id, and its name for the sentence) isn't known to have."""
    region = settings.target.region
    if region is None or is_on_this_machine(settings.target.endpoint_url):
        return
    session = boto3.Session()
    known = sorted(
        one
        for partition in session.get_available_partitions()
        for one in session.get_available_regions(service, partition_name=partition)
    )
    if region not in known:
        near = difflib.get_close_matches(region, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see the list with `aws ec2 describe-regions`"
        raise UsageError(f"--region {region}: {name} has no such region; {hint}")


def refuse_handler(settings: Settings) -> None:
    """Raise UsageError for a handler of this machine, which a deployed authorizer doesn't run."""
    if settings.authorizer.handler is not None:
        what = "authorizer" if settings.target.kind == "iot" else "function"
        raise UsageError(
            f"--handler names a handler on this machine, but --target {settings.target.kind} fires at a deployed {what}"
        )


def refused(error: ClientError, client: Any, what: str, permission: str) -> str:
    """Return the sentence for a service that won't tell of ``what``; ``permission`` is the one that it takes."""
    code = error.response["Error"]["Code"]
    if code in _BAD_CREDENTIALS:
        return f"AWS refuses the credentials ({code}): check them with `aws sts get-caller-identity`"
    return f"can't ask AWS for {what} in {client.meta.region_name}: {code}; {permission} must be allowed"


def unreachable(error: BotoCoreError, client: Any, what: str) -> str:
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


def cost_in_words(load: Load) -> str:
    """Estimate what a load costs, for a function of 128 MB that takes 100 ms."""
    each = _DOLLARS_PER_REQUEST + _DOLLARS_PER_DURATION
    if load.calls is None:
        return f"about {each * 1e6:.2f} US dollars a million calls"
    return f"about {load.calls * each:.4f} US dollars"


def calls_for(dollars: float) -> int:
    """Return how many calls a sum pays for, of a function of 128 MB that takes 100 ms."""
    return int(dollars / (_DOLLARS_PER_REQUEST + _DOLLARS_PER_DURATION))


def show_facts(console: Console, *facts: tuple[str, Any]) -> None:
    """Show what will happen, a fact a line."""
    for name, value in facts:
        console.print(f"{name:<11} {value}", highlight=False, markup=False, soft_wrap=True)


def beware(console: Console, sentence: str) -> None:
    """Point something out."""
    console.print(f"Beware: {sentence}", highlight=False, markup=False, style="yellow", soft_wrap=True)


def confirm(*, yes: bool) -> None:
    """Ask whether to fire, unless ``yes`` answers it; raises UsageError for a no, and when nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("not fired: there is no terminal to ask at; --yes answers the question in a script")
    if not click.confirm("Fire?", default=False):
        raise UsageError("not fired: the question was answered with no; --yes answers it in a script")
