"""Attacks on MQTT user names and passwords."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from authorizers.contract import Expectation
from generators.attacks.base import Attack, Scene
from generators.credentials.base import Credential, CredentialProfile
from generators.credentials.password import PasswordProfile

_SOURCE: Final = "OWASP ASVS 4.0 section 2.1; AWS IoT developer guide, custom-auth"


def _is_password(profile: CredentialProfile) -> bool:
    return isinstance(profile, PasswordProfile)


def wrong_password(scene: Scene) -> Credential:
    """Present a random password of the right length."""
    letters = "".join(scene.rng.choices("abcdefghijkmnopqrstuvwxyz23456789", k=max(1, len(scene.credential.secret))))
    # A table could hold just these letters.
    return replace(scene.credential, secret=letters if letters != scene.credential.secret else f"{letters}x")


def password_of_another_device(scene: Scene) -> Credential:
    """Present the password of another row; where both rows share it, a longer one."""
    same = scene.other.secret == scene.credential.secret
    return replace(scene.credential, secret=f"{scene.other.secret}x" if same else scene.other.secret)


def unknown_username(scene: Scene) -> Credential:
    """Present a user name that no row has."""
    return replace(scene.credential, username=f"nobody-{scene.rng.getrandbits(32):08x}")


def password_with_suffix(scene: Scene) -> Credential:
    """Present the right password with a character behind it."""
    return replace(scene.credential, secret=f"{scene.credential.secret}{scene.rng.choice('x0 .')}")


def _attack(make: Callable[[Scene], Credential]) -> Attack:
    return Attack("password", make.__name__, Expectation.DENY, _SOURCE, _is_password, make)


ATTACKS: Final = tuple(
    map(_attack, (wrong_password, password_of_another_device, unknown_username, password_with_suffix))
)
