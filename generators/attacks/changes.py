"""Changes of a credential or a request that several families make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext
from gatecrash.generators.attacks.attack import Scene
from gatecrash.generators.credentials.api_key import ApiKeyProfile
from gatecrash.generators.credentials.credential import Credential
from gatecrash.generators.credentials.jwt import JwtProfile
from gatecrash.generators.credentials.signed import SignedProfile
from gatecrash.generators.credentials.signers import Signer
from gatecrash.generators.credentials.tokens import JsonWebToken


def jwt_parts(scene: Scene) -> tuple[JwtProfile, JsonWebToken]:
    """Return profile and token of a scene in which devices present JSON Web Tokens."""
    profile, token = scene.profile, scene.credential.jwt
    assert isinstance(profile, JwtProfile)  # noqa: S101 - applies() has said so
    assert token is not None  # noqa: S101 - a JWT profile makes JWTs
    return profile, token


def sign_again(scene: Scene, **changes: Any) -> Credential:
    """Return the credential with a changed token (members of JsonWebToken), rightly signed by the profile's key."""
    profile, token = jwt_parts(scene)
    changed = replace(token, **changes)
    return replace(scene.credential, secret=profile.sign(changed), jwt=changed)


def sign_otherwise(scene: Scene, header: Mapping[str, Any], sign: Signer) -> Credential:
    """Return the credential with another header, signed by a key that isn't the profile's."""
    _, token = jwt_parts(scene)
    changed = replace(token, header=header, header_text=None)
    return replace(scene.credential, secret=changed.compact(sign), jwt=changed)


def with_claims(scene: Scene, **changes: Any) -> Credential | None:
    """Sign the token again, rightly, with other claims; None when they are no JSON any more."""
    _, token = jwt_parts(scene)
    return None if token.claims_text is not None else sign_again(scene, claims={**token.claims, **changes})


def without_claim(scene: Scene, name: str) -> Credential | None:
    """Sign the token again, rightly, without a claim; None when it can't."""
    _, token = jwt_parts(scene)
    if name not in token.claims or token.claims_text is not None:
        return None
    return sign_again(scene, claims={key: value for key, value in token.claims.items() if key != name})


def with_header(scene: Scene, **changes: Any) -> Credential | None:
    """Sign the token again, rightly, with other header parameters; None when the header is no JSON any more."""
    _, token = jwt_parts(scene)
    return None if token.header_text is not None else sign_again(scene, header={**token.header, **changes})


def without_header(scene: Scene, name: str) -> Credential | None:
    """Sign the token again, rightly, without a header parameter; None when it can't."""
    _, token = jwt_parts(scene)
    if name not in token.header or token.header_text is not None:
        return None
    return sign_again(scene, header={key: value for key, value in token.header.items() if key != name})


def with_opaque_token(scene: Scene, token: str) -> Credential:
    """Return the credential with another token, signed as AWS IoT verifies it where it does so."""
    profile = scene.profile
    signature = profile.sign(token) if isinstance(profile, SignedProfile) else scene.credential.signature
    return replace(scene.credential, secret=token, signature=signature)


def with_http(request: AuthorizerRequest, **changes: Any) -> AuthorizerRequest:
    """Return a request with members of its HTTP context changed."""
    return replace(request, http_context=replace(request.http_context or HttpContext(), **changes))


def with_mqtt(request: AuthorizerRequest, **changes: Any) -> AuthorizerRequest:
    """Return a request with members of its MQTT context changed."""
    return replace(request, mqtt_context=replace(request.mqtt_context or MqttContext(), **changes))


def with_text(scene: Scene, text: str) -> Credential | None:
    """Present another text in place of the credential's; None when it is the valid one, or another that is valid."""
    profile = scene.profile
    if text == scene.valid.secret:
        return None
    if isinstance(profile, ApiKeyProfile) and profile.is_right(text, scene.credential.parameters):
        return None
    return replace(scene.credential, secret=text)
