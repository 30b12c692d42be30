"""Passwords and API keys: texts that are nearly the right one, or that some comparison takes for it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks.attack import Family, Scene
from gatecrash.generators.attacks.changes import with_text
from gatecrash.generators.attacks.kinds import is_api_key, is_password
from gatecrash.generators.attacks.spellings import fullwidth, percent_encode
from gatecrash.generators.credentials.credential import Credential, CredentialProfile

_MAGIC: Final = ("null", "None", "undefined", "true", "false", "0", "1", "NaN", "[]", "{}", "*", "%", ".*", "admin")
_INJECTIONS: Final = (
    "' OR '1'='1",
    "' OR 1=1-- ",
    '" or ""="',
    '{"$ne": null}',
    "*)(objectClass=*",
    "${jndi:x}",
    "__proto__",
    "constructor",
)


def _is_opaque(profile: CredentialProfile) -> bool:
    return is_password(profile) or is_api_key(profile)


FAMILY: Final = Family("opaque_secret", _is_opaque, touches="secret")


@FAMILY.credential(
    Demand.DENY,
    "OWASP ASVS 4.0 section 2.4",
    "same_length",
    "short",
    "long",
    weakness="the secret is not checked",
    everyday=True,
)
def secret_unknown(scene: Scene, how: str) -> Credential | None:
    """Present a random secret: as long as the right one, of one character, of a thousand."""
    length = {"same_length": len(scene.valid.secret), "short": 1, "long": 1000}[how]
    letters = "".join(scene.rng.choices("abcdefghijkmnopqrstuvwxyz23456789", k=max(1, length)))
    return with_text(scene, letters)


@FAMILY.credential(
    Demand.DENY, "OWASP ASVS 4.0 section 2.4", weakness="any known secret will do", everyday=True, alone=True
)
def secret_of_another_device(scene: Scene, _: Any) -> Credential | None:
    """Present the secret that belongs to another device."""
    if scene.other.secret == scene.valid.secret or _names_its_owner(scene):
        return None
    return replace(scene.credential, secret=scene.other.secret)


def _names_its_owner(scene: Scene) -> bool:
    """Say whether the secret alone makes a valid request: an API key that nothing else has to fit."""
    return is_api_key(scene.profile) and dict(scene.other.parameters) == dict(scene.valid.parameters)


@FAMILY.credential(
    Demand.DENY,
    "CWE-697; OWASP ASVS 4.0 section 2.4",
    *(1, 0.5, -1, 2, 8, "tail"),
    weakness="a part of the secret is enough",
    everyday=True,
)
def secret_cut(scene: Scene, size: Any) -> Credential | None:
    """Present the first character, the first half, all but the last, all but the first."""
    secret = scene.valid.secret
    if size == "tail":
        return with_text(scene, secret[1:]) if len(secret) > 1 else None
    end = int(len(secret) * size) if isinstance(size, float) else size
    return with_text(scene, secret[:end]) if secret[:end] else None


@FAMILY.credential(
    Demand.DENY,
    "CWE-697; OWASP ASVS 4.0 section 2.4",
    *("{}x", "x{}", "{}{}", "{}0", "{}.", "{}" + "x" * 64, "{}:{}", "{},x", "{};", "{}=", "{}\x00x", "{}|x"),
    weakness="characters beyond the secret are ignored",
    everyday=True,
)
def secret_lengthened(scene: Scene, pattern: str) -> Credential | None:
    """Present the right secret with something before or behind it."""
    return with_text(scene, pattern.replace("{}", scene.valid.secret))


@FAMILY.credential(
    Demand.DENY,
    "CWE-178; OWASP ASVS 4.0 section 2.4",
    *("swap", "upper", "lower"),
    weakness="upper and lower case are the same",
)
def secret_in_another_case(scene: Scene, how: str) -> Credential | None:
    """Present the right secret in upper or lower case."""
    secret = scene.valid.secret
    return with_text(scene, {"swap": secret.swapcase(), "upper": secret.upper(), "lower": secret.lower()}[how])


@FAMILY.credential(
    Demand.DENY, "CWE-697", *(0.0, 0.25, 0.5, 0.75, 1.0), weakness="a part of the secret is not compared"
)
def secret_character_changed(scene: Scene, where: float) -> Credential | None:
    """Change one character of the right secret."""
    secret = scene.valid.secret
    place = min(int(where * len(secret)), len(secret) - 1)
    letter = "x" if secret[place] not in "xX" else "y"
    return with_text(scene, secret[:place] + letter + secret[place + 1 :])


@FAMILY.credential(
    Demand.DENY,
    "CWE-176; Unicode Technical Report 36",
    *("fullwidth", "zero_width", "combining", "homoglyph", "soft_hyphen"),
    weakness="texts that look alike are the same",
)
def secret_look_alike(scene: Scene, how: str) -> Credential | None:
    """Present a text that looks like the secret, or becomes it by Unicode normalisation."""
    secret = scene.valid.secret
    looks = {
        "fullwidth": fullwidth(secret),
        "zero_width": f"{secret}\u200b",
        "combining": f"{secret}\u0301",
        "homoglyph": secret.translate(str.maketrans("aeopcxyABEKMHOPCTX", "аеорсхуАВЕКМНОРСТХ")),  # noqa: RUF001
        "soft_hyphen": f"{secret[:1]}\u00ad{secret[1:]}",
    }
    return with_text(scene, looks[how])


@FAMILY.credential(
    Demand.DENY,
    "OWASP ASVS 4.0 section 2.4; CWE-836",
    *("url", "base64", "md5", "sha1", "sha256", "hex", "reverse", "quoted", "base64url"),
    weakness="a transformed secret is accepted",
)
def secret_transformed(scene: Scene, how: str) -> Credential | None:
    """Present the secret encoded once more, its hash, or its reverse."""
    raw = scene.valid.secret.encode("utf-8", "surrogatepass")
    spelt = {
        "url": percent_encode(scene.valid.secret),
        "base64": base64.b64encode(raw).decode(),
        "base64url": base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
        "md5": hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(raw, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "hex": raw.hex(),
        "reverse": scene.valid.secret[::-1],
        "quoted": f'"{scene.valid.secret}"',
    }
    return with_text(scene, spelt[how])


@FAMILY.credential(
    Demand.DENY, "CWE-798; OWASP ASVS 4.0 section 2.4", *range(len(_MAGIC)), weakness="a magic word is a secret"
)
def secret_magic(scene: Scene, number: int) -> Credential | None:
    """Present a word that languages or developers treat apart."""
    return with_text(scene, _MAGIC[number])


@FAMILY.credential(
    Demand.DENY,
    "OWASP Web Security Testing Guide, input validation",
    *range(len(_INJECTIONS)),
    weakness="the secret is part of a query",
)
def secret_injection(scene: Scene, number: int) -> Credential | None:
    """Present text that means something to a database or an expression language."""
    return with_text(scene, _INJECTIONS[number])


@FAMILY.credential(
    Demand.DENY,
    "CWE-20; CWE-176",
    *("é", "\u65e5\u672c", "\U0001f511", "\ud800", "\x00", "\x7f", "\r\n", "\ufeff", "\x85", "é" * 40),
    weakness="characters that no secret has",
)
def secret_of_odd_characters(scene: Scene, text: str) -> Credential | None:
    """Present characters that no secret has: accented, of other scripts, control characters, half a pair."""
    return with_text(scene, text)


@FAMILY.credential(
    Demand.DENY,
    "CWE-176",
    *("{}é", "{}\U0001f511", "{}\ud800", "\ufeff{}", "{}\r\nx: y", "{}\x7f"),
    weakness="characters beyond the secret are ignored",
)
def secret_with_odd_characters(scene: Scene, pattern: str) -> Credential | None:
    """Present the right secret with a character that no secret has."""
    return with_text(scene, pattern.replace("{}", scene.valid.secret))


@FAMILY.credential(
    Demand.BETTER_DENIED,
    "RFC 2104 section 2: HMAC, and PBKDF2 with it, fills a short key up with zeros; CWE-158",
    *("{}\x00", "{}\x00\x00\x00"),
    weakness="zeros behind the secret count for nothing",
)
def secret_with_zeros(scene: Scene, pattern: str) -> Credential | None:
    """Present the right secret with zero bytes behind it, which some password hashes can't tell from it."""
    return with_text(scene, pattern.replace("{}", scene.valid.secret))


@FAMILY.credential(
    Demand.DENY,
    "CWE-158; CWE-20",
    *("{} ", " {}", "{}\n", "\t{}", "{}\r", "{}\u00a0"),
    applies=is_password,
    weakness="white space around the secret is ignored",
)
def secret_with_space(scene: Scene, pattern: str) -> Credential | None:
    """Present the right secret with white space around it."""
    return with_text(scene, pattern.replace("{}", scene.valid.secret))


@FAMILY.credential(
    Demand.ANY,
    "RFC 9110 section 5.5: white space around a field's value isn't part of it",
    *("{} ", " {}", "\t{}"),
    applies=is_api_key,
    weakness="white space around a key",
)
def key_with_space(scene: Scene, pattern: str) -> Credential | None:
    """Present the right key with white space around it, which HTTP itself would take away."""
    return with_text(scene, pattern.replace("{}", scene.valid.secret))


@FAMILY.credential(Demand.DENY, "CWE-400; CWE-1333", 4000, 8100, weakness="long secrets")
def secret_very_long(scene: Scene, size: int) -> Credential | None:
    """Present thousands of characters."""
    return with_text(scene, quote("x" * size))
