"""TestInvokeAuthorizer through boto3: the reference client, for AWS and for the embedded gateway alike."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from gatecrash.authorizers.contract import Answer, AuthorizerRequest
from gatecrash.authorizers.targets.aws_clients import CALL_ERRORS, IotApiSettings, answer_of_call_error, iot_client
from gatecrash.authorizers.targets.parameters import request_to_parameters
from gatecrash.authorizers.targets.service_answers import answer_of_error, answer_of_success


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
            if error.operation_name != "TestInvokeAuthorizer":
                return answer_of_call_error(error)
            return answer_of_error(error.response)
        except CALL_ERRORS as error:
            return answer_of_call_error(error)
        return answer_of_success(request, response)

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
