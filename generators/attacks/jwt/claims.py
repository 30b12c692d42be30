"""JSON Web Tokens: claims that are wrong, missing or of a wrong type. All of it rightly signed."""

from __future__ import annotations

from typing import Any, Final

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks.attack import Family, Layer, Scene
from gatecrash.generators.attacks.changes import jwt_parts, sign_again, with_claims, without_claim
from gatecrash.generators.attacks.kinds import has_identity_claim, is_jwt
from gatecrash.generators.attacks.spellings import fullwidth, spell
from gatecrash.generators.credentials.credential import Credential, CredentialProfile
from gatecrash.generators.credentials.jwt import JwtProfile

FAMILY: Final = Family("jwt_claims", is_jwt, layer=Layer.TOKEN)
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_EXPIRED: Final = "expired tokens are accepted"
# The client id has to fit the identity: who changes both changes who is asked for.
_IDENTITY: Final = "client_id"
_FAR: Final = 4_102_444_800


def _claim(name: str, weakness: str, **members: Any) -> dict[str, Any]:
    return {"touches": name, "weakness": weakness, **members}


def _has_claim(name: str) -> Any:
    def applies(profile: CredentialProfile) -> bool:
        return isinstance(profile, JwtProfile) and name in profile.claims

    return applies


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 4.1.4",
    *(_HOUR, 301, 10 * 60, _DAY, 30 * _DAY, 3650 * _DAY),
    **_claim("exp", _EXPIRED, everyday=True),
)
def expired(scene: Scene, ago: int) -> Credential | None:
    """Present a token that expired five minutes to ten years ago; no leeway is as long as that."""
    ended = scene.minted_at - ago
    return with_claims(scene, iat=ended - _HOUR, nbf=ended - _HOUR, exp=ended)


@FAMILY.credential(Demand.DENY, "RFC 7519 section 4.1.4", 0, 1, -1, 0.5, True, False, **_claim("exp", _EXPIRED))
def expired_in_1970(scene: Scene, value: Any) -> Credential | None:
    """Present a token that expired with the epoch; zero is a time, not a missing claim."""
    return with_claims(scene, exp=value)


@FAMILY.credential(
    Demand.ANY,
    'RFC 7519 section 4.1.4: "some small leeway, usually no more than a few minutes"',
    *(1, 5, 30, 60, 120),
    **_claim("exp", "leeway"),
)
def expired_just_now(scene: Scene, ago: int) -> Credential | None:
    """Present a token that expired within the leeway that an authorizer may have."""
    return with_claims(scene, exp=scene.minted_at - ago)


@FAMILY.credential(
    Demand.NOT_ISSUED,
    "RFC 7519 section 4.1.4; RFC 8725 section 3.1",
    "missing",
    None,
    **_claim("exp", "tokens that never expire are accepted"),
)
def expiry_missing(scene: Scene, value: Any) -> Credential | None:
    """Leave the expiry out, or make it null: such a token is good for ever."""
    return without_claim(scene, "exp") if value == "missing" else with_claims(scene, exp=value)


@FAMILY.credential(
    Demand.NOT_ISSUED,
    "RFC 7519 section 2: NumericDate is a JSON numeric value",
    *([_FAR], {"time": _FAR}, "never", "", "2100-01-01T00:00:00Z", "9" * 30),
    **_claim("exp", "an expiry that is no number is accepted"),
)
def expiry_no_number(scene: Scene, value: Any) -> Credential | None:
    """Make the expiry a list, an object, or text that is no time."""
    return with_claims(scene, exp=value)


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 2, 4.1.4",
    *(lambda now: str(now - _DAY), lambda now: str(now - _DAY)[:-1], lambda now: f"{now - _DAY}.5"),
    **_claim("exp", _EXPIRED),
)
def expiry_as_past_text(scene: Scene, make: Any) -> Credential | None:
    """Make the expiry the text of a time that has passed; texts compare otherwise than numbers."""
    return with_claims(scene, exp=make(scene.minted_at))


@FAMILY.credential(
    Demand.BETTER_DENIED,
    "RFC 7519 section 2: NumericDate is a JSON numeric value",
    **_claim("exp", "an expiry that is text is accepted"),
)
def expiry_as_text(scene: Scene, _: Any) -> Credential | None:
    """Make the expiry the text of a time to come."""
    return with_claims(scene, exp=str(scene.minted_at + _HOUR))


