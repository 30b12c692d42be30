"""A request as the parameters that boto3's TestInvokeAuthorizer takes."""

from __future__ import annotations

from typing import Any

from gatecrash.authorizers.contract import AuthorizerRequest


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
