"""Keeping secrets out of everything that is kept or shown.

Secret are: the token and its signature, the MQTT password, every header value, every value in a query string
and in the query part of the MQTT user name. Names of headers and parameters, user names and client ids are not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from gatecrash.authorizers.contract import AuthorizerRequest
from gatecrash.authorizers.wire import request_to_wire

MASK: Final = "***"
_SHORTEST_SECRET: Final = 4
_BEARER: Final = re.compile(r"^(?:bearer|basic|token)\s+", re.IGNORECASE)
_POLICY_WORDS: Final = (
    '"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Effect": "Deny", "NotAction": [], '
    '"Action": ["iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive", "iot:RetainPublish", "iot:*"], '
    '"NotResource": "*", "Resource": ["arn:aws:iot:client/topic/topicfilter/thing/${iot:ClientId}"], "Condition": {}}]'
)
_TOKEN_LIKE: Final = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")


def secrets_of(request: AuthorizerRequest) -> tuple[str, ...]:
    """Return the secret texts that a request holds, longest first, each in every spelling it is sent in."""
    spellings = {spelling for secret in _secrets(request) for spelling in _spellings(secret)}
    return tuple(sorted((text for text in spellings if len(text) >= _SHORTEST_SECRET), key=len, reverse=True))


def _secrets(request: AuthorizerRequest) -> Iterator[str]:
    if request.token is not None:
        yield request.token
    if request.token_signature is not None:
        yield request.token_signature
    if (http := request.http_context) is not None:
        yield from (http.headers or {}).values()
        yield from _query_values(http.query_string or "")
    if (mqtt := request.mqtt_context) is not None:
        yield from _query_values((mqtt.username or "").partition("?")[2])
        if mqtt.password is not None:
            yield base64.b64encode(mqtt.password).decode("ascii")
            yield mqtt.password.decode("utf-8", "replace")
            yield repr(mqtt.password)[2:-1]


def _query_values(query: str) -> Iterator[str]:
    for part in query.removeprefix("?").split("&"):
        yield part.partition("=")[2] or part


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield unquote(secret)
    yield _BEARER.sub("", secret)
    # What a repr or JSON in an error message shows of it.
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]


def redact_text(text: str, secrets: tuple[str, ...] = (), *, limit: int = 300) -> str:
    """Mask secrets, and whatever looks like a JWT, in a text; cut it to ``limit`` characters."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    text = _TOKEN_LIKE.sub(MASK, text)
    return text if len(text) <= limit else f"{text[:limit]}…"


def pseudonymise(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Put a stand-in for each secret, and for whatever looks like a JWT, into a text.

    Equal secrets have equal stand-ins, which hold no character that means anything in JSON or a policy, and tell 16
    bits of the secret. What every policy says, such as ``Allow``, is no secret, whoever sent it.
    """
    for secret in secrets:
        if secret in text and secret not in _POLICY_WORDS:
            text = text.replace(secret, _stand_in(secret))
    return _TOKEN_LIKE.sub(lambda match: _stand_in(match[0]), text)


def _stand_in(secret: str) -> str:
    return f"(hidden {hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()[:4]})"


def redact_request(request: AuthorizerRequest) -> dict[str, Any]:
    """Return the wire form of a request with its secrets masked; their lengths stay visible."""
    body = request_to_wire(request)
    for member in ("token", "tokenSignature"):
        if member in body:
            body[member] = _mask(body[member])
    http = body.get("httpContext", {})
    if "headers" in http:
        http["headers"] = {name: _mask(value) for name, value in http["headers"].items()}
    if "queryString" in http:
        mark = "?" if http["queryString"].startswith("?") else ""
        http["queryString"] = mark + _mask_query(http["queryString"].removeprefix("?"))
    mqtt = body.get("mqttContext", {})
    if "username" in mqtt:
        name, mark, query = mqtt["username"].partition("?")
        mqtt["username"] = name + mark + (_mask_query(query) if mark else "")
    if "password" in mqtt:
        mqtt["password"] = _mask(mqtt["password"])
    return body


def _mask(text: str) -> str:
    return f"{MASK} ({len(text)} characters)"


def _mask_query(query: str) -> str:
    parts = (part.partition("=") for part in query.split("&"))
    return "&".join(f"{name}={MASK}" if mark else (MASK if name else "") for name, mark, _ in parts)
