"""Opaque tokens whose signature AWS IoT verifies: wrong signatures, and rightly signed tokens that are wrong."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks import attacker
from gatecrash.generators.attacks.attack import Family, Layer, Scene
from gatecrash.generators.attacks.changes import with_opaque_token
from gatecrash.generators.attacks.kinds import is_signed
from gatecrash.generators.attacks.spellings import change_letter, fullwidth_digits, spell
from gatecrash.generators.credentials.credential import Credential, CredentialProfile
from gatecrash.generators.credentials.signed import SignedProfile

_GUIDE: Final = "AWS IoT developer guide, custom-auth: signed tokens; SHA256withRSA"
_UNVERIFIED: Final = "the token's signature is not verified"
SIGNATURES: Final = Family("iot_signature", is_signed, layer=Layer.SIGNATURE, weakness=_UNVERIFIED, touches="signature")
# Each of them makes the token anew.
TOKENS: Final = Family(
    "signed_token", is_signed, layer=Layer.TOKEN, weakness="tokens of another shape are accepted", touches="token"
)


def _profile(scene: Scene) -> SignedProfile:
    assert isinstance(scene.profile, SignedProfile)  # noqa: S101 - applies() has said so
    return scene.profile


def _expires(profile: CredentialProfile) -> bool:
    return isinstance(profile, SignedProfile) and profile.expires


def _sign(scene: Scene, token: str) -> Credential | None:
    """Sign another token, rightly; None when it is the valid one."""
    if token == scene.valid.secret:
        return None
    return with_opaque_token(scene, token)


@SIGNATURES.credential(Demand.DENY, _GUIDE, everyday=True)
def signature_of_another_token(scene: Scene, _: Any) -> Credential:
    """Present the signature that another device's token has."""
    if scene.other.signature == scene.credential.signature:
        # There is only one device, and its tokens are all alike.
        return token_changed_after_signing(scene, "last")
    return replace(scene.credential, signature=scene.other.signature)


@SIGNATURES.credential(Demand.DENY, _GUIDE, "last", "first", "longer", "shorter", everyday=True)
def token_changed_after_signing(scene: Scene, how: str) -> Credential:
    """Change a signed token: its last character, its first, one more, one less."""
    token = scene.credential.secret
    changed = {
        "last": change_letter(token, max(0, len(token) - 1), "0", "1"),
        "first": change_letter(token, 0, "x", "y"),
        "longer": f"{token}0",
        "shorter": token[:-1] or f"{token}0",
    }
    return replace(scene.credential, secret=changed[how])


@SIGNATURES.credential(Demand.DENY, _GUIDE)
def signature_of_another_key(scene: Scene, _: Any) -> Credential:
    """Sign with the attacker's own key."""
    raw = attacker.signer("RS256")(scene.credential.secret.encode("utf-8", "surrogatepass"))
    return replace(scene.credential, signature=base64.b64encode(raw).decode())


@SIGNATURES.credential(Demand.DENY, _GUIDE, "SHA1withRSA", "SHA512withRSA", "SHA256withRSA/PSS")
def signature_by_another_scheme(scene: Scene, scheme: str) -> Credential:
    """Sign rightly, by a scheme that IoT doesn't use."""
    raw = _profile(scene).sign_otherwise(scene.credential.secret)[scheme]
    return replace(scene.credential, signature=base64.b64encode(raw).decode())


