"""The authorizer's Lambda function called by Lambda's Invoke through boto3, with the event that AWS IoT would send it.

TestInvokeAuthorizer takes 10 calls a second of an account; this is how the capacity of the function itself is measured.
What AWS IoT does before and after the function is done here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Answer, AuthorizerRequest
from gatecrash.authorizers.errors import ApiError
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.targets.aws_clients import CALL_ERRORS, answer_of_call_error, service_client
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.authorizers.targets.front import Front, failed
from gatecrash.authorizers.targets.lambda_answers import answer_of_invoke, answer_of_invoke_error


@dataclass(frozen=True, slots=True)
class LambdaFunctionSettings:
    """Which function, by name or ARN, and what the authorizer in front of it is set to.

    None leaves a choice to boto3's own configuration. ``signing_keys`` are PEM public keys by name; with some, tokens
    must be rightly signed, else the request never reaches the function, as with AWS IoT. ``log_tail`` has Lambda tell
    how long the function took and whether its environment was just started, in 4 KB more of each answer.
    """

    function: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    connections: int = 10
    log_tail: bool = False
    authorizer_name: str = "gatecrash"
    dialect: str = Dialect.TEST_INVOKE.value
    token_key_name: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is certainly not AWS, and must see no credentials of the person's."""
        return is_on_this_machine(self.endpoint_url)


def lambda_client(settings: LambdaFunctionSettings) -> Any:
    """Return a boto3 client for Lambda that sends each request once; raises UsageError, as ``service_client`` does."""
    return service_client(
        "lambda",
        region=settings.region,
        profile=settings.profile,
        endpoint_url=settings.endpoint_url,
        connections=settings.connections,
    )


class LambdaFunctionTarget:
    """An authorizer's Lambda function behind Invoke."""

    def __init__(self, settings: LambdaFunctionSettings) -> None:
        self._settings = settings
        self._front = Front(settings, settings.authorizer_name)
        self._parameters: dict[str, Any] = {"FunctionName": settings.function}
        if settings.log_tail:
            self._parameters["LogType"] = "Tail"
        self._client = lambda_client(settings)

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Check the request, invoke the function once, and judge what it answers."""
        try:
            event = self._front.event(request)
        except ApiError as error:
            return failed(error, None)
        started = time.perf_counter()
        try:
            response = self._client.invoke(**self._parameters, Payload=wire.encode(event))
            payload = response["Payload"].read()
        except ClientError as error:
            if error.operation_name != "Invoke":
                return answer_of_call_error(error)
            return answer_of_invoke_error(error.response)
        except CALL_ERRORS as error:
            return answer_of_call_error(error)
        return answer_of_invoke(request, response, payload, time.perf_counter() - started)

    def description(self) -> dict[str, Any]:
        """Say what is called."""
        return {
            "kind": "lambda_function",
            "client": "boto3",
            "function": self._settings.function,
            "region": self._client.meta.region_name,
            "endpoint": self._client.meta.endpoint_url,
        }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