@FAMILY.credential(
    Demand.ANY,
    "RFC 7519 section 2",
    *(10**12, 10**18, 2**63, 2**64, 10**30, 1e308, float(_FAR) + 0.5),
    **_claim("exp", "odd expiry"),
)
def expiry_odd(scene: Scene, value: Any) -> Credential | None:
    """Make the expiry a time in milliseconds, or a number beyond what clocks and types hold."""
    return with_claims(scene, exp=value)


@FAMILY.credential(
    Demand.ANY, "RFC 7519 section 2; RFC 8259 section 6", b"1e400", b"NaN", b"-Infinity", **_claim("exp", "odd expiry")
)
def expiry_no_json(scene: Scene, text: bytes) -> Credential:
    """Write the expiry as a number that no JSON parser should read."""
    _, token = jwt_parts(scene)
    return sign_again(scene, claims_text=token.claims_bytes[:-1] + b',"exp":' + text + b"}")


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 4.1.5",
    *(_DAY, 30 * _DAY, 3650 * _DAY),
    **_claim("nbf", "tokens are accepted before their time", everyday=True),
)
def not_before_to_come(scene: Scene, ahead: int) -> Credential | None:
    """Present a token that becomes valid a day to ten years from now, which no run under load lasts until."""
    return with_claims(scene, nbf=scene.minted_at + ahead, exp=scene.minted_at + ahead + _HOUR)


@FAMILY.credential(
    Demand.DENY, "RFC 7519 section 4.1.5", *(_HOUR, 301), **_claim("nbf", "tokens are accepted before their time")
)
def not_before_soon(scene: Scene, ahead: int) -> Credential | None:
    """Present a token that becomes valid in five minutes or in an hour; no leeway is as long as that."""
    return with_claims(scene, nbf=scene.minted_at + ahead, exp=scene.minted_at + ahead + _HOUR)


@FAMILY.credential(
    Demand.ANY,
    "RFC 7519 section 4.1.5, 4.1.6",
    *(("nbf", 30), ("iat", _HOUR), ("nbf", "text"), ("iat", "text"), ("nbf", None), ("iat", None), ("iat", -(10**12))),
    **_claim("nbf", "odd times"),
)
def other_time_odd(scene: Scene, change: Any) -> Credential | None:
    """Make not-before or issued-at a little early, text, or null."""
    name, value = change
    return with_claims(scene, **{name: scene.minted_at + value if isinstance(value, int) else value})


@FAMILY.credential(
    Demand.ANY, "RFC 7519 section 4.1: all of them optional", "nbf", "iat", "jti", **_claim("nbf", "missing times")
)
def optional_claim_missing(scene: Scene, name: str) -> Credential | None:
    """Leave out a claim that an authorizer may or may not insist on."""
    return without_claim(scene, name)


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 4.1.3; RFC 8725 section 3.9",
    *("other-audience", "missing", "", [], ["other-audience"], None, 0, True, {}, " {}", "{}/", "{} "),
    *("{}-evil", "evil-{}", "prefix", "upper", "letter", "{},other", "[{}]", [[]]),
    **_claim("aud", "the audience is not checked", applies=_has_claim("aud"), everyday=True),
)
def audience_wrong(scene: Scene, value: Any) -> Credential | None:
    """Present a token that was made for somebody else, or for something that only looks like this audience."""
    return _wrong(scene, "aud", value)


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 4.1.1; RFC 8725 section 3.8; GHSA-75c5-xw7c-p5pm",
    *("https://attacker.example", "missing", "", [], None, 0, True, {}, " {}", "{}/", "{} ", "{}/../other"),
    *("{}.attacker.example", "{}@attacker.example", "https://attacker.example/?{}", "prefix", "upper", "letter"),
    *("list", "http", "{}#"),
    **_claim("iss", "the issuer is not checked", applies=_has_claim("iss")),
)
def issuer_wrong(scene: Scene, value: Any) -> Credential | None:
    """Present a token that names another issuer, or something that only looks like the right one."""
    return _wrong(scene, "iss", value)


