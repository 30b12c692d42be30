"""Attacks on JSON Web Tokens that every verifier must refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from authorizers.contract import Expectation
from generators.attacks.base import Attack, Scene
from generators.credentials.base import Credential, CredentialProfile
from generators.credentials.jwt import JwtProfile
from generators.tokens import JsonWebToken, base64url

_HOUR: Final = 3600


def _is_jwt(profile: CredentialProfile) -> bool:
    return isinstance(profile, JwtProfile)


def _with_claims(scene: Scene, **changes: Any) -> Credential:
    """Sign the token again, rightly, with other claims."""
    profile, token = scene.profile, scene.credential.jwt
    assert isinstance(profile, JwtProfile)  # noqa: S101 - applies() has said so
    assert token is not None  # noqa: S101 - a JWT profile makes JWTs
    changed = JsonWebToken(token.header, {**token.claims, **changes})
    return replace(scene.credential, secret=profile.sign(changed), jwt=changed)


def expired(scene: Scene) -> Credential:
    """Present a token whose ``exp`` was between a minute and a day ago."""
    ended = scene.minted_at - scene.rng.randint(60, 24 * _HOUR)
    return _with_claims(scene, iat=ended - _HOUR, nbf=ended - _HOUR, exp=ended)


def signature_of_another_token(scene: Scene) -> Credential:
    """Present the signature that another device's token has."""
    message = scene.credential.secret.rpartition(".")[0]
    signature = scene.other.secret.rpartition(".")[2]
    if f"{message}.{signature}" == scene.credential.secret:
        # There is only one device, and its tokens are all alike.
        return signature_bit_flipped(scene)
    return replace(scene.credential, secret=f"{message}.{signature}")


def signature_bit_flipped(scene: Scene) -> Credential:
    """Change one character of the signature, not the last one, whose low bits carry nothing."""
    message, _, signature = scene.credential.secret.rpartition(".")
    place = scene.rng.randrange(len(signature) - 1)
    letter = "A" if signature[place] != "A" else "B"
    return replace(scene.credential, secret=f"{message}.{signature[:place]}{letter}{signature[place + 1 :]}")


def signature_empty(scene: Scene) -> Credential:
    """Leave the signature out."""
    return replace(scene.credential, secret=f"{scene.credential.secret.rpartition('.')[0]}.")


def algorithm_none(scene: Scene) -> Credential:
    """Say in the header that the token isn't signed, and don't sign it."""
    token = scene.credential.jwt
    assert token is not None  # noqa: S101 - a JWT profile makes JWTs
    unsigned = JsonWebToken({**token.header, "alg": "none"}, token.claims)
    return replace(scene.credential, secret=f"{unsigned.signing_input.decode('ascii')}.", jwt=unsigned)


def random_signature(scene: Scene) -> Credential:
    """Sign with bytes that come from no key."""
    message, _, signature = scene.credential.secret.rpartition(".")
    return replace(
        scene.credential, secret=f"{message}.{base64url(scene.rng.randbytes(max(1, len(signature) * 3 // 4)))}"
    )


def _attack(make: Any, source: str) -> Attack:
    return Attack("json_web_token", make.__name__, Expectation.DENY, source, _is_jwt, make)


ATTACKS: Final = (
    _attack(expired, "RFC 7519 section 4.1.4"),
    _attack(signature_of_another_token, "RFC 7515 section 5.2"),
    _attack(signature_bit_flipped, "RFC 7515 section 5.2"),
    _attack(signature_empty, "RFC 8725 section 2.1; CVE-2020-28042"),
    _attack(algorithm_none, "RFC 8725 section 2.1; CVE-2015-2951"),
    _attack(random_signature, "RFC 7515 section 5.2"),
)