@SIGNATURES.credential(Demand.DENY, _GUIDE, "cut", "zeros", "base64url", "spaces", "url", "hex", "twice", "of_encoded")
def signature_damaged(scene: Scene, how: str) -> Credential | None:
    """Cut the signature, spell it in another alphabet, encode it twice, or sign the token's URL-encoded form."""
    signature = scene.credential.signature or ""
    raw = base64.b64decode(signature)
    encoded = quote(scene.credential.secret, safe="", errors="surrogatepass")
    damaged = {
        "cut": signature[: len(signature) // 2],
        "zeros": base64.b64encode(bytes(len(raw))).decode(),
        "base64url": base64.urlsafe_b64encode(raw).decode(),
        "spaces": f"{signature[:10]} {signature[10:]}",
        "url": quote(signature, safe=""),
        "hex": raw.hex(),
        "twice": base64.b64encode(signature.encode()).decode(),
        "of_encoded": _profile(scene).sign(encoded) if encoded != scene.credential.secret else signature,
    }[how]
    return replace(scene.credential, signature=damaged) if damaged != signature else None


@TOKENS.credential(
    Demand.DENY,
    _GUIDE,
    *(3600, 301, 86400, 30 * 86400, "epoch", "zero"),
    applies=_expires,
    weakness="expired tokens are accepted",
    everyday=True,
)
def expired(scene: Scene, ago: Any) -> Credential:
    """Present a rightly signed token that expired five minutes ago or long before."""
    expiry = {"epoch": "0000000001", "zero": "0"}.get(ago) if isinstance(ago, str) else str(scene.minted_at - ago)
    return _present_expiry(scene, str(expiry))


@TOKENS.credential(Demand.ANY, _GUIDE, 1, 30, 120, applies=_expires, weakness="leeway")
def expired_just_now(scene: Scene, ago: int) -> Credential:
    """Present a token that expired within the leeway that an authorizer may have."""
    return _present_expiry(scene, str(scene.minted_at - ago))


@TOKENS.credential(
    Demand.NOT_ISSUED,
    _GUIDE,
    *("", "never", "nan", "inf", "-1", "1e12", "0x7fffffff", "+4102444800", " 4102444800", "4_102_444_800"),
    *("٤١٠٢٤٤٤٨٠٠", "4102444800.0", "04102444800", "99999999999999999999", "4102444800\n", "４１０２４４４８００"),  # noqa: RUF001
    applies=_expires,
    weakness="an expiry that is no time is accepted",
)
def expiry_malformed(scene: Scene, text: str) -> Credential:
    """Present a rightly signed token whose expiry no issuer writes so."""
    return _present_expiry(scene, text)


def _present_expiry(scene: Scene, expiry: str) -> Credential:
    expiring = _profile(scene).credential_with(scene.credential.identity, scene.rng.getrandbits(32), expiry)
    return with_opaque_token(scene, expiring.secret)


@TOKENS.credential(
    Demand.NOT_ISSUED,
    _GUIDE,
    *("{}x", "x{}", "{}\n", "{} ", " {}", "{}\x00", "{}.x", ".{}", "{}.", "{0}{0}", "{0}.{0}", "upper", "\ufeff{}"),
    *("{}/../x", "{}?x", "{}#", "cut", "cut_part", "first_part", "without_dots", "{}'", "x.{}", "{}\r\n", "fullwidth"),
)
def token_malformed(scene: Scene, pattern: str) -> Credential | None:
    """Present a rightly signed token with something before or behind it, or with something missing."""
    token = scene.valid.secret
    named = {
        "upper": token.upper(),
        "cut": token[:-1],
        "cut_part": token.rpartition(".")[0] or token[: len(token) // 2],
        "first_part": token.partition(".")[0][: len(token) - 1],
        "without_dots": token.replace(".", ""),
        "fullwidth": fullwidth_digits(token),
        "{0}{0}": token * 2,
        "{0}.{0}": f"{token}.{token}",
    }
    changed = spell(pattern, token, **named)
    return _sign(scene, changed) if changed else None


@TOKENS.credential(
    Demand.NOT_ISSUED,
    _GUIDE,
    *("", "x", "null", "{}", "[]", "..", "...", "a.b.c", "0", "*", "\x00", "é", "\ud800", "admin", "' OR '1'='1"),
)
def token_nonsense(scene: Scene, token: str) -> Credential | None:
    """Present rightly signed nonsense."""
    return _sign(scene, token)


@TOKENS.credential(
    Demand.NOT_ISSUED,
    "AWS IoT developer guide, basic policy variables; CWE-155; CWE-158; CWE-178",
    *("*", "+", "#", "?", "${iot:ClientId}", "upper", "{}\n", "{} ", "{}x", "x{}", "{}\x00", "{}/", "../{}", "", "{}-"),
    *('","Effect":"Allow', "fullwidth", "{}*"),
    weakness="the device's name is not checked",
    alone=True,
)
def identity_hostile(scene: Scene, pattern: str) -> Credential | None:
    """Present a rightly signed token of a device whose name is odd, or means something in a policy."""
    name = scene.credential.identity
    changed = spell(pattern, name, upper=name.upper(), fullwidth=fullwidth_digits(name))
    token = _profile(scene).credential_with(changed, scene.rng.getrandbits(32), None, minted_at=scene.minted_at).secret
    return _sign(scene, token) if changed != name and changed in token else None


@TOKENS.credential(Demand.NOT_ISSUED, "AWS IoT API: token of at most 6,144 characters", *(500, 6144))
def token_very_long(scene: Scene, size: int) -> Credential | None:
    """Present a rightly signed token as long as the service takes it."""
    return _sign(scene, scene.valid.secret.ljust(size, "0"))
