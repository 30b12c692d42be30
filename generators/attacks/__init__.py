"""Attacks, a module a family. A new family is a module with a ``Family`` and its name in the list below."""

from collections.abc import Iterable, Sequence
from typing import Final

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks import (
    carriers,
    credential_file,
    dictionary,
    http_headers,
    mqtt,
    opaque_secrets,
    patterns,
    query_strings,
    signed_tokens,
)
from gatecrash.generators.attacks.attack import DEVICE_VIEW, UNSIGNED_VIEW, Attack, Family, Layer, Scene
from gatecrash.generators.attacks.jwt import algorithm as jwt_algorithm
from gatecrash.generators.attacks.jwt import claims as jwt_claims
from gatecrash.generators.attacks.jwt import header as jwt_header
from gatecrash.generators.attacks.jwt import json as jwt_json
from gatecrash.generators.attacks.jwt import signature as jwt_signature
from gatecrash.generators.credentials.credential import CredentialProfile

FAMILIES: Final[tuple[Family, ...]] = (
    carriers.PARTS,
    carriers.VIEWS,
    jwt_algorithm.FAMILY,
    jwt_signature.FAMILY,
    jwt_claims.FAMILY,
    jwt_header.FAMILY,
    jwt_json.FAMILY,
    opaque_secrets.FAMILY,
    mqtt.FAMILY,
    mqtt.CLIENT_IDS,
    signed_tokens.SIGNATURES,
    signed_tokens.TOKENS,
    http_headers.FAMILY,
    http_headers.BEARER,
    query_strings.FAMILY,
    carriers.PRECEDENCE,
    carriers.TLS,
    credential_file.FAMILY,
    dictionary.FAMILY,
    patterns.FAMILY,
)
ALL_ATTACKS: Final[tuple[Attack, ...]] = tuple(attack for family in FAMILIES for attack in family.attacks)
_BY_KEY: Final = {attack.key: attack for attack in ALL_ATTACKS}
# From the mildest demand to the strictest.
STRICTNESS: Final = (Demand.ALLOW, Demand.SAME, Demand.ANY, Demand.BETTER_DENIED, Demand.NOT_ISSUED, Demand.DENY)


def attacks_on(profile: CredentialProfile, words: Sequence[str] = ()) -> tuple[Attack, ...]:
    """Return the attacks that a profile can be attacked with; ``words`` are those of the authorizer's own code."""
    applying = [attack for attack in ALL_ATTACKS if attack.applies(profile)]
    plain = [attack for attack in applying if attack.family != dictionary.FAMILY.name]
    spoken = [dictionary.with_words(attack, words) for attack in applying if attack.family == dictionary.FAMILY.name]
    return (*plain, *(attack for attack in spoken if attack.variants))


def known_attacks(keys: Iterable[str]) -> tuple[Attack, ...]:
    """Return the attacks of keys; those that this version doesn't have are left out."""
    return tuple(_BY_KEY[key] for key in keys if key in _BY_KEY)


def leading_attack(keys: Iterable[str]) -> Attack | None:
    """Return the attack that demands most strictly, the first of several: what several together demand."""
    return max(known_attacks(keys), key=lambda attack: STRICTNESS.index(attack.demand), default=None)


__all__ = [
    "ALL_ATTACKS",
    "DEVICE_VIEW",
    "FAMILIES",
    "STRICTNESS",
    "UNSIGNED_VIEW",
    "Attack",
    "Family",
    "Layer",
    "Scene",
    "attacks_on",
    "known_attacks",
    "leading_attack",
]
