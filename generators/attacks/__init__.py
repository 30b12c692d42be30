"""Attacks, a module a family. A new family is a module with ``ATTACKS`` and its name in the list below."""

from typing import Final

from generators.attacks import api_keys, json_web_tokens, own, passwords, signed_tokens
from generators.attacks.base import Attack, Scene
from generators.credentials.base import CredentialProfile

ALL_ATTACKS: Final[tuple[Attack, ...]] = (
    *json_web_tokens.ATTACKS,
    *passwords.ATTACKS,
    *signed_tokens.ATTACKS,
    *api_keys.ATTACKS,
    *own.ATTACKS,
)


def attacks_on(profile: CredentialProfile) -> tuple[Attack, ...]:
    """Return the attacks that a profile can be attacked with."""
    return tuple(attack for attack in ALL_ATTACKS if attack.applies(profile))


__all__ = ["ALL_ATTACKS", "Attack", "Scene", "attacks_on"]
