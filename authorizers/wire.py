"""Requests and answers as JSON, for text that no well-meaning client would send.

orjson where it can, the standard library where it can't: lone surrogates, integers beyond 64 bits. Bytes and
NaN are refused rather than changed in silence.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from gatecrash.authorizers.contract import AuthorizerRequest, Decision, HttpContext, MqttContext, TlsContext
from gatecrash.authorizers.errors import WireError

# From 19 digits on an integer may be one that orjson reads as a float.
_LONG_NUMBER: Final = re.compile(rb"\d{19}")
_CONTEXTS: Final = ("httpContext", "mqttContext", "tlsContext")


def encode(value: Any) -> bytes:
    """Write JSON, compact, keeping the order of keys; raises WireError for what JSON has no form for."""
    return _encode(value, orjson.OPT_PASSTHROUGH_DATETIME, sort_keys=False)


def encode_texts(value: Any) -> bytes:
    """Write JSON as ``encode`` does, of a value that has no floating-point number in it."""
    try:
        return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except (TypeError, orjson.JSONEncodeError):
        return encode(value)


def encode_sorted(value: Any) -> bytes:
    """Write JSON with sorted keys, so that equal values give equal bytes."""
    return _encode(value, orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SORT_KEYS, sort_keys=True)


def _encode(value: Any, option: int, *, sort_keys: bool) -> bytes:
    try:
        encoded = orjson.dumps(value, option=option)
        # orjson writes NaN and Infinity as null without a word: where there is no null there was none.
        if b"null" not in encoded or not _has_nan(value):
            return encoded
    except (TypeError, orjson.JSONEncodeError):
        pass
    try:
        text = json.dumps(value, sort_keys=sort_keys, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError(f"not a JSON value: {error}") from error
    return text.encode("ascii")


def _has_nan(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return False
    # Most values are text or null: a call for each of them would take longer than encoding them.
    return any(_has_nan(item) for item in value if item is not None and type(item) is not str)


def decode(data: bytes) -> Any:
    """Read JSON; raises WireError for anything else, NaN, Infinity and numbers too large for a float included."""
    if not _LONG_NUMBER.search(data):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        text = data.decode("utf-8", "surrogatepass")
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large")
    return value


def request_to_wire(request: AuthorizerRequest) -> dict[str, Any]:
    """Return the body of TestInvokeAuthorizer; absent members are left out, the password is base64."""
    body: dict[str, Any] = {}
    if request.token is not None:
        body["token"] = request.token
    if request.token_signature is not None:
        body["tokenSignature"] = request.token_signature
    if (http := request.http_context) is not None:
        body["httpContext"] = _present(
            headers=dict(http.headers) if http.headers is not None else None, queryString=http.query_string
        )
    if (mqtt := request.mqtt_context) is not None:
        password = base64.b64encode(mqtt.password).decode("ascii") if mqtt.password is not None else None
        body["mqttContext"] = _present(username=mqtt.username, password=password, clientId=mqtt.client_id)
    if (tls := request.tls_context) is not None:
        body["tlsContext"] = _present(serverName=tls.server_name)
    return body


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def request_from_wire(body: Any) -> AuthorizerRequest:
    """Read the body of TestInvokeAuthorizer; unknown members count for nothing, null for an absent one.

    Raises WireError, naming the member, when a type is wrong or the password isn't base64.
    """
    members = _object(body, "the request")
    http, mqtt, tls = (None if members.get(name) is None else _object(members[name], name) for name in _CONTEXTS)
    return AuthorizerRequest(
        token=_text(members, "token"),
        token_signature=_text(members, "tokenSignature"),
        http_context=None
        if http is None
        else HttpContext(headers=_headers(http), query_string=_text(http, "queryString", "httpContext.")),
        mqtt_context=None
        if mqtt is None
        else MqttContext(
            username=_text(mqtt, "username", "mqttContext."),
            password=_blob(mqtt, "password", "mqttContext."),
            client_id=_text(mqtt, "clientId", "mqttContext."),
        ),
        tls_context=None if tls is None else TlsContext(server_name=_text(tls, "serverName", "tlsContext.")),
    )


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WireError(f"{name} must be a JSON object")
    return value


def _text(members: Mapping[str, Any], name: str, path: str = "") -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise WireError(f"{path}{name} must be a string")
    return value


def _blob(members: Mapping[str, Any], name: str, path: str) -> bytes | None:
    text = _text(members, name, path)
    if text is None:
        return None
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise WireError(f"{path}{name} must be base64") from error


def _headers(http: Mapping[str, Any]) -> dict[str, str] | None:
    if http.get("headers") is None:
        return None
    headers = _object(http["headers"], "httpContext.headers")
    for name, value in headers.items():
        if not isinstance(value, str):
            raise WireError("httpContext.headers must have strings as values")
        if not isinstance(name, str):
            raise WireError("httpContext.headers must have strings as names")
    return headers


def decision_to_wire(decision: Decision) -> dict[str, Any]:
    """Return the body of a successful answer, in the service's order of members."""
    return {
        "disconnectAfterInSeconds": decision.disconnect_after_in_seconds,
        "isAuthenticated": decision.is_authenticated,
        "policyDocuments": list(decision.policy_documents),
        "principalId": decision.principal_id,
        "refreshAfterInSeconds": decision.refresh_after_in_seconds,
    }


def decision_from_wire(body: Any) -> Decision:
    """Read a successful answer; raises WireError when a member is missing or of the wrong type."""
    members = _object(body, "the answer")
    authenticated = members.get("isAuthenticated")
    documents = members.get("policyDocuments")
    lifetimes = [members.get("refreshAfterInSeconds"), members.get("disconnectAfterInSeconds")]
    principal = members.get("principalId")
    if not isinstance(authenticated, bool):
        raise WireError("isAuthenticated must be a boolean")
    if not isinstance(principal, str):
        raise WireError("principalId must be a string")
    if not isinstance(documents, list) or not all(isinstance(document, str) for document in documents):
        raise WireError("policyDocuments must be a list of strings")
    refresh, disconnect = lifetimes
    if not _is_integer(refresh) or not _is_integer(disconnect):
        raise WireError("refreshAfterInSeconds and disconnectAfterInSeconds must be integers")
    return Decision(authenticated, principal, tuple(documents), refresh, disconnect)  # type: ignore[arg-type]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
