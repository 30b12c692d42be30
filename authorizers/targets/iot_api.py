"""TestInvokeAuthorizer through boto3: the reference client, for AWS and for the embedded gateway alike."""

from __future__ import annotations

from botocore.exceptions import ClientError

from gatecrash.authorizers.contract import Answer, AuthorizerRequest
from gatecrash.authorizers.targets.aws_clients import CALL_ERRORS, IotApiSettings, answer_of_call_error, service_client
from gatecrash.authorizers.targets.boto3_parameters import request_to_parameters
from gatecrash.authorizers.targets.service_answers import answer_of_error, answer_of_success


class IotApiTarget:
    """An authorizer behind TestInvokeAuthorizer."""

    def __init__(self, settings: IotApiSettings) -> None:
        self._name = settings.authorizer_name
        self._client = service_client("iot", settings)

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Call TestInvokeAuthorizer once."""
        parameters = request_to_parameters(request)
        try:
            response = self._client.test_invoke_authorizer(authorizerName=self._name, **parameters)
        except ClientError as error:
            if error.operation_name != "TestInvokeAuthorizer":
                return answer_of_call_error(error)
            return answer_of_error(error.response)
        except CALL_ERRORS as error:
            return answer_of_call_error(error)
        return answer_of_success(request, response)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