def _wrong(scene: Scene, name: str, value: Any) -> Credential | None:
    _, token = jwt_parts(scene)
    right = token.claims[name]
    if value == "missing":
        return without_claim(scene, name)
    if not isinstance(right, str):
        return with_claims(scene, **{name: value}) if value != right else None
    spellings = {
        "prefix": right[:-1],
        "letter": right[:1],
        "upper": right.upper(),
        "http": right.replace("https:", "http:"),
        "list": [right, "https://attacker.example"],
    }
    changed = spellings.get(value, value.replace("{}", right)) if isinstance(value, str) else value
    return with_claims(scene, **{name: changed}) if changed != right else None


@FAMILY.credential(
    Demand.ANY,
    "RFC 7519 section 4.1.3: one of several is enough",
    **_claim("aud", "several audiences", applies=_has_claim("aud")),
)
def audience_among_others(scene: Scene, _: Any) -> Credential | None:
    """Present a token for several audiences, of which this is one."""
    _, token = jwt_parts(scene)
    right = token.claims["aud"]
    return with_claims(scene, aud=["other-audience", *(right if isinstance(right, list) else [right])])


@FAMILY.credential(
    Demand.NOT_ISSUED,
    "RFC 7519 section 4.1.2: StringOrURI",
    *("missing", None, 0, 7, True, [], {}, "", "list"),
    **_claim(_IDENTITY, "tokens without a device's name are accepted", applies=has_identity_claim),
)
def identity_missing(scene: Scene, value: Any) -> Credential | None:
    """Leave out the claim that names the device, or make it no text."""
    profile, token = jwt_parts(scene)
    claim = profile.identity_claim or ""
    if value == "missing":
        return without_claim(scene, claim)
    return with_claims(scene, **{claim: [token.claims[claim]] if value == "list" else value})


@FAMILY.credential(
    Demand.ANY,
    "AWS IoT developer guide, policy variables: * and ? are wildcards",
    *("*", "#", "+", "?", "${iot:ClientId}", "${*}", "../{}", "{}/#", "{}*", '","Effect":"Allow', "x" * 3000, "admin"),
    **_claim(_IDENTITY, "the device's name is not checked", applies=has_identity_claim),
)
def identity_hostile(scene: Scene, pattern: str) -> Credential | None:
    """Name a device whose name means something in a policy; whatever is granted must stay this name's own."""
    profile, token = jwt_parts(scene)
    claim = profile.identity_claim or ""
    return with_claims(scene, **{claim: pattern.replace("{}", str(token.claims[claim]))})


@FAMILY.credential(
    Demand.ANY,
    "Unicode Technical Report 36; CWE-178; CWE-158",
    *("{}\n", "{} ", " {}", "{}\x00", "upper", "{}\x00admin", "{}\u200b", "fullwidth", "{}/", "{}\t"),
    **_claim(_IDENTITY, "names are folded into another device's", applies=has_identity_claim),
)
def identity_of_another_folded(scene: Scene, pattern: str) -> Credential | None:
    """Name a device almost as another one is named; the other's rights must not follow."""
    profile, _ = jwt_parts(scene)
    claim, other = profile.identity_claim or "", scene.other.jwt
    if other is None or not isinstance(other.claims.get(claim), str):
        return None
    name = other.claims[claim]
    changed = spell(pattern, name, upper=name.upper(), fullwidth=fullwidth(name))
    return with_claims(scene, **{claim: changed}) if changed != name else None


@FAMILY.credential(
    Demand.ANY,
    "RFC 8725 section 2.8, 3.12: tokens of one kind must not pass for another",
    *(
        {"token_use": "id", "nonce": "n", "at_hash": "x"},
        {"typ": "Refresh"},
        {"scope": "admin *", "role": "admin", "admin": True},
        {"client_id": "*", "clientId": "*", "username": "root"},
        {"cnf": {"jkt": "x"}},
        {"groups": ["*"] * 200},
    ),
    **_claim("extra", "other claims change the decision"),
)
def claims_of_another_kind(scene: Scene, claims: Any) -> Credential | None:
    """Add the claims of an ID token, a refresh token, an administrator."""
    return with_claims(scene, **claims)


@FAMILY.credential(
    Demand.ANY,
    "AWS IoT API: TestInvokeAuthorizer, token of at most 6,144 characters; HTTP header of 8,192",
    *(3000, 6000, 4200, 5600),
    **_claim("extra", "large tokens"),
)
def claim_large(scene: Scene, size: int) -> Credential | None:
    """Add a claim of some thousand characters."""
    return with_claims(scene, data="x" * size)
