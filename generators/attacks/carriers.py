"""What carries a credential: parts that are missing, several carriers at once, the server name, other dialects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers.contract import AuthorizerRequest, Demand, HttpContext, MqttContext, TlsContext
from gatecrash.generators.attacks.attack import DEVICE_VIEW, UNSIGNED_VIEW, Family, Scene
from gatecrash.generators.attacks.changes import with_http
from gatecrash.generators.attacks.kinds import is_jwt, is_known, is_signed
from gatecrash.generators.credentials.credential import Credential, CredentialProfile
from gatecrash.generators.credentials.jwt import BEARER_HEADER, MQTT_PASSWORD
from gatecrash.generators.credentials.token_carriers import TOKEN, TOKEN_IN_HEADER, TOKEN_IN_USERNAME


def _has_two_carriers(profile: CredentialProfile) -> bool:
    return is_jwt(profile) and {BEARER_HEADER, MQTT_PASSWORD} <= set(profile.carriers)


PARTS: Final = Family("missing_part", lambda _: True)
PRECEDENCE: Final = Family("precedence", _has_two_carriers, touches="credential", alone=True)
TLS: Final = Family("tls", is_known)
VIEWS: Final = Family("view", is_known, alone=True)
_OPTIONAL: Final = "AWS IoT API: every member of TestInvokeAuthorizer is optional"

_EMPTY: Final[dict[str, AuthorizerRequest]] = {
    "http": AuthorizerRequest(http_context=HttpContext()),
    "headers": AuthorizerRequest(http_context=HttpContext(headers={"Host": "example.com"})),
    "query": AuthorizerRequest(http_context=HttpContext(query_string="?")),
    "parameters": AuthorizerRequest(http_context=HttpContext(query_string="?x=1&token=x")),
    "mqtt": AuthorizerRequest(mqtt_context=MqttContext()),
    "username": AuthorizerRequest(mqtt_context=MqttContext(username="x")),
    "password": AuthorizerRequest(mqtt_context=MqttContext(password=b"x")),
    "credentials": AuthorizerRequest(mqtt_context=MqttContext("x", b"x", "x")),
    "client_id": AuthorizerRequest(mqtt_context=MqttContext(client_id="x")),
    "tls": AuthorizerRequest(tls_context=TlsContext("example.com")),
    "empty_tls": AuthorizerRequest(tls_context=TlsContext()),
    "all": AuthorizerRequest(http_context=HttpContext(), mqtt_context=MqttContext(), tls_context=TlsContext()),
    "nothing": AuthorizerRequest(),
}


@PARTS.request(
    Demand.DENY,
    _OPTIONAL,
    *_EMPTY,
    weakness="requests without a credential are accepted",
    touches="credential",
    alone=True,
)
def context_empty(_: Scene, __: AuthorizerRequest, which: str) -> AuthorizerRequest:
    """Send contexts that are empty, or that hold everything but a credential."""
    return _EMPTY[which]


@PARTS.request(
    Demand.DENY,
    _OPTIONAL,
    "headers",
    "http",
    "mqtt",
    weakness="requests without a credential are accepted",
    touches="credential",
    alone=True,
)
def context_removed(_: Scene, request: AuthorizerRequest, which: str) -> AuthorizerRequest | None:
    """Take one part of the request away; where it held the credential, nothing is left to believe."""
    http, mqtt = request.http_context, request.mqtt_context
    if which == "headers":
        if http is None or not http.headers or http.query_string is None:
            return None
        return with_http(request, headers=None)
    if which == "http":
        return replace(request, http_context=None, tls_context=TlsContext("example.com")) if http else None
    return replace(request, mqtt_context=None, tls_context=TlsContext("example.com")) if mqtt else None


@PARTS.request(
    Demand.ANY, _OPTIONAL, "http", "mqtt", "tls", "all", weakness="contexts beside the credential's", touches="tls"
)
def context_added(_: Scene, request: AuthorizerRequest, which: str) -> AuthorizerRequest | None:
    """Put an empty context beside the one that carries the credential."""
    if request.token is not None:
        return None
    changed = request
    if which in {"http", "all"} and changed.http_context is None:
        changed = with_http(changed, headers={"Host": "example.com"}, query_string="?")
    if which in {"mqtt", "all"} and changed.mqtt_context is None:
        changed = replace(changed, mqtt_context=MqttContext())
    if which in {"tls", "all"} and changed.tls_context is None:
        changed = replace(changed, tls_context=TlsContext())
    return changed if changed != request else None


def _forge(scene: Scene) -> Credential:
    """Return another device's token with a wrong signature: whatever it asks for must not be granted."""
    return replace(scene.other, secret=f"{scene.other.secret[:-12]}AAAAAAAAAAAA")


