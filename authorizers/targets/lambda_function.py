"""The authorizer's Lambda function called by Lambda's Invoke through boto3, with the event that AWS IoT would send it.

TestInvokeAuthorizer takes 10 calls a second of an account; this is how the capacity of the function itself is measured.
What AWS IoT does before and after the function is done here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Answer, AuthorizerRequest
from gatecrash.authorizers.errors import ApiError
from gatecrash.authorizers.service.front import Front, FrontSettings, answer_of_failure
from gatecrash.authorizers.targets.aws_clients import CALL_ERRORS, AwsSettings, answer_of_call_error, service_client
from gatecrash.authorizers.targets.lambda_answers import answer_of_invoke, answer_of_invoke_error


@dataclass(frozen=True)
class LambdaFunctionSettings(FrontSettings, AwsSettings):
    """Which function, by name or ARN, and what the authorizer in front of it is set to.

    A token that isn't rightly signed never reaches the function, as with AWS IoT. ``log_tail`` has Lambda tell how long
    the function took and whether its environment was just started, in 4 KB more of each answer.
    """

    function: str
    log_tail: bool = False
    authorizer_name: str = "gatecrash"


class LambdaFunctionTarget:
    """An authorizer's Lambda function behind Invoke."""

    def __init__(self, settings: LambdaFunctionSettings) -> None:
        self._front = Front(settings, settings.authorizer_name)
        self._parameters: dict[str, Any] = {"FunctionName": settings.function}
        if settings.log_tail:
            self._parameters["LogType"] = "Tail"
        self._client = service_client("lambda", settings)

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Check the request, invoke the function once, and judge what it answers."""
        try:
            event = self._front.event(request)
        except ApiError as error:
            return answer_of_failure(error, None)
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

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
