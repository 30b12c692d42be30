"""Where in a context the service looks for the token and its signature.

The developer guide's page "Connecting to AWS IoT Core by using custom authentication": the authorizer's token
key name and ``x-amz-customauthorizer-signature`` are read from the query part of the MQTT user name, from the
URL's query string, and from HTTP headers. Values of the two query strings are URL-decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from gatecrash.authorizers.contract import AuthorizerRequest

SIGNATURE_KEY: Final = "x-amz-customauthorizer-signature"


def token_and_signature(request: AuthorizerRequest, token_key_name: str) -> tuple[str | None, str | None]:
    """Return the token and the signature of a request, None for what it doesn't carry.

    The first carrier that has a value wins, in the order user name, query string, header; which one the
    service itself prefers was never measured.
    """
    if request.token is not None or request.token_signature is not None:
        return request.token, request.token_signature
    token = signature = None
    for name, value in _parameters(request):
        key = name.lower()
        if key == token_key_name.lower() and token is None:
            token = value
        elif key == SIGNATURE_KEY and signature is None:
            signature = value
    return token, signature


def _parameters(request: AuthorizerRequest) -> Iterator[tuple[str, str]]:
    if request.mqtt_context is not None and request.mqtt_context.username is not None:
        yield from _query(request.mqtt_context.username.partition("?")[2])
    if request.http_context is not None:
        yield from _query((request.http_context.query_string or "").removeprefix("?"))
        yield from (request.http_context.headers or {}).items()


def _query(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split("&"):
        name, separator, value = part.partition("=")
        if separator:
            # Not unquote_plus: base64 signatures that clients forget to encode hold real plus signs.
            yield unquote(name), unquote(value)
