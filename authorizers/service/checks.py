"""The service's checks of a TestInvokeAuthorizer request, in its order, with its messages. Pure.

Measured of the service, except where ``docs/gateway.md`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatecrash.authorizers import limits, wire
from gatecrash.authorizers.carriers import token_and_signature
from gatecrash.authorizers.contract import AuthorizerRequest
from gatecrash.authorizers.errors import InvalidRequestError, WireError
from gatecrash.authorizers.service.constraints import Violations
from gatecrash.authorizers.service.registry import Authorizer
from gatecrash.authorizers.service.signatures import any_key_verifies


@dataclass(frozen=True, slots=True)
class TakenToken:
    """What the service hands on of the token: the token itself, and whether its signature was verified."""

    token: str | None
    signature_verified: bool


def check_members(body: Mapping[str, Any], authorizer_name: str) -> AuthorizerRequest:
    """Check types and member constraints of a request's body; returns the request.

    Raises InvalidRequestError: with AWS's message for a constraint; with words of its own for a wrong type or a
    body that is no JSON object, of which AWS's message was never measured.
    """
    try:
        request = wire.request_from_wire(body)
    except WireError as error:
        raise InvalidRequestError(str(error)) from error
    violations = Violations()
    violations.text("authorizerName", authorizer_name, limits.AUTHORIZER_NAME)
    violations.text("token", request.token, limits.TOKEN)
    violations.text("tokenSignature", request.token_signature, limits.TOKEN_SIGNATURE)
    if (http := request.http_context) is not None:
        headers = (http.headers or {}).items()
        violations.map("httpContext.headers", headers, limits.HEADER_NAME, limits.HEADER_VALUE)
        violations.text("httpContext.queryString", http.query_string, limits.QUERY_STRING)
    if (mqtt := request.mqtt_context) is not None:
        violations.text("mqttContext.username", mqtt.username, limits.MQTT_USERNAME)
        violations.blob("mqttContext.password", mqtt.password, limits.MQTT_PASSWORD)
        violations.text("mqttContext.clientId", mqtt.client_id, limits.MQTT_CLIENT_ID)
    if (tls := request.tls_context) is not None:
        violations.text("tlsContext.serverName", tls.server_name, limits.TLS_SERVER_NAME)
    violations.raise_if_any()
    return request


def check_request(authorizer: Authorizer, request: AuthorizerRequest) -> TakenToken:
    """Check what a request may hold together, and the token's signature.

    Raises InvalidRequestError with AWS's message, which is None for a signed authorizer's context without a token.
    """
    _check_token_mode(authorizer, request)
    token, signature = _token_and_signature_in(authorizer, request)
    verified = False
    if not authorizer.signing_disabled and token is not None and signature is not None:
        if not any_key_verifies(authorizer.signing_keys.values(), token, signature):
            raise InvalidRequestError(f"Token signature mismatch for authorizer {authorizer.name}")
        verified = True
    _check_context(request)
    if not authorizer.signing_disabled and not verified:
        raise InvalidRequestError(None)
    return TakenToken(token, verified)


def _check_token_mode(authorizer: Authorizer, request: AuthorizerRequest) -> None:
    if (request.token is None) != (request.token_signature is None):
        raise InvalidRequestError("Request must provide both token and tokenSignature together.")
    if request.token is None:
        return
    if _has_context(request):
        raise InvalidRequestError("Request cannot have token and Http/Mqtt/Tls context.")
    if authorizer.signing_disabled:
        raise InvalidRequestError("Token and token signature provided but signing is disabled for the authorizer.")


def _check_context(request: AuthorizerRequest) -> None:
    if request.token is None and not _has_context(request):
        raise InvalidRequestError("Request must have Http/Mqtt/Tls context.")
    query = request.http_context.query_string if request.http_context is not None else None
    if query is not None and not query.startswith("?"):
        raise InvalidRequestError("Invalid arguments in the call")


def _has_context(request: AuthorizerRequest) -> bool:
    return not (request.http_context is None and request.mqtt_context is None and request.tls_context is None)


def _token_and_signature_in(authorizer: Authorizer, request: AuthorizerRequest) -> tuple[str | None, str | None]:
    if request.token is None and authorizer.token_key_name is None:
        return None, None
    return token_and_signature(request, authorizer.token_key_name or "")
