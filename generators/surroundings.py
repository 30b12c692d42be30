"""Surroundings of a credential that a correct authorizer ignores: other headers, a server name, SDK parameters.

A strategy says what is possible; all of it keeps the limits of TestInvokeAuthorizer. Names of headers and
parameters are chosen so that they collide with no credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from hypothesis import strategies as st

from gatecrash.authorizers import limits
from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, TlsContext

_HEADERS_MAXIMUM: Final = 4
_VALUE_LENGTH_MAXIMUM: Final = 200
_QUERIES_KEPT: Final = 4096
_HEADER_NAMES: Final = ("User-Agent", "Accept", "Accept-Language", "X-Forwarded-For", "X-Request-Id", "Via", "DNT")
_LABEL: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_MARKED_HEADER: Final = "X-Request-Id"
_MARKED_DOMAIN: Final = "iot.example"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a credential. ``sdk`` is the parameter that AWS's device SDKs add to the user name."""

    headers: tuple[tuple[str, str], ...] = ()
    server_name: str | None = None
    sdk: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        headers, parameters = dict(self.headers), dict(self.parameters)
        return {"headers": headers, "server_name": self.server_name, "sdk": self.sdk, "parameters": parameters}


def server_names() -> st.SearchStrategy[str]:
    """Host names of up to four labels, within the limit of the server name."""
    labels = st.lists(st.text(_LABEL, min_size=1, max_size=20), min_size=2, max_size=4)
    return labels.map(".".join).filter(lambda name: len(name) <= limits.TLS_SERVER_NAME.maximum)


def header_values() -> st.SearchStrategy[str]:
    """Header values: visible text, mostly ASCII, at least one character."""
    visible = st.characters(min_codepoint=0x21, max_codepoint=0x2FFF, exclude_categories=("C", "Z"))
    return st.text(visible, min_size=1, max_size=_VALUE_LENGTH_MAXIMUM)


def surroundings(*, http: bool, mqtt: bool) -> st.SearchStrategy[Surroundings]:
    """What may stand around a credential that travels by HTTP or MQTT, or by neither (token mode: nothing)."""
    if not http and not mqtt:
        return st.just(Surroundings())
    headers = st.dictionaries(st.sampled_from(_HEADER_NAMES), header_values(), max_size=_HEADERS_MAXIMUM)
    parameters = st.dictionaries(st.sampled_from(("v", "trace", "lang")), header_values(), max_size=2)
    return st.builds(
        Surroundings,
        headers=headers.map(_pairs) if http else st.just(()),
        server_name=st.none() | server_names(),
        sdk=st.none() | st.sampled_from(("SDK=PythonV2&Version=1.31.0", "SDK=NodeJSv2&Version=1.22.0")),
        parameters=parameters.map(_pairs) if http else st.just(()),
    )


def _pairs(texts: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(texts.items())


def mark_surroundings(around: Surroundings, mark: str, *, http: bool, mqtt: bool) -> Surroundings:
    """Return surroundings that a mark, a DNS label, tells from others; where nothing carries it they stay as they are.

    By HTTP it is the id that each request has of its own, by MQTT a label of the server name.
    """
    if http:
        headers = {**dict(around.headers), _MARKED_HEADER: mark}
        return Surroundings(tuple(headers.items()), around.server_name, around.sdk, around.parameters)
    if mqtt:
        _, _, domain = (around.server_name or "").partition(".")
        return Surroundings(around.headers, f"{mark}.{domain or _MARKED_DOMAIN}", around.sdk, around.parameters)
    return around


def surround(request: AuthorizerRequest, around: Surroundings) -> AuthorizerRequest:
    """Put a request into its surroundings, which leave alone what it has; token mode has none."""
    if request.http_context is None and request.mqtt_context is None:
        return request
    tls = request.tls_context
    return AuthorizerRequest(
        request.token,
        request.token_signature,
        _http(request.http_context, around) if request.http_context else None,
        _mqtt(request.mqtt_context, around) if request.mqtt_context else None,
        TlsContext(around.server_name) if around.server_name and not tls else tls,
    )


def _http(context: HttpContext, around: Surroundings) -> HttpContext:
    present = context.headers or {}
    headers = {name: value for name, value in around.headers if name not in present} | dict(present)
    extra = _query(around.parameters)
    query = context.query_string
    if extra:
        query = f"{query}&{extra}" if query else f"?{extra}"
    if query is not None and len(query) > limits.QUERY_STRING.maximum:
        query = context.query_string
    return HttpContext(headers or None, query)


@lru_cache(maxsize=_QUERIES_KEPT)
def _query(parameters: tuple[tuple[str, str], ...]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters)


def _mqtt(context: MqttContext, around: Surroundings) -> MqttContext:
    if around.sdk is None or context.username is None:
        return context
    joint = "&" if "?" in context.username else "?"
    return MqttContext(f"{context.username}{joint}{around.sdk}", context.password, context.client_id)
