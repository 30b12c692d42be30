"""Texts that make a careless pattern, parser or loop take for ever (CWE-1333, CWE-407)."""

from __future__ import annotations

from typing import Any, Final

from gatecrash.authorizers.contract import AuthorizerRequest, Demand
from gatecrash.generators.attacks.attack import Family, Layer, Scene
from gatecrash.generators.attacks.changes import jwt_parts, with_claims, with_http, with_mqtt, with_opaque_token
from gatecrash.generators.attacks.http_headers import with_value
from gatecrash.generators.attacks.kinds import has_identity_claim, is_jwt, is_known, is_signed
from gatecrash.generators.credentials.credential import Credential
from gatecrash.generators.credentials.signed import SignedProfile

FAMILY: Final = Family("pattern", is_known, weakness="long texts take disproportionately long", alone=True)
_SOURCE: Final = "CWE-1333; OWASP, Regular expression Denial of Service"

# What is repeated, and what makes the match fail at the end. Short ones show exponential patterns, long ones others.
_REPEATED: Final = ("a", "1", "a1", "a.", "1.", "a-", "A", "0f", " ", "=", "_", "/", "a@", "a,", ".", "%20", "a b")
_ENDS: Final = {40: ("!", "\n", "\x00"), 5500: ("!",)}
_TEXTS: Final = tuple((piece, end, size) for size, ends in _ENDS.items() for piece in _REPEATED for end in ends)


def text_of(variant: tuple[str, str, int]) -> str:
    """Return the text of a variant: a piece repeated up to a size, and an end that fits nothing."""
    piece, end, size = variant
    return (piece * size)[:size] + end


@FAMILY.credential(Demand.ANY, _SOURCE, *_TEXTS, touches="secret")
def secret_repeated(scene: Scene, variant: Any) -> Credential | None:
    """Present a long text in place of the secret; where IoT verifies signatures, rightly signed."""
    text = text_of(variant)
    if is_jwt(scene.profile):
        size = max(1, len(text) // 3)
        text = ".".join((text[:size], text[size : 2 * size], text[2 * size :]))
    return with_opaque_token(scene, text)


@FAMILY.credential(Demand.ANY, _SOURCE, *_TEXTS, touches="secret")
def secret_extended(scene: Scene, variant: Any) -> Credential | None:
    """Present the right secret with a long text behind it."""
    return None if is_jwt(scene.profile) else with_opaque_token(scene, scene.valid.secret + text_of(variant))


@FAMILY.credential(
    Demand.ANY,
    _SOURCE,
    *_TEXTS,
    touches="identity",
    applies=lambda profile: has_identity_claim(profile) or is_signed(profile),
    layer=Layer.TOKEN,
)
def identity_repeated(scene: Scene, variant: Any) -> Credential | None:
    """Present a rightly signed token of a device with a long name."""
    profile, text = scene.profile, text_of(variant)
    if isinstance(profile, SignedProfile):
        return with_opaque_token(scene, profile.credential_with(text, 0, None, minted_at=scene.minted_at).secret)
    return with_claims(scene, **{jwt_parts(scene)[0].identity_claim or "": text[:4000]})


@FAMILY.request(Demand.ANY, _SOURCE, *_TEXTS, touches="username")
def username_repeated(_: Scene, request: AuthorizerRequest, variant: Any) -> AuthorizerRequest | None:
    """Present a long user name."""
    mqtt = request.mqtt_context
    if mqtt is None or mqtt.username is None or "=" in mqtt.username:
        return None
    return with_mqtt(request, username=text_of(variant))


@FAMILY.request(Demand.ANY, _SOURCE, *_TEXTS, touches="client_id")
def client_id_repeated(_: Scene, request: AuthorizerRequest, variant: Any) -> AuthorizerRequest | None:
    """Present a long client id."""
    return None if request.client_id is None else with_mqtt(request, client_id=text_of(variant))


@FAMILY.request(Demand.ANY, _SOURCE, *_TEXTS, touches="credential")
def header_repeated(scene: Scene, request: AuthorizerRequest, variant: Any) -> AuthorizerRequest | None:
    """Present a long text in place of the credential's header."""
    return with_value(scene, request, text_of(variant))


@FAMILY.request(Demand.ANY, _SOURCE, *_TEXTS, touches="query")
def query_repeated(_: Scene, request: AuthorizerRequest, variant: Any) -> AuthorizerRequest | None:
    """Put a long text into the query string."""
    http = request.http_context
    if http is None or http.query_string is None or "token" in http.query_string.lower():
        return None
    name = http.query_string.removeprefix("?").partition("=")[0]
    text = text_of((variant[0], variant[1], min(variant[2], 3900)))
    return with_http(request, query_string=f"?{name}={text}")
