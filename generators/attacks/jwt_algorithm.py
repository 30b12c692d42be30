"""JSON Web Tokens: the algorithm that a token claims for itself."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks.base import Family, Scene, Stage
from gatecrash.generators.attacks.kinds import is_jwt, jwt_parts, with_header
from gatecrash.generators.credentials.base import Credential, CredentialProfile
from gatecrash.generators.credentials.jwt import JwtProfile
from gatecrash.generators.tokens import base64url

FAMILY: Final = Family("jwt_algorithm", is_jwt)
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
    stage=Stage.SIGNATURE,
    weakness="unsigned tokens are believed",
    touches="signature",
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
    stage=Stage.SIGNATURE,
    weakness="unsigned tokens are believed",
    touches="signature",
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
    stage=Stage.SIGNATURE,
    applies=_has_public_key,
    weakness="the public key is taken for an HMAC secret",
    touches="signature",
)
def hmac_with_public_key(scene: Scene, spelling: int) -> Credential | None:
    """Sign by HS256, keyed with the public key as PEM, stripped PEM, DER, SSH, bare modulus, PKCS 1."""
    profile, _ = jwt_parts(scene)
    keys = profile.public_spellings()
    return _hmac(scene, "HS256", keys[spelling]) if spelling < len(keys) else None


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 2.1",
    "HS384",
    "HS512",
    stage=Stage.SIGNATURE,
    applies=_has_public_key,
    weakness="the public key is taken for an HMAC secret",
    touches="signature",
)
def longer_hmac_with_public_key(scene: Scene, algorithm: str) -> Credential:
    """Sign by a longer HMAC, keyed with the public key."""
    profile, _ = jwt_parts(scene)
    return _hmac(scene, algorithm, profile.public_spellings()[0])


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 3.5; CWE-521",
    *range(len(_WEAK_SECRETS)),
    stage=Stage.SIGNATURE,
    weakness="a guessable HMAC secret is accepted",
    touches="signature",
)
def hmac_with_weak_secret(scene: Scene, number: int) -> Credential:
    """Sign by HS256 with an empty secret, or one of those in every tutorial."""
    return _hmac(scene, "HS256", _WEAK_SECRETS[number])


def _hmac(scene: Scene, algorithm: str, key: bytes) -> Credential:
    _, token = jwt_parts(scene)
    changed = replace(token, header={**token.header, "alg": algorithm}, header_text=None)
    return replace(
        scene.credential,
        secret=changed.signed(lambda message: hmac.digest(key, message, f"sha{algorithm[2:]}")),
        jwt=changed,
    )


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 3.1; RFC 7515 section 4.1.1",
    stage=Stage.TOKEN,
    weakness="a token without an algorithm is believed",
    touches="alg",
)
def algorithm_missing(scene: Scene, _: Any) -> Credential | None:
    """Sign rightly a header that names no algorithm."""
    profile, token = jwt_parts(scene)
    if token.header_text is not None:
        return None
    header = {name: value for name, value in token.header.items() if name != "alg"}
    changed = replace(token, header=header)
    return replace(scene.credential, secret=profile.sign(changed), jwt=changed)


@FAMILY.credential(
    Demand.DENY,
    "RFC 7515 section 4.1.1: alg is a string",
    0,
    256,
    True,
    None,
    {},
    "list",
    stage=Stage.TOKEN,
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
    stage=Stage.TOKEN,
    weakness="an algorithm that isn't listed is believed",
    touches="alg",
)
def algorithm_misspelt(scene: Scene, how: str) -> Credential | None:
    """Sign rightly a header whose algorithm is spelt wrongly."""
    profile, _ = jwt_parts(scene)
    name = profile.algorithm
    spellings = {
        "lower": name.lower(),
        "title": name.title(),
        "space": f" {name}",
        "unknown": "XX256",
        "empty": "",
    }
    return with_header(scene, alg=spellings[how])
