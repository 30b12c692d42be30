"""boto3 clients for AWS IoT: for AWS itself, and for endpoints on this machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from gatecrash.authorizers.contract import Answer, Fault, Outcome
from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.endpoints import is_on_this_machine

# Longer than Lambda's ten seconds for a cold start and AWS IoT's five for the answer together.
TIMEOUT_SECONDS: Final = 20.0
# What botocore's parser raises when the answer is JSON of another shape than the model's.
_MALFORMED: Final = (TypeError, AttributeError, RecursionError, OverflowError)
# All but ClientError, which holds an answer. RuntimeError is botocore's for temporary credentials that are expired as
# soon as they come.
CALL_ERRORS: Final = (BotoCoreError, OSError, ValueError, RuntimeError, *_MALFORMED)
# botocore writes a traceback, with what a credential process said, for each request that finds no credentials: the
# answers say it.
logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
_NAMES: Final = {"iot": "IoT", "lambda": "Lambda"}


@dataclass(frozen=True, kw_only=True)
class AwsSettings:
    """Where AWS is called, and as whom; None leaves a choice to boto3's own configuration.

    ``embedded`` says that the endpoint is gatecrash's own gateway, wherever it is: it gets made-up credentials.
    """

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    connections: int = 10
    embedded: bool = False

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is certainly not AWS, and must see no credentials of the person's."""
        return self.embedded or is_on_this_machine(self.endpoint_url)


@dataclass(frozen=True)
class IotApiSettings(AwsSettings):
    """Whose TestInvokeAuthorizer is called."""

    authorizer_name: str


def service_client(service: str, settings: AwsSettings) -> Any:
    """Return a boto3 client for ``iot`` or ``lambda`` that sends each request once.

    Retries are off, so that every throttle is seen and the load is the load that was planned; parameters are not
    validated, so that what is sent is what the case says. A local endpoint gets made-up credentials.
    Raises UsageError when the profile or the region is unknown.
    """
    local = settings.is_local
    try:
        session = boto3.Session(profile_name=None if local else settings.profile, region_name=settings.region)
        return session.client(
            service,
            region_name=session.region_name or ("us-east-1" if local else None),
            endpoint_url=settings.endpoint_url,
            aws_access_key_id="gatecrash" if local else None,
            aws_secret_access_key="gatecrash" if local else None,
            config=Config(
                retries={"total_max_attempts": 1},
                max_pool_connections=settings.connections,
                connect_timeout=TIMEOUT_SECONDS,
                read_timeout=TIMEOUT_SECONDS,
                parameter_validation=False,
                tcp_keepalive=True,
            ),
        )
    except (BotoCoreError, OSError, ValueError) as error:
        raise UsageError(f"can't make a client for AWS {_NAMES[service]}: {error}") from error


def answer_of_call_error(error: Exception) -> Answer:
    """Return the answer that one of CALL_ERRORS is: nothing that could be read came back.

    So is a ClientError of another service, which was asked for temporary credentials: nothing was sent then.
    """
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return Answer(Outcome.REJECTED, fault=Fault(type(error).__name__, str(error)))
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(type(error).__name__, "no answer in time"))
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code"))
        return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(code, f"there are no credentials: {error.operation_name}"))
    if isinstance(error, _MALFORMED):
        return Answer(Outcome.TRANSPORT_ERROR, fault=Fault("MalformedAnswer", type(error).__name__))
    # botocore's messages hold the URL and at most the parameter's value: the class says enough.
    return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(type(error).__name__, "the call failed"))