def _present_both(scene: Scene, request: AuthorizerRequest, second: Credential) -> AuthorizerRequest | None:
    """Put a second credential into the carrier that the first doesn't use."""
    if scene.carrier == BEARER_HEADER:
        # Without a client id: whose it ought to be depends on which credential counts.
        beside = replace(scene.profile.request(second, MQTT_PASSWORD).mqtt_context or MqttContext(), client_id=None)
        return replace(request, mqtt_context=beside)
    if scene.carrier == MQTT_PASSWORD:
        return replace(request, http_context=scene.profile.request(second, BEARER_HEADER).http_context)
    return None


@PRECEDENCE.request(
    Demand.ANY,
    "AWS IoT developer guide, custom-auth: credentials may come by any of the carriers; CWE-436",
    weakness="a bad credential beside a good one widens access",
)
def bad_beside_good(scene: Scene, request: AuthorizerRequest, _: Any) -> AuthorizerRequest | None:
    """Present a right credential, and by another carrier a forged one of another device."""
    return _present_both(scene, request, _forge(scene))


@PRECEDENCE.request(Demand.DENY, "AWS IoT developer guide, custom-auth", weakness="the signature is not verified")
def bad_beside_bad(scene: Scene, _: AuthorizerRequest, __: Any) -> AuthorizerRequest | None:
    """Present two forged credentials by two carriers."""
    forged = _forge(scene)
    return _present_both(scene, scene.profile.request(forged, scene.carrier), forged)


@TLS.request(
    Demand.SAME,
    "RFC 6066 section 3; AWS IoT API: serverName",
    *(
        "example.com",
        "EXAMPLE.COM",
        "xn--bcher-kva.example",
        "a" * 63 + ".example.com",
        "other.iot.eu-west-1.amazonaws.com",
    ),
    weakness="the server name changes the decision",
    touches="tls",
)
def server_name(_: Scene, request: AuthorizerRequest, name: str) -> AuthorizerRequest | None:
    """Connect to another server name."""
    return replace(request, tls_context=TlsContext(name)) if request.token is None else None


@TLS.request(
    Demand.ANY,
    "RFC 6066 section 3: neither addresses nor a trailing dot; RFC 5890",
    *("127.0.0.1", "::1", "example.com.", "*", "bücher.example", ".", "x" * 253, "\x00", "a..b", "\ud800"),
    weakness="odd server names",
    touches="tls",
)
def server_name_odd(_: Scene, request: AuthorizerRequest, name: str) -> AuthorizerRequest | None:
    """Connect to a server name that is none."""
    return replace(request, tls_context=TlsContext(name)) if request.token is None else None


@VIEWS.request(
    Demand.SAME,
    "measured of AWS IoT: a device's own connection lower-cases header names and leaves the question mark out",
    weakness="a device's own connection is decided otherwise",
    view=DEVICE_VIEW,
)
def device_event(_: Scene, request: AuthorizerRequest, __: Any) -> AuthorizerRequest | None:
    """Hand the handler the event of a device's own connection in place of TestInvokeAuthorizer's."""
    return request if request.http_context is not None else None


@VIEWS.request(
    Demand.DENY,
    "AWS IoT developer guide, custom-auth-lambda: signatureVerified; config-custom-auth: signing disabled",
    applies=is_signed,
    weakness="signatureVerified is not checked",
    view=UNSIGNED_VIEW,
)
def signature_not_verified(scene: Scene, _: AuthorizerRequest, __: Any) -> AuthorizerRequest | None:
    """Present a token without a signature to an authorizer whose signing is switched off."""
    carrier = scene.carrier
    if carrier == TOKEN:
        carrier = TOKEN_IN_HEADER if TOKEN_IN_HEADER in scene.profile.carriers else TOKEN_IN_USERNAME
    return scene.profile.request(replace(scene.credential, signature=None), carrier)
