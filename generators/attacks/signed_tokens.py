"""Attacks on tokens whose signature AWS IoT verifies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from authorizers.contract import Expectation
from generators.attacks.base import Attack, Scene
from generators.credentials.base import Credential, CredentialProfile
from generators.credentials.signed import SignedProfile

_SOURCE: Final = "AWS IoT developer guide, custom-auth: signed tokens"


def _is_signed(profile: CredentialProfile) -> bool:
    return isinstance(profile, SignedProfile)


def _expires(profile: CredentialProfile) -> bool:
    return isinstance(profile, SignedProfile) and profile.expires


def signature_of_another_token(scene: Scene) -> Credential:
    """Present the signature that another device's token has."""
    if scene.other.signature == scene.credential.signature:
        # There is only one device, and its tokens are all alike.
        return token_changed_after_signing(scene)
    return replace(scene.credential, signature=scene.other.signature)


def token_changed_after_signing(scene: Scene) -> Credential:
    """Change the last character of a signed token."""
    token = scene.credential.secret
    return replace(scene.credential, secret=f"{token[:-1]}{'0' if token[-1:] != '0' else '1'}")


def expired(scene: Scene) -> Credential:
    """Present a rightly signed token that expired between a minute and a day ago."""
    profile = scene.profile
    assert isinstance(profile, SignedProfile)  # noqa: S101 - applies() has said so
    number = int(scene.rng.getrandbits(32))
    return profile.credential_expiring(
        number % profile.identities, number, scene.minted_at - scene.rng.randint(60, 86400)
    )


def _attack(make: Callable[[Scene], Credential], applies: Callable[[CredentialProfile], bool] = _is_signed) -> Attack:
    return Attack("signed_token", make.__name__, Expectation.DENY, _SOURCE, applies, make)


ATTACKS: Final = (
    _attack(signature_of_another_token),
    _attack(token_changed_after_signing),
    _attack(expired, _expires),
)
