"""Surroundings of a credential that a correct authorizer ignores: other headers, a server name, SDK parameters.

A strategy says what is possible; all of it keeps the limits of TestInvokeAuthorizer. Names of headers and
parameters are chosen so that they collide with no credential.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

from hypothesis import strategies as st

from authorizers import limits
from authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, TlsContext

_HEADERS_MAXIMUM: Final = 4
_VALUE_LENGTH_MAXIMUM: Final = 200
_HEADER_NAMES: Final = ("User-Agent", "Accept", "Accept-Language", "X-Forwarded-For", "X-Request-Id", "Via", "DNT")
_LABEL: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a credential. ``sdk`` is the parameter that AWS's device SDKs add to the user name."""

    headers: tuple[tuple[str, str], ...] = ()
    server_name: str | None = None
    sdk: str | None = None
    parameters: tuple[tuple[str, str], ...] = field(default=())


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
        headers=headers.map(lambda found: tuple(found.items())) if http else st.just(()),
        server_name=st.none() | server_names(),
        sdk=st.none() | st.sampled_from(("SDK=PythonV2&Version=1.31.0", "SDK=NodeJSv2&Version=1.22.0")),
        parameters=parameters.map(lambda found: tuple(found.items())) if http else st.just(()),
    )


def surround(request: AuthorizerRequest, around: Surroundings) -> AuthorizerRequest:
    """Put a request into its surroundings, which leave alone what it has; token mode has none."""
    if request.http_context is None and request.mqtt_context is None:
        return request
    tls = request.tls_context
    return replace(
        request,
        http_context=_http(request.http_context, around) if request.http_context else None,
        mqtt_context=_mqtt(request.mqtt_context, around) if request.mqtt_context else None,
        tls_context=TlsContext(around.server_name) if around.server_name and not tls else tls,
    )


def _http(context: HttpContext, around: Surroundings) -> HttpContext:
    present = context.headers or {}
    headers = {name: value for name, value in around.headers if name not in present} | dict(present)
    extra = "&".join(f"{name}={quote(value, safe='')}" for name, value in around.parameters)
    query = context.query_string
    if extra:
        query = f"{query}&{extra}" if query else f"?{extra}"
    if query is not None and len(query) > limits.QUERY_STRING.maximum:
        query = context.query_string
    return HttpContext(headers or None, query)


def _mqtt(context: MqttContext, around: Surroundings) -> MqttContext:
    if around.sdk is None or context.username is None:
        return context
    joint = "&" if "?" in context.username else "?"
    return replace(context, username=f"{context.username}{joint}{around.sdk}")


def to_json(around: Surroundings) -> dict[str, Any]:
    """Return a JSON value."""
    return {
        "headers": dict(around.headers),
        "server_name": around.server_name,
        "sdk": around.sdk,
        "parameters": dict(around.parameters),
    }
