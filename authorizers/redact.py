"""Keeping secrets out of everything that is kept or shown.

Secret are: the token and its signature, the MQTT password, every header value, every value in a query string
and in the query part of the MQTT user name. Names of headers and parameters, user names and client ids are not.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from authorizers.contract import AuthorizerRequest
from authorizers.wire import request_to_wire

MASK: Final = "***"
_SHORTEST_SECRET: Final = 4
_BEARER: Final = re.compile(r"^(?:bearer|basic|token)\s+", re.IGNORECASE)
_TOKEN_LIKE: Final = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")


def secrets_of(request: AuthorizerRequest) -> tuple[str, ...]:
    """Return the secret texts that a request holds, longest first, each in every spelling it is sent in."""
    found = {spelling for secret in _secrets(request) for spelling in _spellings(secret)}
    return tuple(sorted((text for text in found if len(text) >= _SHORTEST_SECRET), key=len, reverse=True))


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


def redact_request(request: AuthorizerRequest) -> dict[str, Any]:
    """Return the wire form of a request with its secrets masked; their lengths stay visible."""
    body = request_to_wire(request)
    for member in ("token", "tokenSignature"):
        if member in body:
            body[member] = _masked(body[member])
    http = body.get("httpContext", {})
    if "headers" in http:
        http["headers"] = {name: _masked(value) for name, value in http["headers"].items()}
    if "queryString" in http:
        mark = "?" if http["queryString"].startswith("?") else ""
        http["queryString"] = mark + _masked_query(http["queryString"].removeprefix("?"))
    mqtt = body.get("mqttContext", {})
    if "username" in mqtt:
        name, mark, query = mqtt["username"].partition("?")
        mqtt["username"] = name + mark + (_masked_query(query) if mark else "")
    if "password" in mqtt:
        mqtt["password"] = _masked(mqtt["password"])
    return body


def _masked(text: str) -> str:
    return f"{MASK} ({len(text)} characters)"


def _masked_query(query: str) -> str:
    parts = (part.partition("=") for part in query.split("&"))
    return "&".join(f"{name}={MASK}" if mark else (MASK if name else "") for name, mark, _ in parts)
