"""What AWS is asked before requests leave this machine, and the sentences for what it won't tell."""

from __future__ import annotations

import difflib
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.settings.settings import Settings

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
        one
        for partition in session.get_available_partitions()
        for one in session.get_available_regions(service, partition_name=partition)
    )
    if region not in known:
        near = difflib.get_close_matches(region, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see the list with `aws ec2 describe-regions`"
        raise UsageError(f"--region {region}: {name} has no such region; {hint}")


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
