"""JSON Web Tokens: signatures that are missing, damaged, another's, or spelt another way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks import attacker
from gatecrash.generators.attacks.attack import Family, Layer, Scene
from gatecrash.generators.attacks.changes import jwt_parts, sign_otherwise
from gatecrash.generators.attacks.kinds import is_jwt
from gatecrash.generators.attacks.spellings import change_letter
from gatecrash.generators.credentials.credential import Credential, CredentialProfile
from gatecrash.generators.credentials.jwt import JwtProfile
from gatecrash.generators.credentials.tokens import base64url, unbase64url

_RULE: Final = "RFC 7515 section 5.2"
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_MISSING: Final = "a token without a signature is believed"
_SPELT: Final[dict[str, Any]] = {"layer": Layer.TEXT, "touches": "spelling"}
FAMILY: Final = Family(
    "jwt_signature", is_jwt, layer=Layer.SIGNATURE, weakness="the signature is not verified", touches="signature"
)


def _is_es256(profile: CredentialProfile) -> bool:
    return isinstance(profile, JwtProfile) and profile.algorithm == "ES256"


def _split(scene: Scene) -> tuple[str, str]:
    message, _, signature = scene.credential.secret.rpartition(".")
    return message, signature


def _join(scene: Scene, message: str, signature: str) -> Credential:
    return replace(scene.credential, secret=f"{message}.{signature}")


@FAMILY.credential(Demand.DENY, "RFC 8725 section 2.1; CVE-2020-28042", weakness=_MISSING, everyday=True)
def signature_empty(scene: Scene, _: Any) -> Credential:
    """Leave the signature out."""
    return _join(scene, _split(scene)[0], "")


@FAMILY.credential(Demand.DENY, "RFC 7515 section 7.1", weakness=_MISSING)
def signature_part_missing(scene: Scene, _: Any) -> Credential:
    """Leave the signature out, and the dot before it."""
    return replace(scene.credential, secret=_split(scene)[0])


@FAMILY.credential(Demand.DENY, _RULE, everyday=True)
def signature_of_another_token(scene: Scene, _: Any) -> Credential:
    """Present the signature that another device's token has."""
    message, signature = _split(scene)
    other = scene.other.secret.rpartition(".")[2]
    # There may be only one device, whose tokens are all alike.
    return _join(scene, message, other) if other != signature else signature_bit_flipped(scene, 0.5)


@FAMILY.credential(Demand.DENY, _RULE, 0.5, 0.0, 0.99, everyday=True)
def signature_bit_flipped(scene: Scene, where: float) -> Credential:
    """Change one character of the signature: in the middle, the first, the last but one."""
    message, signature = _split(scene)
    # Not the last one, whose low bits carry nothing.
    place = min(int(where * len(signature)), len(signature) - 2)
    return _join(scene, message, change_letter(signature, place, "A", "B"))


