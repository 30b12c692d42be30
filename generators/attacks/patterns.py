"""Texts that make a careless pattern, parser or loop take for ever (CWE-1333, CWE-407)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers.contract import AuthorizerRequest, Demand
from gatecrash.generators.attacks.base import Family, Scene, Stage
from gatecrash.generators.attacks.http_headers import credential_header
from gatecrash.generators.attacks.kinds import is_jwt, is_known, is_signed
from gatecrash.generators.credentials.base import Credential, CredentialProfile
from gatecrash.generators.credentials.jwt import JwtProfile
from gatecrash.generators.credentials.signed import SignedProfile

FAMILY: Final = Family("pattern", is_known)
_SOURCE: Final = "CWE-1333; OWASP, Regular expression Denial of Service"
_WEAKNESS: Final = "long texts take disproportionately long"

# What is repeated, and what makes the match fail at the end. Short ones show exponential patterns, long ones others.
_REPEATED: Final = ("a", "1", "a1", "a.", "1.", "a-", "A", "0f", " ", "=", "_", "/", "a@", "a,", ".", "%20", "a b")
_ENDS: Final = {40: ("!", "\n", "\x00"), 5500: ("!",)}
_TEXTS: Final = tuple((piece, end, size) for size, ends in _ENDS.items() for piece in _REPEATED for end in ends)


def text_of(variant: tuple[str, str, int]) -> str:
    """Return the text of a variant: a piece repeated up to a size, and an end that fits nothing."""
    piece, end, size = variant
    return (piece * size)[:size] + end


@FAMILY.credential(Demand.ANY, _SOURCE, *_TEXTS, weakness=_WEAKNESS, alone=True, touches="secret")
def secret_repeated(scene: Scene, variant: Any) -> Credential | None:
    """Present a long text in place of the secret; where IoT verifies signatures, rightly signed."""
    text = text_of(variant)
    if isinstance(scene.profile, SignedProfile):
        return replace(scene.credential, secret=text, signature=scene.profile.sign(text))
    if isinstance(scene.profile, JwtProfile):
        size = max(1, len(text) // 3)
        text = ".".join((text[:size], text[size : 2 * size], text[2 * size :]))
    return replace(scene.credential, secret=text)


@FAMILY.credential(Demand.ANY, _SOURCE, *_TEXTS, weakness=_WEAKNESS, alone=True, touches="secret")
def secret_extended(scene: Scene, variant: Any) -> Credential | None:
    """Present the right secret with a long text behind it."""
    if is_jwt(scene.profile):
        return None
    text = scene.valid.secret + text_of(variant)
    if isinstance(scene.profile, SignedProfile):
        return replace(scene.credential, secret=text, signature=scene.profile.sign(text))
    return replace(scene.credential, secret=text)


def _has_identity(profile: CredentialProfile) -> bool:
    return (isinstance(profile, JwtProfile) and profile.identity_claim is not None) or is_signed(profile)


@FAMILY.credential(
    Demand.ANY,
    _SOURCE,
    *_TEXTS,
    weakness=_WEAKNESS,
    alone=True,
    touches="identity",
    applies=_has_identity,
    stage=Stage.TOKEN,
)
def identity_repeated(scene: Scene, variant: Any) -> Credential | None:
    """Present a rightly signed token of a device with a long name."""
    profile, text = scene.profile, text_of(variant)
    if isinstance(profile, SignedProfile):
        made = profile.credential_with(text, 0, None, minted_at=scene.minted_at)
        return replace(scene.credential, secret=made.secret, signature=made.signature)
    token = scene.credential.jwt
    if not isinstance(profile, JwtProfile) or token is None or profile.identity_claim is None:
        return None
    changed = replace(token, claims={**token.claims, profile.identity_claim: text[:4000]})
    return replace(scene.credential, secret=profile.sign(changed), jwt=changed)


@FAMILY.request(Demand.ANY, _SOURCE, *_TEXTS, weakness=_WEAKNESS, alone=True, touches="username")
def username_repeated(_: Scene, request: AuthorizerRequest, variant: Any) -> AuthorizerRequest | None:
    """Present a long user name."""
    mqtt = request.mqtt_context
    if mqtt is None or mqtt.username is None or "=" in mqtt.username:
        return None
    return replace(request, mqtt_context=replace(mqtt, username=text_of(variant)))


@FAMILY.request(Demand.ANY, _SOURCE, *_TEXTS, weakness=_WEAKNESS, alone=True, touches="client_id")
def client_id_repeated(_: Scene, request: AuthorizerRequest, variant: Any) -> AuthorizerRequest | None:
    """Present a long client id."""
    mqtt = request.mqtt_context
    if mqtt is None or mqtt.client_id is None:
        return None
    return replace(request, mqtt_context=replace(mqtt, client_id=text_of(variant)))


@FAMILY.request(Demand.ANY, _SOURCE, *_TEXTS, weakness=_WEAKNESS, alone=True, touches="credential")
def header_repeated(scene: Scene, request: AuthorizerRequest, variant: Any) -> AuthorizerRequest | None:
    """Present a long text in place of the credential's header."""
    name, http = credential_header(scene, request), request.http_context
    if name is None or http is None:
        return None
    return replace(request, http_context=replace(http, headers={**(http.headers or {}), name: text_of(variant)}))


@FAMILY.request(Demand.ANY, _SOURCE, *_TEXTS, weakness=_WEAKNESS, alone=True, touches="query")
def query_repeated(_: Scene, request: AuthorizerRequest, variant: Any) -> AuthorizerRequest | None:
    """Put a long text into the query string."""
    http = request.http_context
    if http is None or http.query_string is None or "token" in http.query_string.lower():
        return None
    name = http.query_string.removeprefix("?").partition("=")[0]
    text = text_of((variant[0], variant[1], min(variant[2], 3900)))
    return replace(request, http_context=replace(http, query_string=f"?{name}={text}"))
