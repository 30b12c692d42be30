"""Attacks on API keys in a header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from authorizers.contract import Expectation
from generators.attacks.base import Attack, Scene
from generators.credentials.api_key import ApiKeyProfile
from generators.credentials.base import Credential, CredentialProfile

_SOURCE: Final = "OWASP API Security Top 10 2023, API2; AWS IoT developer guide, custom-auth"


def _is_api_key(profile: CredentialProfile) -> bool:
    return isinstance(profile, ApiKeyProfile)


def unknown_key(scene: Scene) -> Credential:
    """Present a random key of the right length."""
    length = max(8, len(scene.credential.secret))
    return replace(scene.credential, secret="".join(scene.rng.choices("0123456789abcdef", k=length)))


def truncated_key(scene: Scene) -> Credential:
    """Present a right key without its last character; of one character only, with another behind it."""
    return replace(scene.credential, secret=scene.credential.secret[:-1] or f"{scene.credential.secret}x")


def parameters_of_another_key(scene: Scene) -> Credential:
    """Present a right key with the parameters that belong to another; where they are the same, changed ones."""
    parameters = dict(scene.other.parameters)
    if parameters == dict(scene.credential.parameters):
        parameters = {name: f"{value}x" for name, value in parameters.items()}
    return replace(scene.credential, parameters=parameters)


def _attack(make: Callable[[Scene], Credential]) -> Attack:
    return Attack("api_key", make.__name__, Expectation.DENY, _SOURCE, _is_api_key, make)


def _has_parameters(profile: CredentialProfile) -> bool:
    return _is_api_key(profile) and bool(profile.credential(0, 0, 0).parameters)


ATTACKS: Final = (
    _attack(unknown_key),
    _attack(truncated_key),
    replace(_attack(parameters_of_another_key), applies=_has_parameters),
)