@FAMILY.credential(Demand.DENY, _RULE, everyday=True)
def random_signature(scene: Scene, _: Any) -> Credential:
    """Sign with bytes that come from no key."""
    message, signature = _split(scene)
    return _join(scene, message, base64url(scene.rng.randbytes(max(1, len(signature) * 3 // 4))))


@FAMILY.credential(Demand.DENY, _RULE, 1, 8)
def signature_of_zeros(scene: Scene, divisor: int) -> Credential:
    """Sign with zeros: as long as a signature is, and an eighth of it (CVE-2022-21449 accepted r = s = 0)."""
    message, signature = _split(scene)
    return _join(scene, message, base64url(bytes(max(1, len(unbase64url(signature)) // divisor))))


@FAMILY.credential(Demand.DENY, _RULE, -1, -16, 1)
def signature_of_another_length(scene: Scene, difference: int) -> Credential:
    """Cut the signature's last bytes off, or put one behind it."""
    message, signature = _split(scene)
    raw = unbase64url(signature)
    return _join(scene, message, base64url(raw[:difference] if difference < 0 else raw + bytes(difference)))


@FAMILY.credential(Demand.DENY, _RULE)
def signature_of_another_key(scene: Scene, _: Any) -> Credential:
    """Sign with the attacker's own key."""
    profile, token = jwt_parts(scene)
    algorithm = attacker.algorithm_of(profile.algorithm)
    return sign_otherwise(scene, {**token.header, "alg": algorithm}, attacker.signer(algorithm))


@FAMILY.credential(Demand.DENY, _RULE, "identity", "exp", "extra")
def claims_changed_after_signing(scene: Scene, what: str) -> Credential | None:
    """Keep a right signature, and change the claims: another device's name, a later expiry, one more claim."""
    profile, token = jwt_parts(scene)
    claim = profile.identity_claim
    if what == "identity":
        other = scene.other.jwt
        if claim is None or other is None or other.claims[claim] == token.claims.get(claim):
            return None
        changes = {claim: other.claims[claim]}
    else:
        changes = {"exp": scene.minted_at + 10**6} if what == "exp" else {"gatecrash": 1}
    changed = replace(token, claims={**token.claims, **changes}, claims_text=None)
    return _join(scene, changed.signing_input.decode("ascii"), _split(scene)[1])


@FAMILY.credential(Demand.DENY, _RULE)
def header_changed_after_signing(scene: Scene, _: Any) -> Credential:
    """Keep a right signature, and add a header parameter."""
    _, token = jwt_parts(scene)
    changed = replace(token, header={**token.header, "gatecrash": 1}, header_text=None)
    return _join(scene, changed.signing_input.decode("ascii"), _split(scene)[1])


@FAMILY.credential(
    Demand.ANY,
    "RFC 8725; python-jose issue 403",
    applies=_is_es256,
    weakness="malleable signature",
    alone=True,
    **_SPELT,
)
def elliptic_signature_mirrored(scene: Scene, _: Any) -> Credential:
    """Replace (r, s) by (r, n - s), which verifies as well."""
    message, signature = _split(scene)
    raw = unbase64url(signature)
    mirrored = _P256_ORDER - int.from_bytes(raw[32:64], "big")
    return _join(scene, message, base64url(raw[:32] + mirrored.to_bytes(32, "big")))


@FAMILY.credential(
    Demand.BETTER_DENIED,
    "RFC 7515 section 2: no padding; section 5.2: no other characters",
    "bits",
    "padding",
    "standard",
    weakness="other spellings of a signature are accepted",
    **_SPELT,
)
def signature_spelt_otherwise(scene: Scene, how: str) -> Credential | None:
    """Spell a right signature another way: unused bits set, padded, in the standard alphabet."""
    message, signature = _split(scene)
    if how == "standard":
        changed = signature.replace("-", "+").replace("_", "/")
        return _join(scene, message, changed) if changed != signature else None
    if how == "padding":
        return _join(scene, message, signature + "=" * (-len(signature) % 4 or 4))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(signature) % 4 == 0 or signature[-1:] not in alphabet:
        return None
    return _join(scene, message, signature[:-1] + alphabet[alphabet.index(signature[-1]) | 1])


@FAMILY.credential(
    Demand.BETTER_DENIED,
    "RFC 7515 section 5.2: no line breaks, white space or other additional characters",
    *("{}\n", "\n{}", "{} ", " {}", "{}\x00", "{}\u00a0", "{}="),
    weakness="characters around a token are ignored",
    **_SPELT,
)
def token_surrounded(scene: Scene, pattern: str) -> Credential:
    """Put a line break, a space or a NUL before or behind a right token."""
    return replace(scene.credential, secret=pattern.format(scene.credential.secret))


@FAMILY.credential(
    Demand.BETTER_DENIED,
    "RFC 7515 section 7.1: exactly three parts",
    *("{}.", "{}.e30", ".{}", "{}..", "{}.e30.e30"),
    weakness="more than three parts are accepted",
    **_SPELT,
)
def parts_added(scene: Scene, pattern: str) -> Credential:
    """Add parts to a right token; five of them look like an encrypted one (RFC 7516)."""
    return replace(scene.credential, secret=pattern.format(scene.credential.secret))
