"""Which profiles a family of attacks is for, and the changes that several families make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gatecrash.generators.attacks.base import Scene
from gatecrash.generators.credentials.api_key import ApiKeyProfile
from gatecrash.generators.credentials.base import Credential, CredentialProfile
from gatecrash.generators.credentials.jwt import JwtProfile
from gatecrash.generators.credentials.password import PasswordProfile
from gatecrash.generators.credentials.python_file import PythonFileProfile
from gatecrash.generators.credentials.signed import SignedProfile
from gatecrash.generators.tokens import JsonWebToken


def is_jwt(profile: CredentialProfile) -> bool:
    """Say whether devices present a JSON Web Token."""
    return isinstance(profile, JwtProfile)


def is_password(profile: CredentialProfile) -> bool:
    """Say whether devices present a user name and a password."""
    return isinstance(profile, PasswordProfile)


def is_signed(profile: CredentialProfile) -> bool:
    """Say whether devices present a token whose signature AWS IoT verifies."""
    return isinstance(profile, SignedProfile)


def is_api_key(profile: CredentialProfile) -> bool:
    """Say whether devices present an API key."""
    return isinstance(profile, ApiKeyProfile)


def is_known(profile: CredentialProfile) -> bool:
    """Say whether it is known how a request of the profile is built up."""
    return not isinstance(profile, PythonFileProfile)


def jwt_parts(scene: Scene) -> tuple[JwtProfile, JsonWebToken]:
    """Return profile and token of a scene in which devices present JSON Web Tokens."""
    profile, token = scene.profile, scene.credential.jwt
    assert isinstance(profile, JwtProfile)  # noqa: S101 - applies() has said so
    assert token is not None  # noqa: S101 - a JWT profile makes JWTs
    return profile, token


def signed_again(scene: Scene, token: JsonWebToken) -> Credential:
    """Return the credential with another token, rightly signed by the profile's key."""
    profile, _ = jwt_parts(scene)
    return replace(scene.credential, secret=profile.sign(token), jwt=token)


def with_claims(scene: Scene, **changes: Any) -> Credential | None:
    """Sign the token again, rightly, with other claims; None when they are no JSON any more."""
    _, token = jwt_parts(scene)
    if token.claims_text is not None:
        return None
    return signed_again(scene, replace(token, claims={**token.claims, **changes}))


def without_claim(scene: Scene, name: str) -> Credential | None:
    """Sign the token again, rightly, without a claim; None when it can't."""
    _, token = jwt_parts(scene)
    if name not in token.claims or token.claims_text is not None:
        return None
    claims = {key: value for key, value in token.claims.items() if key != name}
    return signed_again(scene, replace(token, claims=claims))


def with_header(scene: Scene, **changes: Any) -> Credential | None:
    """Sign the token again, rightly, with other header parameters; None when the header is no JSON any more."""
    _, token = jwt_parts(scene)
    if token.header_text is not None:
        return None
    return signed_again(scene, replace(token, header={**token.header, **changes}))


def with_text(scene: Scene, text: str) -> Credential | None:
    """Present another text in place of the credential's; None when it is the valid one, or another that is valid."""
    profile = scene.profile
    if text == scene.valid.secret:
        return None
    if isinstance(profile, ApiKeyProfile) and profile.is_right(text, scene.credential.parameters):
        return None
    return replace(scene.credential, secret=text)
