"""TestInvokeAuthorizer through boto3: the reference client, for AWS and for the embedded gateway alike."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

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

from authorizers.answers import outcome_of
from authorizers.classify import classify, error_type_in
from authorizers.contract import Answer, AuthorizerRequest, Fault, Invocation, Outcome
from authorizers.errors import UsageError, WireError
from authorizers.wire import decision_from_wire

# Longer than Lambda's ten seconds for a cold start and AWS IoT's five for the answer together.
_TIMEOUT_SECONDS: Final = 20
_HEADER: Final = "x-gatecrash-"


@dataclass(frozen=True, slots=True)
class IotApiSettings:
    """Where TestInvokeAuthorizer is called; None leaves a choice to boto3's own configuration."""

    authorizer_name: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    connections: int = 10


def is_on_this_machine(endpoint_url: str | None) -> bool:
    """Say whether an endpoint is on the loopback interface."""
    host = urlsplit(endpoint_url or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def iot_client(settings: IotApiSettings) -> Any:
    """Return a boto3 client for AWS IoT that sends each request once.

    Retries are off, so that every throttle is seen and the load is the load that was planned; parameters are not
    validated, so that what is sent is what the case says. An endpoint on this machine gets made-up credentials.
    Raises UsageError when the profile or the region is unknown.
    """
    local = is_on_this_machine(settings.endpoint_url)
    try:
        session = boto3.Session(profile_name=None if local else settings.profile, region_name=settings.region)
        return session.client(
            "iot",
            region_name=session.region_name or ("us-east-1" if local else None),
            endpoint_url=settings.endpoint_url,
            aws_access_key_id="gatecrash" if local else None,
            aws_secret_access_key="gatecrash" if local else None,
            config=Config(
                retries={"total_max_attempts": 1},
                max_pool_connections=settings.connections,
                connect_timeout=_TIMEOUT_SECONDS,
                read_timeout=_TIMEOUT_SECONDS,
                parameter_validation=False,
                tcp_keepalive=True,
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"can't make a client for AWS IoT: {error}") from error


class IotApiTarget:
    """An authorizer behind TestInvokeAuthorizer."""

    def __init__(self, settings: IotApiSettings) -> None:
        self._settings = settings
        self._client = iot_client(settings)

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Call TestInvokeAuthorizer once."""
        parameters = request_to_parameters(request)
        try:
            response = self._client.test_invoke_authorizer(authorizerName=self._settings.authorizer_name, **parameters)
        except ClientError as error:
            return _from_error(error.response)
        except (NoCredentialsError, PartialCredentialsError) as error:
            return Answer(Outcome.REJECTED, fault=Fault(type(error).__name__, str(error)))
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(type(error).__name__, "no answer in time"))
        except (BotoCoreError, OSError, ValueError) as error:
            # botocore's messages hold the URL and at most the parameter's value: the class says enough.
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(type(error).__name__, "the call failed"))
        except (TypeError, AttributeError, RecursionError) as error:
            # What botocore's parser raises when the answer is JSON of another shape than the model's.
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault("MalformedAnswer", type(error).__name__))
        return _from_success(request, response)

    def description(self) -> dict[str, Any]:
        """Say what is called."""
        return {
            "kind": "iot_api",
            "client": "boto3",
            "authorizer": self._settings.authorizer_name,
            "region": self._client.meta.region_name,
            "endpoint": self._client.meta.endpoint_url,
        }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def request_to_parameters(request: AuthorizerRequest) -> dict[str, Any]:
    """Return boto3's parameters for a request; the password stays bytes, boto3 encodes it."""
    parameters: dict[str, Any] = {}
    _put(parameters, token=request.token, tokenSignature=request.token_signature)
    if (http := request.http_context) is not None:
        parameters["httpContext"] = _put({}, headers=http.headers, queryString=http.query_string)
    if (mqtt := request.mqtt_context) is not None:
        parameters["mqttContext"] = _put({}, username=mqtt.username, password=mqtt.password, clientId=mqtt.client_id)
    if (tls := request.tls_context) is not None:
        parameters["tlsContext"] = _put({}, serverName=tls.server_name)
    return parameters


def _put(into: dict[str, Any], **members: Any) -> dict[str, Any]:
    into.update({name: value for name, value in members.items() if value is not None})
    return into


def _from_success(request: AuthorizerRequest, response: Mapping[str, Any]) -> Answer:
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    try:
        decision = decision_from_wire(response)
    except WireError as error:
        return Answer(Outcome.TRANSPORT_ERROR, fault=Fault("MalformedAnswer", str(error)))
    notes = tuple(filter(None, headers.get(f"{_HEADER}notes", "").split(",")))
    return Answer(outcome_of(request, decision), decision, invocation=_invocation(headers), notes=notes)


def _from_error(response: Mapping[str, Any]) -> Answer:
    error = response.get("Error", {})
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    # An answer's JSON may hold anything in the place of a text.
    message = str(error.get("Message") or "")
    error_type = headers.get(f"{_HEADER}error-type") or error_type_in(message)
    fault = Fault(str(error.get("Code") or "Unknown"), message, error_type)
    return Answer(classify(fault), fault=fault, invocation=_invocation(headers))


def _invocation(headers: Mapping[str, str]) -> Invocation | None:
    """Read what the embedded gateway says of the invocation; AWS doesn't say."""
    environment = headers.get(f"{_HEADER}environment")
    if not environment:
        return None
    try:
        seconds = float(headers.get(f"{_HEADER}handler-seconds", "0"))
    except ValueError:
        seconds = 0.0
    return Invocation(environment, headers.get(f"{_HEADER}cold-start") == "1", seconds)
