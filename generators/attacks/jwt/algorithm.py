"""JSON Web Tokens: the algorithm that a token claims for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks.attack import Family, Layer, Scene
from gatecrash.generators.attacks.changes import jwt_parts, sign_otherwise, with_header, without_header
from gatecrash.generators.attacks.kinds import is_jwt
from gatecrash.generators.credentials.credential import Credential, CredentialProfile
from gatecrash.generators.credentials.jwt import JwtProfile
from gatecrash.generators.credentials.signers import jws_signer
from gatecrash.generators.credentials.tokens import base64url

FAMILY: Final = Family("jwt_algorithm", is_jwt, layer=Layer.SIGNATURE, touches="signature")
_WEAK_SECRETS: Final = (b"", b"secret", b"password", b"changeme", b"your-256-bit-secret", b"null", b"\x00")


def _has_public_key(profile: CredentialProfile) -> bool:
    return isinstance(profile, JwtProfile) and bool(profile.public_spellings())


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 2.1; CVE-2015-2951",
    "none",
    "None",
    "NONE",
    "nOnE",
    "none ",
    weakness="unsigned tokens are believed",
    everyday=True,
)
def algorithm_none(scene: Scene, spelling: str) -> Credential:
    """Say in the header that the token isn't signed, and don't sign it."""
    _, token = jwt_parts(scene)
    unsigned = replace(token, header={**token.header, "alg": spelling}, header_text=None)
    return replace(scene.credential, secret=f"{unsigned.signing_input.decode('ascii')}.", jwt=unsigned)


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 2.1; CVE-2015-2951",
    "none",
    "None",
    "",
    None,
    weakness="unsigned tokens are believed",
)
def algorithm_none_with_signature(scene: Scene, spelling: str | None) -> Credential:
    """Say that the token isn't signed, and leave random bytes in the signature's place."""
    _, token = jwt_parts(scene)
    unsigned = replace(token, header={**token.header, "alg": spelling}, header_text=None)
    message = unsigned.signing_input.decode("ascii")
    return replace(scene.credential, secret=f"{message}.{base64url(scene.rng.randbytes(32))}", jwt=unsigned)


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 2.1; CVE-2016-10555; CVE-2022-29217; CVE-2024-33663",
    *range(6),
    applies=_has_public_key,
    weakness="the public key is taken for an HMAC secret",
)
def hmac_with_public_key(scene: Scene, spelling: int) -> Credential | None:
    """Sign by HS256, keyed with the public key as PEM, stripped PEM, DER, SSH, bare modulus, PKCS 1."""
    profile, _ = jwt_parts(scene)
    keys = profile.public_spellings()
    return _sign_by_hmac(scene, "HS256", keys[spelling]) if spelling < len(keys) else None


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 2.1",
    "HS384",
    "HS512",
    applies=_has_public_key,
    weakness="the public key is taken for an HMAC secret",
)
def longer_hmac_with_public_key(scene: Scene, algorithm: str) -> Credential:
    """Sign by a longer HMAC, keyed with the public key."""
    profile, _ = jwt_parts(scene)
    return _sign_by_hmac(scene, algorithm, profile.public_spellings()[0])


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 3.5; CWE-521",
    *range(len(_WEAK_SECRETS)),
    weakness="a guessable HMAC secret is accepted",
)
def hmac_with_weak_secret(scene: Scene, number: int) -> Credential:
    """Sign by HS256 with an empty secret, or one of those in every tutorial."""
    return _sign_by_hmac(scene, "HS256", _WEAK_SECRETS[number])


def _sign_by_hmac(scene: Scene, algorithm: str, key: bytes) -> Credential:
    _, token = jwt_parts(scene)
    return sign_otherwise(scene, {**token.header, "alg": algorithm}, jws_signer(algorithm, key))


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 3.1; RFC 7515 section 4.1.1",
    layer=Layer.TOKEN,
    weakness="a token without an algorithm is believed",
    touches="alg",
)
def algorithm_missing(scene: Scene, _: Any) -> Credential | None:
    """Sign rightly a header that names no algorithm."""
    return without_header(scene, "alg")


@FAMILY.credential(
    Demand.DENY,
    "RFC 7515 section 4.1.1: alg is a string",
    0,
    256,
    True,
    None,
    {},
    "list",
    layer=Layer.TOKEN,
    weakness="an algorithm that is no text is believed",
    touches="alg",
)
def algorithm_no_text(scene: Scene, value: Any) -> Credential | None:
    """Sign rightly a header whose algorithm is a number, a list or nothing."""
    profile, _ = jwt_parts(scene)
    return with_header(scene, alg=[profile.algorithm] if value == "list" else value)


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 3.1; RFC 7515 section 4.1.1: case-sensitive",
    "lower",
    "title",
    "space",
    "unknown",
    "empty",
    layer=Layer.TOKEN,
    weakness="an algorithm that isn't listed is believed",
    touches="alg",
)
def algorithm_misspelt(scene: Scene, how: str) -> Credential | None:
    """Sign rightly a header whose algorithm is spelt wrongly."""
    profile, _ = jwt_parts(scene)
    name = profile.algorithm
    spellings = {"lower": name.lower(), "title": name.title(), "space": f" {name}", "unknown": "XX256", "empty": ""}
    return with_header(scene, alg=spellings[how])
