"""From an authorizer request to the event that a Lambda function gets.

Two dialects: ``test_invoke`` is what TestInvokeAuthorizer sends (header names as given, query string with its
``?``); ``device`` is what a device's own connection sends (header names lower-cased, query string without it).
Keys that were not sent are absent; the order of keys is the service's.
"""

from __future__ import annotations

import base64
from enum import StrEnum
from typing import Any

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext


class Dialect(StrEnum):
    """Whose spelling of headers and query string the event has."""

    TEST_INVOKE = "test_invoke"
    DEVICE = "device"


def event_for(
    request: AuthorizerRequest,
    *,
    connection_id: str,
    dialect: Dialect = Dialect.TEST_INVOKE,
    token: str | None = None,
    signature_verified: bool = False,
) -> dict[str, Any]:
    """Return the Lambda event for a request.

    ``token`` is the token that the service took from the request, in token mode or out of a context;
    ``connection_id`` is a lower-case UUID, new for each event.
    """
    protocol_data: dict[str, Any] = {}
    if request.tls_context is not None:
        name = request.tls_context.server_name
        protocol_data["tls"] = {} if name is None else {"serverName": name}
    if request.mqtt_context is not None:
        protocol_data["mqtt"] = _mqtt(request.mqtt_context)
    if request.http_context is not None:
        protocol_data["http"] = _http(request.http_context, dialect)
    event: dict[str, Any] = {}
    if protocol_data:
        event["protocolData"] = protocol_data
        event["protocols"] = [name for name in ("tls", "http", "mqtt") if name in protocol_data]
    if token is not None:
        event["token"] = token
    event["signatureVerified"] = signature_verified
    event["connectionMetadata"] = {"id": connection_id}
    return event


def _mqtt(context: MqttContext) -> dict[str, str]:
    part: dict[str, str] = {}
    if context.username is not None:
        part["username"] = context.username
    if context.password is not None:
        part["password"] = base64.b64encode(context.password).decode("ascii")
    if context.client_id is not None:
        part["clientId"] = context.client_id
    return part


def _http(context: HttpContext, dialect: Dialect) -> dict[str, Any]:
    part: dict[str, Any] = {}
    device = dialect is Dialect.DEVICE
    if context.headers is not None:
        part["headers"] = {name.lower() if device else name: value for name, value in context.headers.items()}
    if device:
        part["queryString"] = (context.query_string or "").removeprefix("?")
    elif context.query_string is not None:
        part["queryString"] = context.query_string
    return part
